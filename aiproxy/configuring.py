"""The configuration changed at run time, where it is kept: only to what the gateway would start with, and taken over at once."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from aiproxy.config import Configuration
from aiproxy.config.edit import edited
from aiproxy.documents import Documents
from aiproxy.storage.documents import CONFIGURATION
from aiproxy.storage.store import Change, Conflict, Unacceptable

EDITS = 5
"""Tries of an edit that names no version, while others change the text at the same time."""


class Text(NamedTuple):
    """`version` changes with the text."""

    text: str
    version: str


class Configuring:
    """`taken_over` loads again, and says why what is kept can't be used, "" when it is in use."""

    def __init__(self, documents: Documents, taken_over: Callable[[], Awaitable[str]]) -> None:
        self._documents = documents
        self._taken_over = taken_over

    async def text(self) -> Text | None:
        """As it is kept now; None where nothing is. Raises `StoreError`."""
        entry = await self._documents.read(CONFIGURATION)
        return None if entry is None else Text(entry.body.decode("utf-8", "replace"), entry.version)

    async def judge(self, text: str) -> Configuration:
        """What this text would be. Raises `ConfigurationInvalid`."""
        return await self._documents.judge(text)

    async def replace(self, text: str, expected: str | None, change: Change) -> Text:
        """Keep this text in the place of the version `expected` (None: there is none), and go by it. Raises
        `ConfigurationInvalid`, `StoreError`."""
        await self.judge(text)
        version = await self._documents.save(CONFIGURATION, text.encode(), expected, change)
        await self._taken_over()
        return Text(text, version)

    async def edit(self, edit: Callable[[str], str], change: Change, expected: str = "") -> Text:
        """Change the text that is kept; with `expected`, only that version. Raises `NotEdited`, `Unparsable`, and as `replace`."""
        for _ in range(EDITS):
            kept = await self.text()
            if kept is None:
                raise Unacceptable(CONFIGURATION, "is not there yet: `aiproxy-config init` writes one")
            if expected and kept.version != expected:
                raise Conflict(CONFIGURATION)
            try:
                return await self.replace(await self._documents.work(edit, kept.text), kept.version, change)
            except Conflict:
                if expected:
                    raise
        raise Conflict(CONFIGURATION)

    async def put(self, values: Mapping[str, Any], change: Change, expected: str = "") -> Text:
        """Values by path. Raises as `edit`."""

        def edit(text: str) -> str:
            for path, value in values.items():
                text = edited(text, path, value)
            return text

        return await self.edit(edit, change, expected)
