"""`validate`: every problem in some configurations, in the words of the daemon's own reading."""

import os
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import click

from aiproxy.config.codes import EXPLANATIONS
from aiproxy.config.load import BUILT_IN, Configuration, Document, configuration, decoded, find
from aiproxy.config.problems import ConfigurationInvalid, Problem, Severity, in_order
from aiproxy_config.formats import MACHINE_FORMATS, Findings, text

STANDARD_INPUT = "-"


def _explain(context: click.Context, _parameter: click.Parameter, code: str | None) -> None:
    if code is None:
        return
    if code not in EXPLANATIONS:
        near = get_close_matches(code, EXPLANATIONS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"The codes are: {', '.join(EXPLANATIONS)}."
        raise click.BadParameter(f"there is no code {code!r}. {hint}")
    explanation = EXPLANATIONS[code]
    click.echo(f"{code}\n")
    click.echo(click.wrap_text(explanation.words, width=80, initial_indent="  ", subsequent_indent="  "))
    for title, example in (("For example:", explanation.example), ("Mended:", explanation.mended)):
        click.echo(f"\n  {title}\n")
        click.echo("\n".join(f"    {line}" for line in example.splitlines()))
    context.exit()


@click.command()
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True))
@click.option("--config", type=click.Path(), metavar="FILE", help="The same as naming FILE; every command has it.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", *MACHINE_FORMATS]),
    default="text",
    show_default=True,
    help="For people and editors, programs, code scanning, or GitHub Actions.",
)
@click.option(
    "--online", is_flag=True, help="Ask every upstream, too: is it there, does it take the key, has it the models?"
)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Check with this value; repeatable.")
@click.option(
    "--explain",
    metavar="CODE",
    is_eager=True,
    expose_value=False,
    callback=_explain,
    shell_complete=lambda _context, _parameter, begun: [code for code in EXPLANATIONS if code.startswith(begun)],
    help="Say what a code means, with an example, and check nothing.",
)
@click.pass_context
def validate(
    context: click.Context,
    files: tuple[str, ...],
    config: str | None,
    style: str,
    online: bool,
    strict: bool,
    overrides: tuple[str, ...],
) -> None:
    """Find every problem in FILES, each at its line, as the gateway would on this machine. Nothing is sent anywhere, unless --online is
    given (or `host` is a name: a name server is asked for it, as it is when the gateway starts).

    "-" is standard input. Without FILES, the one is checked that aiproxy would use: $AIPROXY_CONFIG, ./aiproxy.yaml,
    ./config.yaml, /etc/aiproxy/aiproxy.yaml, else the built-in one. Variables of the form AIPROXY__SECTION__KEY count,
    as they do for the gateway. The configuration in a store away from this machine is judged by `store check`.

    The exit status is 0 when all are valid, 1 when one is not, 2 when the command was wrong.
    """
    if config is not None:
        files = (config, *files)
    findings = _validated(files or (None,), os.environ, overrides, online=online)
    if style == "text":
        click.echo(text(findings, colour=_coloured(os.environ)), color=True)
    else:
        click.echo(MACHINE_FORMATS[style](findings))
    fatal = findings.count(Severity.ERROR) + (findings.count(Severity.WARNING) if strict else 0)
    context.exit(1 if fatal else 0)


def _validated(
    files: Sequence[str | None], environ: Mapping[str, str], overrides: Sequence[str], *, online: bool
) -> Findings:
    sources: list[str] = []
    problems: list[Problem] = []
    for file in files:
        try:
            document = _document(file, environ)
        except ConfigurationInvalid as unreadable:
            sources.append(unreadable.problems[0].file)
            problems += unreadable.problems
            continue
        sources.append(document.name if document else BUILT_IN)
        try:
            read = _judged(configuration(document, environ=environ, overrides=overrides))
        except ConfigurationInvalid as invalid:
            problems += invalid.problems
            continue
        problems += in_order([*read.warnings, *(_asked(read) if online else ())])
    return Findings(sources, problems)


def _judged(read: Configuration) -> Configuration:
    """Imported only for what could be read."""
    from aiproxy.storage.judging import judged

    return judged(read)


def _asked(read: Configuration) -> Sequence[Problem]:
    """Imported when it is asked for: the upstreams' protocols are not needed to read a file."""
    from aiproxy_config.online import online_problems

    return online_problems(read, lambda words: click.echo(words, err=True))


def _document(file: str | None, environ: Mapping[str, str]) -> Document | None:
    if file != STANDARD_INPUT:
        return find(file, environ)
    name = "<stdin>"
    return Document(decoded(sys.stdin.buffer.read(), name), name, Path.cwd())


def _coloured(environ: Mapping[str, str]) -> bool:
    """The customs of no-color.org and force-color.org, then whether a person is looking."""
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return sys.stdout.isatty() and environ.get("TERM") != "dumb"
