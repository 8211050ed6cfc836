"""`aiproxy-config history …`: which versions of the configuration were in use, what each changed, and one of them again."""

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import click

from aiproxy.config.load import Document, configuration
from aiproxy.config.masking import Masking, is_readable, secrets_in
from aiproxy.config.problems import ConfigurationInvalid
from aiproxy.config.schema import Settings
from aiproxy.credentials.times import written
from aiproxy.storage.history import before, chosen
from aiproxy.storage.state.database import StateRefused, StateUnavailable
from aiproxy.storage.store import Past, StoreError
from aiproxy_config import past
from aiproxy_config.editing import change, kept
from aiproxy_config.options import CONFIG, refusing

NOW = "kept"

_one_sentence = refusing(StoreError, StateRefused, StateUnavailable)


@click.group()
def history() -> None:
    """Look back at the configuration, and bring a version of it back.

    A git repository is its own history; of other places the state keeps the latest versions that a gateway took over or this tool
    wrote. Secrets are not shown; what is restored has them."""


@history.command("list")
@click.option("--json", "in_json", is_flag=True, help="For programs.")
@CONFIG
@_one_sentence
def list_(in_json: bool, config: str | None) -> None:
    """The versions, the latest first: when, by whom, and why. A `*` marks the one that is kept now."""
    with _versions(config) as found:
        rows = [
            {
                "id": each.id,
                "at": written(each.at),
                "author": each.author,
                "reason": each.reason,
                "version": each.version,
                "kept": each.version == found.kept,
            }
            for each in found.past
        ]
    if in_json:
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for row in rows:
        mark = "*" if row["kept"] else " "
        click.echo(
            f"{mark} {str(row['id'])[:12]}  {row['at']}  {row['reason']}"
            + (f" ({row['author']})" if row["author"] else "")
        )
    if not rows:
        click.echo("No version is known yet: the history begins when a gateway first starts with this configuration.")


@history.command()
@click.argument("version")
@click.option("--against", metavar="VERSION", help=f"Another version, or `{NOW}` for the text that is kept now.")
@click.option("--text", "whole", is_flag=True, help="The whole text, and no comparison.")
@CONFIG
@_one_sentence
def show(version: str, against: str | None, whole: bool, config: str | None) -> None:
    """What VERSION changed: the lines in which it is different from the one before it, or from another. Secrets are shown as names
    that are the same wherever the same secret stands."""
    with _versions(config) as found:
        one = _one(found.past, version)
        if against == NOW:
            other, called = found.text, NOW
        else:
            beside = _one(found.past, against) if against else before(found.past, one)
            other, called = (beside.body.decode(errors="replace"), beside.id) if beside else ("", "nothing")
    masking, text = Masking(), one.body.decode(errors="replace")
    if not (is_readable(text) and is_readable(other)):
        raise click.ClickException(
            "no YAML can be read in one of the two, so that its secrets can't be told: nothing of it is shown"
        )
    known = secrets_in(found.text, *(each.body.decode(errors="replace") for each in found.past))
    if whole:
        click.echo(masking.masked(text, known), nl=False)
        return
    for line in masking.lines_between(other, text, (called, one.id), known):
        click.echo(line)


@history.command()
@click.argument("version")
@CONFIG
@_one_sentence
def restore(version: str, config: str | None) -> None:
    """Keep the text of VERSION again, as a change like any other. Refused where a gateway would not start with it."""
    with _versions(config) as found:
        one = _one(found.past, version)
    where = change(config, lambda _: one.body.decode(), f"Restore the configuration's version {one.id}")
    click.echo(f"{where}: version {one.id} is restored.")


@dataclass(frozen=True, slots=True)
class _Found:
    """`kept` is the version of the text that is kept now."""

    past: Sequence[Past]
    text: str
    kept: str


@contextmanager
def _versions(config: str | None) -> Iterator[_Found]:
    with kept(config, here=False) as now:
        yield _Found(past.listed(_settings(now.document), now.store, now.place), now.document.text, now.version)


def _settings(document: Document) -> Settings:
    """Of a text that isn't valid, by which one looks back, as far as it says where the state is."""
    try:
        return configuration(document, environ=os.environ).settings
    except ConfigurationInvalid:
        pass
    said = re.search(r"^state: *([^ #\n]+)", document.text, re.MULTILINE)  # it may be no YAML
    try:
        text = said[0] if said else "{}"
        return configuration(replace(document, text=text), environ=os.environ).settings
    except ConfigurationInvalid:
        return Settings()


def _one(versions: Sequence[Past], wanted: str) -> Past:
    if (found := chosen(versions, wanted)) is None:
        raise click.ClickException(f"there is no version {wanted!r}; `aiproxy-config history list` names them")
    return found
