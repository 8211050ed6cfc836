"""The configuration in use, and how another one takes its place: read when somebody asks, and handed on when it is good. Whatever is wrong
with it, the old one stays."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from time import time

from twisted.internet.defer import CancelledError, Deferred
from twisted.logger import Logger

from aiproxy.config import Configuration, ConfigurationInvalid, render_problems
from aiproxy.credentials.files import Files
from aiproxy.gateway import Snapshot
from aiproxy.secrets import digest
from aiproxy.storage.source import Loaded
from aiproxy.storage.store import StoreError

_log = Logger("aiproxy.service")


@dataclass(frozen=True, slots=True)
class InUse:
    """The configuration in use: when it was taken over (seconds since the epoch), what names it, and what is wrong with the latest
    one that was tried."""

    loaded: Loaded
    at: float
    hash: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Steps:
    """What a reload is made of. `load` and `build` raise what is wrong. `ours` tells whether this version of a credential was written
    here. `take_over` is told what was in use before; `failed` is told why nothing is taken over, and tells that as it may be shown."""

    load: Callable[[], Awaitable[tuple[Files, Loaded]]]
    build: Callable[[Configuration, Files], Snapshot]
    ours: Callable[[str, str], bool]
    take_over: Callable[[Loaded, Files, Snapshot], object]
    failed: Callable[[str], str]


class Reloading:
    def __init__(self, loaded: Loaded, steps: Steps) -> None:
        self.in_use = _from_now_on(loaded)
        self._steps = steps
        self._running = self._again = self._stopped = False
        self._waiting: list[Deferred[None]] = []

    @property
    def configuration(self) -> Configuration:
        return self.in_use.loaded.configuration

    def ask(self) -> None:
        """Load again, one at a time; whatever is asked for meanwhile comes after it, once."""
        if self._stopped:
            return
        self._again = True
        if not self._running:
            self._running = True
            Deferred.fromCoroutine(self._run())

    async def taken_over(self) -> str:
        """What is kept now is in use when this ends; else why it is not."""
        self.ask()
        if self._running:
            loaded: Deferred[None] = Deferred()
            self._waiting.append(loaded)
            await loaded
        return self.in_use.problem

    def tried(self, problem: str) -> None:
        """A part of it, which is tried afterwards, could not be taken over ("": it was)."""
        self.in_use = replace(self.in_use, problem=problem)

    def stop(self) -> None:
        self._stopped = True

    async def _run(self) -> None:
        try:
            while self._again:
                self._again = False
                await self._once()
        finally:
            self._running = False
            waiting, self._waiting = self._waiting, []
            for each in waiting:
                each.callback(None)

    async def _once(self) -> None:
        try:
            files, loaded = await self._steps.load()
            if self._only_our_own(loaded):
                self.in_use = replace(self.in_use, loaded=loaded)
                return
            snapshot = self._steps.build(loaded.configuration, files)
        except CancelledError:
            raise
        except ConfigurationInvalid as invalid:
            self._failed(render_problems(invalid.problems).strip())
        except (StoreError, OSError) as error:
            self._failed(str(error))
        except Exception as error:  # noqa: BLE001 - a plugin that fails: nothing ends the watch
            _log.failure("the configuration could not be taken over")
            self._failed(f"{type(error).__name__}: {error}")
        else:
            before = self.in_use.loaded
            self._tell_changes(loaded)
            self.in_use = _from_now_on(loaded)
            self._steps.take_over(before, files, snapshot)

    def _failed(self, why: str) -> None:
        self.tried(self._steps.failed(why))
        _log.error("configuration not reloaded, the old one stays:\n{problems}", problems=why)

    def _only_our_own(self, loaded: Loaded) -> bool:
        """Whether nothing has changed but tokens that were renewed here, which are in use already."""
        before = self.in_use.loaded
        old, new = before.credentials, loaded.credentials
        if loaded.configuration != before.configuration or loaded.refused != before.refused:
            return False
        changed = [name for name, entry in new.items() if name not in old or old[name].version != entry.version]
        return (
            bool(changed)
            and old.keys() == new.keys()
            and all(self._steps.ours(name, new[name].version) for name in changed)
        )

    def _tell_changes(self, loaded: Loaded) -> None:
        old, new = self.in_use.loaded.credentials, loaded.credentials
        for name in sorted(old.keys() | new.keys()):
            if name not in old:
                _log.info("credential {name} was added", name=name)
            elif name not in new:
                _log.info("credential {name} is gone", name=name)
            elif old[name].version != new[name].version and not self._steps.ours(name, new[name].version):
                _log.info("credential {name} has changed", name=name)


def _from_now_on(loaded: Loaded) -> InUse:
    return InUse(loaded, time(), _hash(loaded.configuration))


def _hash(configuration: Configuration) -> str:
    """Of all that is in effect, secrets included: nodes that show the same one are configured alike."""
    secrets = (secret.reveal() for secret in configuration.secrets)
    return digest(repr(configuration.settings), *secrets)[:12]
