"""Recorded calls on their way to a collector: kept within a bound, encoded and posted by a thread of its own, some at a time.

No call ever waits for it. A collector that is away or too busy is asked again, after a pause that doubles, while calls are kept;
what is beyond the bound, and what a collector refuses, is dropped and counted."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from aiproxy.config.schema import TracingSettings
from aiproxy.storage.blocking_http import BlockingHttp
from aiproxy.storage.store import Unavailable
from aiproxy.storage.threads import OneThread
from aiproxy.tracing.spans import Address, spans
from aiproxy.usage import CallRecord

SEND_SECONDS = 1.0
"""Between batches: a trace is there when somebody looks for it."""

BATCH_CALLS = 256
"""Of one request: about 150 kB, and 10 ms of the thread's work."""

MOST_CALLS = 4096
"""That wait, or are under way: about 8 MB, and half a minute of a collector's restart at 100 calls a second."""

LONGEST_PAUSE = 30.0
"""Seconds between attempts at a collector that is away; the first is `SEND_SECONDS`, each later one twice as long."""

STOP_SECONDS = 2.0
"""For what waits, when the gateway stops."""

ANSWER_BYTES = 65536

AGAIN = frozenset((429, 502, 503, 504))
"""Statuses after which OTLP says to send the same again."""

PATH = "/v1/traces"

Count = Callable[[str, int], None]
"""Told how many spans were `sent` or `dropped`."""

_log = Logger("aiproxy.tracing")


class Refused(Exception):
    """Why a collector won't have a batch; sending it again would be no use."""


class Collector:
    """One address. Its methods are the thread's."""

    def __init__(self, settings: TracingSettings) -> None:
        from aiproxy.tracing import otlp  # only there if tracing is wanted

        self._otlp = otlp
        self._settings = settings
        parts = urlsplit(settings.otlp_endpoint)
        self._web = BlockingHttp(f"{parts.scheme}://{parts.netloc}")
        path = parts.path.rstrip("/")
        self._target = path if path.endswith(PATH) else path + PATH
        given = {name.lower(): secret.reveal() for name, secret in settings.headers.items()}
        self._headers = {"host": parts.netloc, **given, "content-type": "application/x-protobuf"}
        self._resource = {"service.name": settings.service_name}

    def send(self, calls: Sequence[CallRecord], offset: float, address: Address) -> int:
        """How many spans were taken. Raises `Unavailable`, `Refused`."""
        names = self._settings.conventions
        traces = [(call.trace, list(spans(call, call.trace, offset, names, address))) for call in calls if call.trace]
        body = self._otlp.encode(traces, self._resource)
        answer = self._web.send("POST", self._target, self._headers, body, ANSWER_BYTES)
        if answer.status in AGAIN:
            raise Unavailable(f"{self._web.origin} answered {answer.status}.")
        if not 200 <= answer.status < 300:
            raise Refused(f"{self._web.origin} answered {answer.status}")
        try:
            return max(0, sum(len(several) for _, several in traces) - self._otlp.rejected(answer.body))
        except ValueError:
            raise Refused(f"{self._web.origin} is no collector: its answer can't be read") from None

    def close(self) -> None:
        self._web.close()


class Export:
    """`settings` are those in effect, `offset` what lies between a record's clock and the time of day, `address` an account's."""

    def __init__(
        self,
        reactor: Any,
        settings: Callable[[], TracingSettings],
        offset: Callable[[], float],
        address: Callable[[str], tuple[str, int] | None],
        count: Count,
    ) -> None:
        self._reactor = reactor
        self._settings = settings
        self._offset = offset
        self._address = address
        self._count = count
        self._thread = OneThread(reactor, "tracing")
        self._waiting: deque[CallRecord] = deque()
        self._under_way: list[CallRecord] = []
        self._sending: Deferred[None] | None = None
        self._collector: tuple[TracingSettings, Collector] | None = None
        self._ticks = LoopingCall(self._tick)
        self._ticks.clock = reactor
        self._pause, self._not_before = SEND_SECONDS, 0.0
        self._problem = ""

    def observe(self, records: Iterable[CallRecord]) -> None:
        for record in records:
            if record.trace is None or not record.trace.span:
                continue
            if len(self._waiting) + len(self._under_way) >= MOST_CALLS:
                self._count("dropped", _spans_of(record))
            else:
                self._waiting.append(record)

    def start(self) -> None:
        self._thread.start()
        self._ticks.start(SEND_SECONDS, now=False)

    async def stop(self) -> None:
        """Send what waits, within `STOP_SECONDS`."""
        self._ticks.stop()
        with suppress(TookTooLong, CancelledError):
            await Deferred.fromCoroutine(self._send_the_rest()).addTimeout(STOP_SECONDS, self._reactor)
        if lost := sum(map(_spans_of, (*self._under_way, *self._waiting))):
            _log.warn("{count} spans were not sent", count=lost)
        self._thread.stop()

    async def _send_the_rest(self) -> None:
        if self._sending is not None:
            await self._sending
        while (self._waiting or self._under_way) and not self._problem:
            await self._send()

    def _tick(self) -> None:
        rests = self._sending is not None or self._reactor.seconds() < self._not_before
        if not rests and (self._waiting or self._under_way):
            self._sending = Deferred.fromCoroutine(self._send_all())
            self._sending.addErrback(lambda failure: _log.failure("a bug in tracing", failure))
            self._sending.addCallback(self._sent)

    def _sent(self, _: object) -> None:
        self._sending = None

    async def _send_all(self) -> None:
        """Until nothing waits that would fill a batch, or the collector won't have it."""
        await self._send()
        while len(self._waiting) >= BATCH_CALLS and not self._problem:
            await self._send()

    async def _send(self) -> None:
        settings = self._settings()
        if not settings.otlp_endpoint:  # it was taken out of the configuration
            self._drop((*self._under_way, *self._waiting))
            self._waiting.clear()
            self._under_way = []
            return
        while self._waiting and len(self._under_way) < BATCH_CALLS:
            self._under_way.append(self._waiting.popleft())
        try:
            sent = await self._thread.run(self._post, settings, self._under_way, self._offset())
        except Unavailable as away:
            self._note(str(away))
            self._not_before = self._reactor.seconds() + self._pause
            self._pause = min(self._pause * 2, LONGEST_PAUSE)
            return
        except Refused as refused:
            self._drop(self._under_way)
            self._note(f"{refused}; what it refuses is dropped")
        else:
            self._count("sent", sent)
            if lost := sum(map(_spans_of, self._under_way)) - sent:
                self._count("dropped", lost)
            self._note("")
        self._under_way, self._pause = [], SEND_SECONDS

    def _post(self, settings: TracingSettings, calls: Sequence[CallRecord], offset: float) -> int:
        """In the thread. A changed configuration has a collector of its own."""
        if self._collector is None or self._collector[0] != settings:
            if self._collector is not None:
                self._collector[1].close()
            self._collector = settings, Collector(settings)
        return self._collector[1].send(calls, offset, self._address)

    def _drop(self, calls: Sequence[CallRecord]) -> None:
        self._count("dropped", sum(map(_spans_of, calls)))

    def _note(self, problem: str) -> None:
        """Once for as long as it lasts."""
        if problem and problem != self._problem:
            _log.error("traces: {problem}", problem=problem)
        elif self._problem and not problem:
            _log.info("traces are sent again")
        self._problem = problem


def _spans_of(record: CallRecord) -> int:
    return 1 + len(record.attempts)


def address_of(base_url: str) -> tuple[str, int] | None:
    """Host and port."""
    try:
        parts = urlsplit(base_url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname and port else None
