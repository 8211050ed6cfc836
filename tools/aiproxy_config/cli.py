"""The command line of `aiproxy-config`: what can be typed, and the exit status (0 valid, 1 invalid, 2 wrong usage)."""

import os
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

import click

from aiproxy.config.codes import CODES
from aiproxy.config.load import BUILT_IN, Document, configuration, decoded, find
from aiproxy.config.problems import ConfigurationInvalid, Problem, Severity
from aiproxy_config.formats import MACHINE_FORMATS, Findings, text
from aiproxy_config.starter import starter, write_private
from aiproxy_config.state import state
from aiproxy_config.store import store

STANDARD_INPUT = "-"


class _Commands(click.Group):
    """Those that log in are read when they are asked for: they need every provider, which checking a file doesn't."""

    _later = ("accounts", "login")

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted([*super().list_commands(context), *self._later])

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self._later:
            return super().get_command(context, name)
        found: click.Command = getattr(import_module(f"aiproxy_config.{name}"), name)
        return found


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="aiproxy", prog_name="aiproxy-config")
def main() -> None:
    """Check and write the configuration of aiproxy. Nothing here needs a running gateway."""


main.add_command(state)
main.add_command(store)


def _explain(context: click.Context, _parameter: click.Parameter, code: str | None) -> None:
    if code is None:
        return
    if code not in CODES:
        near = get_close_matches(code, CODES, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"The codes are: {', '.join(CODES)}."
        raise click.BadParameter(f"there is no code {code!r}. {hint}")
    explanation = CODES[code]
    click.echo(f"{code}\n")
    click.echo(click.wrap_text(explanation.words, width=80, initial_indent="  ", subsequent_indent="  "))
    click.echo("\n  For example:\n")
    click.echo("\n".join(f"    {line}" for line in explanation.example.splitlines()))
    context.exit()


@main.command()
@click.argument("files", nargs=-1)
@click.option("--config", metavar="FILE", help="The same as naming FILE; every command has it.")
@click.option(
    "--format",
    "style",
    type=click.Choice(["text", *MACHINE_FORMATS]),
    default="text",
    show_default=True,
    help="For people and editors, programs, code scanning, or GitHub Actions.",
)
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--set", "overrides", multiple=True, metavar="KEY.PATH=VALUE", help="Check with this value; repeatable.")
@click.option(
    "--explain",
    metavar="CODE",
    is_eager=True,
    expose_value=False,
    callback=_explain,
    help="Say what a code means, with an example, and check nothing.",
)
@click.pass_context
def validate(
    context: click.Context,
    files: tuple[str, ...],
    config: str | None,
    style: str,
    strict: bool,
    overrides: tuple[str, ...],
) -> None:
    """Find every problem in FILES, each at its line.

    "-" is standard input. Without FILES, the one is checked that aiproxy would use: $AIPROXY_CONFIG, ./aiproxy.yaml,
    ./config.yaml, /etc/aiproxy/aiproxy.yaml, else the built-in one. Variables of the form AIPROXY__SECTION__KEY count,
    as they do for the gateway.

    The exit status is 0 when all are valid, 1 when one is not, 2 when the command was wrong.
    """
    if config is not None:
        files = (config, *files)
    findings = _validated(files or (None,), os.environ, overrides)
    if style == "text":
        click.echo(text(findings, colour=_coloured(os.environ)), color=True)
    else:
        click.echo(MACHINE_FORMATS[style](findings))
    fatal = findings.count(Severity.ERROR) + (findings.count(Severity.WARNING) if strict else 0)
    context.exit(1 if fatal else 0)


def _validated(files: Sequence[str | None], environ: Mapping[str, str], overrides: Sequence[str]) -> Findings:
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
            problems += configuration(document, environ=environ, overrides=overrides).warnings
        except ConfigurationInvalid as invalid:
            problems += invalid.problems
    return Findings(sources, problems)


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


@main.command()
@click.argument("path", type=click.Path(path_type=Path), default="aiproxy.yaml")
@click.option("--force", is_flag=True, help="Replace the file if it exists.")
def init(path: Path, force: bool) -> None:
    """Write a commented configuration to PATH (aiproxy.yaml), with a new random client key.

    When OPENAI_API_KEY is set, an account that uses the variable is configured; its value is not written.
    """
    try:
        write_private(path, starter(os.environ), replace=force)
    except FileExistsError:
        raise click.ClickException(f"{path} exists; --force replaces it") from None
    except OSError as error:
        raise click.ClickException(f"{path} can't be written: {error.strerror}") from None
    click.echo(f"Wrote {path}, with a new client key under `api-keys`; only you can read it.")
    click.echo(f"Next: aiproxy-config validate {path} && aiproxy --config {path}")
