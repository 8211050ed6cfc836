"""`aiproxy-config import`: the way in from other gateways."""

from collections.abc import Callable, Mapping
from pathlib import Path

import click

from aiproxy.config.problems import in_order, render_problems
from aiproxy_config.formats import MACHINE_FORMATS, Findings, counted
from aiproxy_config.importing import aiclient2api, claude_code_router, cliproxyapi, litellm
from aiproxy_config.importing.finishing import settled, variables, written
from aiproxy_config.importing.taking import Found
from aiproxy_config.options import one_sentence
from aiproxy_config.starter import write_private

SOURCES: Mapping[str, Callable[[Path, Found], None]] = {
    "aiclient2api": aiclient2api.read,
    "claude-code-router": claude_code_router.read,
    "cliproxyapi": cliproxyapi.read,
    "litellm": litellm.read,
}

AUTH = "auth"
"""The directory beside the new file that takes the logins."""


@click.command("import")
@click.argument("gateway", type=click.Choice(list(SOURCES)))
@click.argument("path", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default="aiproxy.yaml",
    show_default=True,
    help='"-" is standard output, without logins.',
)
@click.option("--force", is_flag=True, help="Replace the output if it exists.")
@click.option(
    "--format", "style", type=click.Choice(["text", *MACHINE_FORMATS]), default="text", show_default=True, help="Of the findings, as for `validate`.",
)  # fmt: skip
@one_sentence
def import_(gateway: str, path: Path, output: Path, force: bool, style: str) -> None:
    """Take over the configuration of another GATEWAY from PATH, its file or directory, with the logins that it names.

    The result is always valid. What has no equal here is named with its line, and stands as comments at the end of the new file. The
    other gateway's files stay as they are; two programs with one login log each other out where refresh tokens are
    single use, so stop the other one first."""
    here = str(output) == "-"
    if not here and output.exists() and not force:
        raise click.ClickException(f"{output} exists; --force replaces it")
    found = Found()
    SOURCES[gateway](path, found)
    count = 0
    if found.credentials and here:
        for file, source, key, _ in found.credentials:
            source.drop(key, f"the login {file.name}: logins are written beside a file, not to standard output")
    elif found.credentials:
        from aiproxy_config.importing.credentials import take_over

        count = take_over(found, output.absolute().parent / AUTH)
    if count:
        found.put("auth-dir", AUTH)
    settled(found, str(path), output.absolute().parent)
    found.problems = list(in_order(found.problems))
    made = written(found, f"Made by `aiproxy-config import {gateway}` from {path.name}.")
    if here:
        click.echo(made, nl=False)
    else:
        write_private(output, made, replace=force)
    if style == "text":
        click.echo(render_problems(found.problems), nl=False, err=here)
    else:
        click.echo(MACHINE_FORMATS[style](Findings([str(path)], found.problems)), err=here)
    if not here and style == "text":
        click.echo(f"Wrote {output}" + (f", and {counted(count, 'login')} beside it in {AUTH}/." if count else "."))
        if found.problems:
            click.echo(
                f"{counted(len(found.problems), 'thing')} of {path} could not be taken over as it was; the list above is in the file, too."
            )
        if wanted := variables(made):
            click.echo(f"It wants these variables: {', '.join(wanted)}.")
