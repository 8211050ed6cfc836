"""The management key in the configuration's text: written there as its hash, every comment kept."""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from twisted.logger import Logger

from aiproxy.config.edit import data_of, edited
from aiproxy.config.management_rules import is_hash
from aiproxy.config.steps import NotEdited
from aiproxy.config.tree import Unparsable, parse
from aiproxy.secrets import Secret
from aiproxy.storage.documents import CONFIGURATION
from aiproxy.storage.store import Change, Entry, StoreError
from aiproxy.web.management.keys import hashed

SECRET_KEY = "remote-management.secret-key"  # noqa: S105 - the path to it

InThread = Callable[..., Awaitable[Any]]

_log = Logger("aiproxy.management")


class Documents(Protocol):
    """The configuration as a document of the store; both raise `StoreError`."""

    async def read(self, name: str) -> Entry | None: ...

    async def save(self, name: str, body: bytes, expected: str, change: Change) -> str: ...


async def hash_plain_key(documents: Documents, in_thread: InThread) -> None:
    """Replace a key that stands in the text as it is. A reference to a variable or a file stays one. Never raises: a read-only
    file is a reason for a warning only."""
    try:
        entry = await documents.read(CONFIGURATION)
        plain = _key_in(entry.body.decode()) if entry else ""
        if entry is None or not plain or "${" in plain or is_hash(Secret(plain)):
            return
        await _write(documents, entry, await in_thread(hashed, plain))
    except (StoreError, NotEdited, Unparsable, ValueError) as error:
        _log.warn("the management key stays in the configuration as it is: {why}", why=str(error))
    else:
        _log.info("the management key in the configuration is replaced by its hash")


async def keep_hash(documents: Documents, key_hash: str) -> bool:
    """Write it; False where there is no configuration to write it to. Raises `StoreError`, `NotEdited`."""
    entry = await documents.read(CONFIGURATION)
    if entry is None:
        return False
    await _write(documents, entry, key_hash)
    return True


def _key_in(text: str) -> str:
    """As it is written; "" for one that is elsewhere. Raises `Unparsable`."""
    data = data_of(parse(text, "")[0])
    section = data.get("remote-management") if isinstance(data, dict) else None
    key = section.get("secret-key") if isinstance(section, dict) else None
    return key if isinstance(key, str) else ""


async def _write(documents: Documents, entry: Entry, key_hash: str) -> None:
    changed = edited(entry.body.decode(), SECRET_KEY, key_hash)
    await documents.save(CONFIGURATION, changed.encode(), entry.version, Change("hash the management key"))
