"""Managed client keys in the state: made, listed, revoked, rotated. Synchronous, within a transaction.

The gateway calls these through `ManagedKeys`; a command-line tool calls them on the same database without a gateway:

    with database.transaction() as session:
        made = create(session, time(), name="team-a", settings={"models": ["gpt-*"]})
    print(made.key)  # the only time it can be shown

Running gateways notice by themselves, within `storage.keys.LOOK_SECONDS`. What `settings` may hold is judged by whoever
takes it from a person (`config.managed.key_settings`)."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from secrets import token_hex, token_urlsafe
from typing import Any, NamedTuple

import orjson

from aiproxy.storage.state.database import Session
from aiproxy.storage.state.rows import CLIENT_KEYS, ClientKeyRow

PREFIX = "sk-aiproxy-"
"""What our keys begin with, so that scanners for leaked secrets can know them."""

RANDOM_BYTES = 32

SHOWN = 4
"""Last characters of a key that lists show."""


class Made(NamedTuple):
    """`key` is shown once, to whoever asked for it, and kept nowhere."""

    key: str
    row: ClientKeyRow


class UnknownKey(Exception):
    """There is no such key that works."""


def create(session: Session, now: float, *, name: str, settings: Mapping[str, Any], until: float | None = None) -> Made:
    """`settings` are those of `api-keys` entries, without the key and its name; `until` is seconds since the epoch."""
    return _make(session, now, token_hex(8), name, orjson.dumps(dict(settings)).decode(), until)


def listed(session: Session) -> Sequence[ClientKeyRow]:
    """All of them, the oldest first; those that have ended stay for a day."""
    return [ClientKeyRow(*values) for values in session.rows(f"{CLIENT_KEYS.select} ORDER BY created, digest")]


def revoke(session: Session, now: float, key_id: str) -> int:
    """From now on none of this holder's keys works. How many there were; raises `UnknownKey` for none."""
    sql = "UPDATE client_keys SET until = ?, changed = ? WHERE id = ? AND (until IS NULL OR until > ?)"
    if not (count := session.run(sql, (now, now, key_id, now))):
        raise UnknownKey(f"no managed key with the id {key_id!r} works any more")
    return count


def rotate(session: Session, now: float, key_id: str, overlap: float) -> Made:
    """A new key for the same holder, with the same settings and counters; the old one works for `overlap` seconds more.
    Raises `UnknownKey`."""
    working = [row for row in listed(session) if row.id == key_id and (row.until is None or row.until > now)]
    if not working:
        raise UnknownKey(f"no managed key with the id {key_id!r} works any more")
    latest = working[-1]
    ends = now + overlap
    sql = "UPDATE client_keys SET until = ?, changed = ? WHERE id = ? AND (until IS NULL OR until > ?)"
    session.run(sql, (ends, now, key_id, ends))
    return _make(session, now, key_id, latest.name, latest.settings, latest.until)


def version(session: Session) -> tuple[Any, ...]:
    """Another one after every change."""
    return tuple(session.rows("SELECT count(*), max(changed), count(until), max(until) FROM client_keys")[0])


def _make(session: Session, now: float, key_id: str, name: str, settings: str, until: float | None) -> Made:
    key = PREFIX + token_urlsafe(RANDOM_BYTES)
    digest = sha256(key.encode()).hexdigest()
    row = ClientKeyRow(digest, key_id, name, key[-SHOWN:], settings, now, until, now)
    session.run(CLIENT_KEYS.insert, row)
    return Made(key, row)
