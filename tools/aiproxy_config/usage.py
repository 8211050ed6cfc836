"""`aiproxy-config usage`: what was used, summed up, from the state and without a gateway."""

import json
from collections.abc import Callable, Sequence
from typing import Any

import click

from aiproxy.clients import moment
from aiproxy.neutral.usage import TOKENS
from aiproxy.storage.state.asking import GROUPS, ONLY, Span, sums
from aiproxy.storage.state.database import StateRefused, StateUnavailable
from aiproxy.storage.state.sums_table import as_csv, written
from aiproxy.storage.store import StoreError
from aiproxy_config.options import CONFIG, refusing
from aiproxy_config.state import STATE, opened

_FOREVER = Span()


@click.command()
@click.option(
    "--by", default="client,model", show_default=True, help=f"What to sum up by, with commas: {', '.join(GROUPS)}."
)
@click.option("--since", metavar="DATE", help="From when on.")
@click.option("--until", metavar="DATE", help="The end of the span.")
@click.option(
    "--only", multiple=True, metavar="NAME=VALUE", help=f"Only usage of exactly this: {', '.join(ONLY)}; repeatable."
)
@click.option("--format", "form", type=click.Choice(["text", "json", "csv"]), default="text")
@STATE
@CONFIG
@refusing(StoreError, StateRefused, StateUnavailable, ValueError)
def usage(
    by: str,
    since: str | None,
    until: str | None,
    only: tuple[str, ...],
    form: str,
    where: str | None,
    config: str | None,
) -> None:
    """Sum up what was used: attempts, tokens and dollars, by key, team (`tag`), model, account, day and the like.

    What a key with two tags used counts at both."""
    groups = tuple(dict.fromkeys(name for name in by.split(",") if name))
    if unknown := [name for name in groups if name not in GROUPS]:
        raise click.UsageError(f"--by: {unknown[0]!r} is none of {', '.join(GROUPS)}")
    span = Span(
        _FOREVER.since if since is None else moment(since),
        _FOREVER.until if until is None else moment(until),
        _only(only),
    )
    with opened(where, config) as database, database.transaction(writes=False) as session:
        rows = written(sums(session, groups, span))
    click.echo(_FORMS[form](groups, rows), nl=form == "json")


def _only(said: Sequence[str]) -> dict[str, str]:
    found = {}
    for each in said:
        name, equals, value = each.partition("=")
        if not equals or name not in ONLY:
            raise click.UsageError(f"--only: {each!r} is no NAME=VALUE with one of {', '.join(ONLY)}")
        found[name] = value
    return found


def _in_json(_by: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    return json.dumps(rows, indent=2, ensure_ascii=False)


def _in_words(by: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    if not rows or not any(row["attempts"] for row in rows):
        return "Nothing was used.\n"
    cells = [[*by, "attempts", "failed", "tokens", "usd"]]
    for row in rows:
        tokens = sum(row[name] for name in TOKENS)
        numbers = [f"{row['attempts']}", f"{row['failed']}", f"{tokens}", f"{row['cost_usd']:.4f}"]
        cells.append([*(str(row[name]) or "-" for name in by), *numbers])
    widths = [max(len(row[place]) for row in cells) for place in range(len(cells[0]))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
    return "".join(f"{line}\n" for line in lines)


_FORMS: dict[str, Callable[[Sequence[str], Sequence[dict[str, Any]]], str]] = {
    "text": _in_words,
    "json": _in_json,
    "csv": as_csv,
}
