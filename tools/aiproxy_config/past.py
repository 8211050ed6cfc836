"""The configuration's history as the tool has it: a repository's own, or what is kept in the state."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import click

from aiproxy.config.schema import MEMORY, Settings, is_state_file
from aiproxy.storage.documents import CONFIGURATION
from aiproxy.storage.encryption import keys_of
from aiproxy.storage.history import KEPT, KEPT_BYTES, UNNOTED, remember, remembered
from aiproxy.storage.state.database import Session, StateRefused, StateUnavailable
from aiproxy.storage.state_address import database_of
from aiproxy.storage.store import Change, Past, Store, StoreError


def note(settings: Settings, store: Store, place: str, texts: tuple[str, str], why: Change) -> None:
    """The second text has taken the place of the first one. Where no gateway has run yet there is no history to add to: its first
    start begins one."""
    try:
        if store.past(CONFIGURATION, 1, 0) is None and state_is_there(settings):
            keys = keys_of(os.environ)
            with session(settings) as opened:
                for text, change in zip(texts, (UNNOTED, why), strict=True):
                    remember(opened, keys, place, time.time(), text.encode(), change)
    except (StateUnavailable, StateRefused, StoreError) as error:
        click.echo(f"The change is made; the history lacks it: {error}", err=True)


def listed(settings: Settings, store: Store, place: str) -> Sequence[Past]:
    """The latest first. Raises `StoreError`, `StateUnavailable`, `StateRefused`."""
    if (kept := store.past(CONFIGURATION, KEPT, KEPT_BYTES)) is not None:
        return kept
    if not state_is_there(settings):
        return ()
    with session(settings) as opened:
        return remembered(opened, keys_of(os.environ), place)


def state_is_there(settings: Settings) -> bool:
    """Looking makes no state."""
    state = settings.state_in_effect
    return state != MEMORY and not (is_state_file(state) and not Path(state).exists())


@contextmanager
def session(settings: Settings) -> Iterator[Session]:
    with closing(database_of(settings.state_in_effect)) as database:
        database.open()
        with database.transaction() as opened:
            yield opened
