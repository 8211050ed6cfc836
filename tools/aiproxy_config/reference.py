"""The tool's own pages of `configs/README.md`: every command with its options, and every code of `validate`.

`python -m aiproxy_config.reference configs` writes them anew; a test keeps them true.
"""

import re
import sys
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click

from aiproxy.config.codes import EXPLANATIONS
from aiproxy_config.cli import main as tool

NAME = "aiproxy-config"


def commands() -> str:
    """A heading, the usage, the words and the options of each command, as `--help` says them."""
    context = click.Context(tool, info_name=NAME)
    return "\n".join(_pages(tool, context)).rstrip() + "\n"


def codes() -> str:
    rows = [f"| `{code}` | {_cell(told.words)} |" for code, told in EXPLANATIONS.items()]
    return "\n".join(["| code | means |", "|---|---|", *rows]) + "\n"


def inserted(document: str) -> str:
    """A document with both between their markers."""
    for name, made in (("commands", commands()), ("codes", codes())):
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        before, rest = document.split(begin)
        document = f"{before}{begin}\n{made}{end}{rest.split(end)[1]}"
    return document


def _pages(command: click.Command, context: click.Context) -> Iterator[str]:
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if (found := command.get_command(context, name)) is not None:
                yield from _pages(found, click.Context(found, info_name=name, parent=context))
        return
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield f"### `{usage}`\n"
    yield f"{_words(command.help or '')}\n"
    options = [parameter for parameter in command.params if isinstance(parameter, click.Option)]
    for option in options:
        record = option.get_help_record(context)
        if record is not None and "--help" not in option.opts:
            yield f"- `{record[0]}` {' '.join(record[1].split())}"
    if options:
        yield ""


def _words(text: str) -> str:
    """Paragraphs as they are, examples (indented) as code."""
    lines = cleandoc(text.replace("\b\n", "")).splitlines()
    return re.sub(r"(?m)^ +", "    ", "\n".join(lines))


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def main(directory: str) -> None:
    readme = Path(directory) / "README.md"
    readme.write_text(inserted(readme.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
