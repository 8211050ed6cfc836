"""Changes of credential files by a hand: read as they are now, changed where it is wanted, and saved if nobody else was faster."""

from collections.abc import Mapping
from typing import Any

from aiproxy.credentials.record import Record, read_record
from aiproxy.credentials.renewer import SAVES, Documents
from aiproxy.storage.store import Change, Conflict


async def change(documents: Documents, name: str, changes: Mapping[str, Any], reason: str) -> Record | None:
    """Paths as in `Record.with_changes`; None where there is no such file. Raises `Unreadable`, `StoreError`."""
    for _ in range(SAVES):
        entry = await documents.read(name)
        if entry is None:
            return None
        changed = read_record(name, entry.body, entry.version).with_changes(changes)
        try:
            version = await documents.save(name, changed.body(), entry.version, Change(reason))
        except Conflict:
            continue
        return Record(name, changed.type, changed.content, version)
    raise Conflict(name)
