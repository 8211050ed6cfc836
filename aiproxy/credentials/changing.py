"""Changes of credential files by a hand: read as they are now, changed where it is wanted, and saved if nobody else was faster."""

from collections.abc import Mapping
from typing import Any, Protocol

from aiproxy.credentials.record import Record, read_record
from aiproxy.credentials.renewer import SAVES
from aiproxy.credentials.renewer import Documents as Kept
from aiproxy.storage.store import Change, Conflict, Contents, Entry


class Documents(Kept, Protocol):
    async def contents(self) -> Contents:
        """All there are, those that can't be taken beside. Raises `StoreError`."""

    async def delete(self, name: str, expected: str, change: Change) -> None:
        """As `Store.delete`."""


async def change(documents: Kept, name: str, changes: Mapping[str, Any], reason: str) -> Record | None:
    """Paths as in `Record.with_changes`; None where there is no such file. Raises `Unreadable`, `StoreError`."""

    def changed(entry: Entry | None) -> Record | None:
        return None if entry is None else read_record(name, entry.body, entry.version).with_changes(changes)

    for _ in range(SAVES):
        entry = await documents.read(name)
        record = changed(entry)
        if entry is None or record is None:
            return None
        try:
            version = await documents.save(name, record.body(), entry.version, Change(reason))
        except Conflict:
            continue
        return Record(name, record.type, record.content, version)
    raise Conflict(name)


async def put(documents: Kept, record: Record, reason: str) -> None:
    """In the place of whatever has its name. Raises `StoreError`."""
    for _ in range(SAVES):
        entry = await documents.read(record.name)
        try:
            await documents.save(record.name, record.body(), entry.version if entry else None, Change(reason))
        except Conflict:
            continue
        return
    raise Conflict(record.name)


async def remove(documents: Documents, name: str, reason: str) -> bool:
    """Whether it was there. Raises `StoreError`."""
    entry = await documents.read(name)
    if entry is None:
        return False
    await documents.delete(name, entry.version, Change(reason))
    return True
