"""Managed client keys, changed in the state without a gateway; those that run notice within seconds."""

import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import click

from aiproxy.config.managed import key_settings
from aiproxy.config.schema import MEMORY, Settings, is_state_file
from aiproxy.storage.state import client_keys
from aiproxy.storage.state.client_keys import Made, UnknownKey
from aiproxy.storage.state.database import Session, StateRefused, StateUnavailable
from aiproxy.storage.state.rows import ClientKeyRow
from aiproxy.storage.state_address import database_of
from aiproxy.storage.store import StoreError
from aiproxy_config.options import refusing

sentences = refusing(StoreError, StateRefused, StateUnavailable, UnknownKey, ValueError)


def create(settings: Settings, name: str, said: Mapping[str, Any]) -> Made:
    key_settings(name, said)
    with _session(settings) as session:
        return client_keys.create(session, time.time(), name=name, settings=said)


def listed(settings: Settings) -> Sequence[ClientKeyRow]:
    """None where there is no state yet: looking makes none."""
    state = settings.state_in_effect
    if state == MEMORY or (is_state_file(state) and not Path(state).exists()):
        return ()
    with _session(settings) as session:
        return client_keys.listed(session)


def find(settings: Settings, name: str, *, unless: Collection[str] = ()) -> ClientKeyRow | None:
    """The key of the holder that is called so, by name or id. The configuration's own keys (`unless`) are meant first."""
    if name in unless:
        return None
    rows = [row for row in listed(settings) if name in (row.id, row.name)]
    ids = {row.id for row in rows}
    if len(ids) > 1:
        raise click.ClickException(f"several managed keys are named {name!r}; use an id: {', '.join(sorted(ids))}")
    return max(rows, key=lambda row: (row.until is None, row.until or 0.0), default=None)


def revoke(settings: Settings, key_id: str) -> None:
    with _session(settings) as session:
        client_keys.revoke(session, time.time(), key_id)


def rotate(settings: Settings, key_id: str, overlap: float) -> Made:
    with _session(settings) as session:
        return client_keys.rotate(session, time.time(), key_id, overlap)


@contextmanager
def _session(settings: Settings) -> Iterator[Session]:
    state = settings.state_in_effect
    if state == MEMORY:
        raise click.ClickException(
            "the state is in memory, so that nothing outside the gateway can keep a key in it; set `state`"
        )
    with closing(database_of(state)) as database:
        database.open()
        with database.transaction() as session:
            yield session
