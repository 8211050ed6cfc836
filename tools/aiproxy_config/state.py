"""`aiproxy-config state …`: look into what the gateway has learnt, move it, make its file small."""

import os
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import time
from typing import BinaryIO

import click

from aiproxy.config.schema import MEMORY
from aiproxy.storage.state.database import Database, StateRefused, StateUnavailable
from aiproxy.storage.state.retention import Retention, tidy
from aiproxy.storage.state.rows import TABLES
from aiproxy.storage.state.transfer import NotAnExport, exported, imported
from aiproxy.storage.state_address import database_of
from aiproxy.storage.store import StoreError
from aiproxy_config.formats import counted
from aiproxy_config.in_use import in_use
from aiproxy_config.options import CONFIG, refusing

STATE = click.option("--state", "where", metavar="STATE", help="Another state: a SQLite file or a postgresql:// URL.")


@click.group()
def state() -> None:
    """Look after usage, requests, cooldowns and counters: what `state` in the configuration names.

    A gateway that runs on it may go on running."""


_one_sentence = refusing(StoreError, StateRefused, StateUnavailable, NotAnExport)


@state.command()
@click.argument("file", metavar="FILE", default="-")
@click.option(
    "--table", "names", multiple=True, type=click.Choice([t.name for t in TABLES]), help="Only this; repeatable."
)
@STATE
@CONFIG
@_one_sentence
def export(file: str, names: tuple[str, ...], where: str | None, config: str | None) -> None:
    """Write all rows to FILE, a JSON object a line; "-" is standard output. FILE must not exist, and only you can read it."""
    tables = [table for table in TABLES if not names or table.name in names]
    with opened(where, config) as database, _written(file) as stream:
        count = -1  # the first line is the head
        for count, line in enumerate(exported(database, tables)):  # noqa: B007 - counted, for what is said below
            stream.write(line)
    click.echo(f"{counted(count, 'row')} exported.", err=True)


@state.command("import")
@click.argument("file", metavar="FILE")
@STATE
@CONFIG
@_one_sentence
def import_(file: str, where: str | None, config: str | None) -> None:
    """Add the rows of FILE, as `export` wrote it; "-" is standard input. All of them or, when anything is wrong, none.

    Importing one export again changes nothing."""
    with opened(where, config) as database, click.open_file(file, "rb") as lines:
        count = imported(database, lines, time())
    click.echo("This export had been imported before." if count is None else f"{counted(count, 'row')} imported.")


@state.command()
@STATE
@CONFIG
@_one_sentence
def vacuum(where: str | None, config: str | None) -> None:
    """Delete what `state-retention` lets go, now, and give the room back to the system."""
    kept = in_use(config).settings.state_retention
    with opened(where, config) as database:
        before = database.live_bytes()
        while tidy(database, Retention(kept.days, kept.max_size_mb), time()):
            pass
        database.vacuum()
        click.echo(f"{before / 2**20:.1f} MiB of rows before, {database.live_bytes() / 2**20:.1f} MiB now.")


@contextmanager
def opened(where: str | None, config: str | None) -> Iterator[Database]:
    found = where or in_use(config).settings.state_in_effect
    if found == MEMORY:
        raise click.ClickException("the state is in memory, where only its gateway can see it; set `state` to keep it")
    if where and "://" not in where and not Path(where).exists():
        raise click.ClickException(f"{where} does not exist")
    if where and Path(where).is_dir():
        raise click.ClickException(f"{where} is a directory; name a file in it")
    with closing(database_of(found)) as database:
        database.open()
        if database.recovered:
            click.echo(f"The file was damaged and is begun anew; the damaged one is {database.recovered}.", err=True)
        yield database


@contextmanager
def _written(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdout.buffer
        return
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        yield stream
