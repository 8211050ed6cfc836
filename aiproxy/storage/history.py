"""The configuration's history: what was in use, since when, by whom and why, with the text.

A git repository has it already; for every other place it is kept in the state, the latest `KEPT` of each place, where only
the gateway's user may read, and sealed where there is an encryption key. Synchronous, within a transaction."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate

from aiproxy.storage.documents import CONFIGURATION, digest
from aiproxy.storage.encryption import Key, seal, unseal
from aiproxy.storage.state.database import Session
from aiproxy.storage.store import Change, Past, StoreError

KEPT = 50
"""Versions that are kept of one place, or looked back at in a repository: some months of changes by hand."""

KEPT_BYTES = 16 * 2**20
"""Of their texts together; the present one and its predecessor are kept whatever their size."""

SHORTEST = 7
"""Characters of a commit's name that stand for it, as in git."""

AT_START = Change("Found when the gateway started", "")
ELSEWHERE = Change("Changed where it is kept", "")
UNNOTED = Change("Found before a change", "")

_SEALED_AS = f"history/{CONFIGURATION}"


def within(sizes: Sequence[int], most: int) -> int:
    """How many of the first ones fit; two at least."""
    return max(2, sum(total <= most for total in accumulate(sizes)))


def remember(session: Session, keys: Sequence[Key], place: str, at: float, body: bytes, change: Change) -> None:
    """This is in use in `place` from now on. Of what is in use already only the author is noted, if there was none."""
    version = digest(body)
    newest = "SELECT id, version, author FROM configurations WHERE place = ? ORDER BY id DESC LIMIT 1"
    for number, known, author in session.rows(newest, (place,)):
        if known == version:
            if change.author and not author:
                named = "UPDATE configurations SET author = ?, reason = ? WHERE id = ?"
                session.run(named, (change.author, change.reason, number))
            return
    text = (seal(keys[0], _SEALED_AS, body) if keys else body).decode("utf-8", "replace")
    insert = "INSERT INTO configurations (place, at, author, reason, version, body) VALUES (?, ?, ?, ?, ?, ?)"
    session.run(insert, (place, at, change.author, change.reason, version, text))
    _forget(session, place)


def _forget(session: Session, place: str) -> None:
    """What is beyond the limits."""
    kept = "SELECT id, LENGTH(body) FROM configurations WHERE place = ? ORDER BY id DESC"
    rows = session.rows(kept, (place,))
    beyond = rows[min(KEPT, within([size for _, size in rows], KEPT_BYTES)) :]
    session.many("DELETE FROM configurations WHERE id = ?", [(number,) for number, _ in beyond])


def remembered(session: Session, keys: Sequence[Key], place: str) -> Sequence[Past]:
    """The latest first; without those that no key opens."""
    asked = "SELECT id, at, author, reason, version, body FROM configurations WHERE place = ? ORDER BY id"
    found: list[Past] = []
    for number, at, author, reason, version, text in session.rows(asked, (place,)):
        if found and found[-1].version == version:  # two processes noticed it at once
            found[-1] = replace(found[-1], author=author, reason=reason) if author else found[-1]
            continue
        try:
            body = unseal(tuple(keys), _SEALED_AS, text.encode())
        except StoreError:
            continue
        found.append(Past(str(number), at, author, reason, version, body))
    return found[::-1]


def chosen(versions: Sequence[Past], wanted: str) -> Past | None:
    """By its id, or the only beginning of one."""
    exact = [each for each in versions if each.id == wanted]
    found = exact or [each for each in versions if len(wanted) >= SHORTEST and each.id.startswith(wanted)]
    return found[0] if len(found) == 1 else None


def before(versions: Sequence[Past], one: Past) -> Past | None:
    """Its predecessor, as far as it is known."""
    place = versions.index(one) + 1
    return versions[place] if place < len(versions) else None
