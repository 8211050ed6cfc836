"""What the processes of one gateway know of one another's minutes and calls at a time, told over the bus.

Each tells, for each holder of such a limit, how much it has let in since it began, in all, and how many calls are under way; the
others put what is new into their own buckets. So a minute's limit, or one of calls at a time, is passed by no more than what
the others let in within `TELL_SECONDS` and a message's way, at worst by as much again for each other process. A process that
has been silent for `SILENT_SECONDS` has no calls under way."""

from contextlib import suppress
from time import time
from typing import Any

from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from aiproxy.clients import Limiter
from aiproxy.storage.bus import Bus, Message, Topic
from aiproxy.storage.state.calls import text

TELL_SECONDS = 0.1
"""Between tellings, of what has changed."""

REPEAT_SECONDS = 2.0
"""After so long what is under way is told again, so that the others know we live."""

SILENT_SECONDS = 3 * REPEAT_SECONDS

_log = Logger("aiproxy.limits")


class Paces:
    def __init__(self, reactor: Any, limiter: Limiter, bus: Bus) -> None:
        self._reactor = reactor
        self._limiter = limiter
        self._bus = bus
        self._busy: dict[str, float] = {}
        """Holders with calls under way, and when we told so last."""
        self._ticks = LoopingCall(self._tell)
        self._ticks.clock = reactor

    def start(self) -> None:
        self._bus.subscribe(Topic.COUNTER, self._heard)
        self._ticks.start(TELL_SECONDS, now=False)

    def stop(self) -> None:
        if self._ticks.running:
            self._ticks.stop()
            self._tell()

    def _tell(self) -> None:
        now = self._reactor.seconds()
        old = [holder for holder, told in self._busy.items() if now - told > REPEAT_SECONDS]
        changed, self._limiter.changed = self._limiter.changed, set()
        for holder in {*changed, *old}:
            body = self._limiter.pace(holder)
            if body["calls"]:
                self._busy[holder] = now
            else:
                self._busy.pop(holder, None)
            with suppress(ValueError):  # a holder of an absurdly long name: its limits are this process's own
                self._bus.publish(Topic.COUNTER, f"{self._bus.origin} {text(holder)}", body)

    def _heard(self, message: Message) -> None:
        process, _, holder = message.key.partition(" ")
        match message.body:
            case {"requests": int(requests), "tokens": int(tokens), "calls": int(calls)}:
                told = {"requests": requests, "tokens": tokens, "calls": calls}
                now = time()
                self._limiter.hear(process, holder, told, now, now + SILENT_SECONDS)
            case _:
                _log.warn("a message about limits was not understood; another version of aiproxy is on the bus")
