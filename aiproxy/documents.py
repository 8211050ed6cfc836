"""The gateway's documents at run time: its configuration and credentials, loaded in a thread, watched, and vouched for."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from aiproxy.config import Configuration
from aiproxy.storage.documents import CONFIGURATION
from aiproxy.storage.encryption import EncryptedStore, Key
from aiproxy.storage.source import Loaded, Source
from aiproxy.storage.store import Change, Condition, Contents, Entry, Past
from aiproxy.storage.threads import OneThread
from aiproxy.storage.watch import FileWatch, StoreWatch
from aiproxy.web.ops import Check

LOOK_SECONDS = 2.0
"""How often the log may hear of the store: an indexed query of microseconds."""

T = TypeVar("T")

_log = Logger("aiproxy.documents")


class Documents:
    """`changed` is called, in the reactor's thread, when there is a reason to load again."""

    def __init__(self, reactor: Any, source: Source, changed: Callable[[], object]) -> None:
        self._reactor = reactor
        self._source = source
        self._changed = changed
        self._thread = OneThread(reactor, "aiproxy-documents")
        self._files = FileWatch(reactor, changed)
        self._store: EncryptedStore | None = None
        self._watching = True
        self._watch: StoreWatch | None = None
        self._logged = Condition("")
        self.timed: Callable[[str, float], None] = lambda _operation, _seconds: None
        """Told of each `load`, `read` and `save`, with its seconds."""
        self.configured: Callable[[bytes, Change], object] = lambda _body, _change: None
        """Told of each configuration that was saved from here."""
        self._look = LoopingCall(self._log_condition)
        self._look.clock = reactor

    def start(self, loaded: Loaded) -> None:
        """After a daemon has left its terminal: neither threads nor an open mirror survive that."""
        self._store = self._source.open()
        self._watch = StoreWatch(self._reactor, self._store, self._store_changed)
        self._thread.start()
        self._files.start()
        self._files.follow(self._source.followed(loaded))
        self._watch.start()
        self._look.start(LOOK_SECONDS)

    async def load(self) -> Loaded:
        """As `Source.load`."""
        assert self._store is not None
        self._files.mark()
        return await self._timed("load", self._source.load, self._store)

    async def judge(self, text: str) -> Configuration:
        """As `Source.judge`."""
        assert self._store is not None
        return await self._thread.run(self._source.judge, text, self._store)

    async def work(self, do: Callable[..., T], *arguments: Any) -> T:
        """For what takes long, of a text of thousands of lines."""
        return await self._thread.run(do, *arguments)

    async def read(self, name: str) -> Entry | None:
        """One document as it is now, also if another process wrote it. Raises `StoreError`."""
        return (await self.contents()).entries.get(name)

    async def contents(self) -> Contents:
        """As `Store.load`."""
        assert self._store is not None
        return await self._timed("read", self._store.load)

    async def save(self, name: str, body: bytes, expected: str | None, change: Change) -> str:
        """As `Store.save`."""
        assert self._store is not None
        version = await self._timed("save", self._store.save, name, body, expected, change)
        if name == CONFIGURATION:
            self.configured(body, change)
        return version

    async def past(self, most: int, most_bytes: int) -> Sequence[Past] | None:
        """As `Store.past`, of the configuration."""
        assert self._store is not None
        return await self._timed("read", self._store.past, CONFIGURATION, most, most_bytes)

    @property
    def keys(self) -> tuple[Key, ...]:
        """As `Source.keys`."""
        return self._source.keys()

    @property
    def place(self) -> str:
        """As `Source.place`."""
        assert self._store is not None
        return self._source.place(self._store)

    async def _timed(self, operation: str, do: Callable[..., T], *arguments: Any) -> T:
        began = self._reactor.seconds()
        try:
            return await self._thread.run(do, *arguments)
        finally:
            self.timed(operation, self._reactor.seconds() - began)

    async def delete(self, name: str, expected: str, change: Change) -> None:
        """As `Store.delete`."""
        assert self._store is not None
        await self._timed("delete", self._store.delete, name, expected, change)

    def follow(self, loaded: Loaded) -> None:
        """What was loaded is in use from now on."""
        self._files.follow(self._source.followed(loaded))

    def _store_changed(self) -> None:
        if self._watching:
            self._changed()

    def stop_watching(self) -> None:
        self._watching = False
        self._files.stop()
        if self._look.running:
            self._look.stop()

    def stop(self) -> None:
        """After the last save."""
        if self._watch is not None:
            self._thread.stop()
            self._watch.stop()
        self._store = None

    def _log_condition(self) -> None:
        """What has become of the store since the last look. Whoever missed it finds it at `/readyz?verbose`."""
        assert self._store is not None
        now, before = self._store.condition(), self._logged
        self._logged = now
        if now.problem and now.problem != before.problem:
            _log.warn("store: {problem} The mirror serves meanwhile, and keeps what is changed.", problem=now.problem)
        if before.problem and not now.problem:
            _log.info("store: {place} is back", place=now.place)
        known = {each.number for each in before.conflicts}
        for conflict in now.conflicts:
            if conflict.number not in known:
                _log.error(
                    "store: {name} was changed here and elsewhere (conflict {number}): `aiproxy-config store check` shows "
                    "both, `store resolve` chooses",
                    name=conflict.name,
                    number=conflict.number,
                )

    @property
    def condition(self) -> Condition | None:
        """Of the store; None where there is none."""
        return None if self._store is None else self._store.condition()

    def checks(self, loaded: Loaded, unusable: Mapping[str, str]) -> Iterator[Check]:
        """`unusable` are credentials that the store takes and their vendors or providers don't, with the reasons."""
        if condition := self.condition:
            yield Check("store", not (condition.problem or condition.conflicts), _words(condition), vital=False)
        bad = {**loaded.refused, **unusable}
        refused = "".join(f"; {name} {why}" for name, why in sorted(bad.items()))
        used = len(loaded.credentials.keys() - unusable.keys())
        yield Check("credentials", not bad, f"{used} loaded{refused}", vital=False)


def _words(condition: Condition) -> str:
    parts = [condition.place]
    if condition.age is not None:
        parts.append(f"mirror {condition.age:.0f} s old")
        parts.append(f"{condition.unpushed} unpushed")
    if condition.conflicts:
        parts.append("in conflict: " + ", ".join(f"{each.name} (#{each.number})" for each in condition.conflicts))
    if condition.problem:
        parts.append(condition.problem)
    return "; ".join(parts)
