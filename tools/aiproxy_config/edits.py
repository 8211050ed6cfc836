"""`set` and `unset`: one key of the configuration, with everything else as it was."""

import sys

import click

from aiproxy.config.edit import data_of, edited, without
from aiproxy.config.problems import render_problems
from aiproxy.config.steps import NotEdited, steps_of
from aiproxy.config.tree import Unparsable, parse
from aiproxy_config.editing import change
from aiproxy_config.options import CONFIG, complete_key, refusing


@click.command("set")
@click.argument("path", metavar="KEY.PATH", shell_complete=complete_key)
@click.argument("value")
@CONFIG
@refusing(NotEdited)
def set_(path: str, value: str, config: str | None) -> None:
    """Set KEY.PATH to VALUE in the configuration, a file or in the store that it names; comments, order and quoting stay.

    VALUE is YAML: text, a number, `[a, b]`, `{name: x}`. "-" reads it from standard input, where a secret leaves no trace in the
    shell's history. KEY.PATH is written `timeouts.idle`, `api-keys[0].name`, or `prices["gpt-5*"].input`; a list takes one
    more entry under its next number. What would not be valid is refused, and changes nothing."""
    text = sys.stdin.read().strip() if value == "-" else value
    try:
        node, problems = parse(text, "VALUE", one_place=True)
    except Unparsable as unparsable:
        raise click.UsageError(render_problems([unparsable.problem]).strip()) from None
    if problems:
        raise click.UsageError(render_problems(problems).strip())
    meant = data_of(node) if text else ""
    where = change(config, lambda before: edited(before, path, meant), f"Set {path}", here=_leads_to_store(path))
    click.echo(f"{where}: {path} is set.")


@click.command()
@click.argument("path", metavar="KEY.PATH", shell_complete=complete_key)
@CONFIG
@refusing(NotEdited)
def unset(path: str, config: str | None) -> None:
    """Take KEY.PATH out of the configuration, so that its default holds; everything else stays as it was."""
    where = change(config, lambda before: without(before, path), f"Unset {path}", here=_leads_to_store(path))
    click.echo(f"{where}: {path} is not set any more.")


def _leads_to_store(path: str) -> bool:
    return steps_of(path)[0] == "store"
