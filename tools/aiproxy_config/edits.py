"""`set` and `unset`: one key of the configuration, with everything else in the file as it was."""

import sys

import click

from aiproxy.config.edit import data_of, edited, without
from aiproxy.config.problems import render_problems
from aiproxy.config.tree import Unparsable, parse
from aiproxy_config.editing import change
from aiproxy_config.options import CONFIG, one_sentence


@click.command("set")
@click.argument("path", metavar="KEY.PATH")
@click.argument("value")
@CONFIG
@one_sentence
def set_(path: str, value: str, config: str | None) -> None:
    """Set KEY.PATH to VALUE in the configuration file; comments, order and quoting stay.

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
    file = change(config, lambda before: edited(before, path, meant))
    click.echo(f"{file}: {path} is set.")


@click.command()
@click.argument("path", metavar="KEY.PATH")
@CONFIG
@one_sentence
def unset(path: str, config: str | None) -> None:
    """Take KEY.PATH out of the configuration file, so that its default holds; everything else stays as it was."""
    file = change(config, lambda before: without(before, path))
    click.echo(f"{file}: {path} is not set any more.")
