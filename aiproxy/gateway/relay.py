"""The relay lane: one upstream body → one client answer, byte for byte, pushed. No Deferred and no task per event.

`StreamRelay` holds status and the first frames back until something useful has come (the prologue), so that an error
there can still fail over; then it writes whole frames, so that an error event can follow at any time. `WholeRelay`
holds a whole answer back up to a limit for the same reason. Neither ends cleanly what its protocol calls incomplete.
"""

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from zope.interface import implementer

from aiproxy.gateway.call import Call, Sink
from aiproxy.neutral.errors import GatewayError, Timeout, UpstreamFailed, UpstreamTruncated
from aiproxy.neutral.usage import Usage
from aiproxy.secrets import Scrubber

PROLOGUE_SECONDS = 10.0
"""Longest time a stream's first frames are held back: proxies in front of us give up at 60 s, people earlier."""

PROLOGUE_BYTES = 65536
"""Most bytes of a stream that are held back."""

WHOLE_BYTES = 1 << 20
"""Most bytes of an answer that isn't a stream that are held back until it is complete."""


STREAM_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}
"""Without the second nginx holds a stream back until it has a buffer full."""


@dataclass(frozen=True, slots=True)
class Head:
    """An upstream answer's status and headers, the headers of ours, and when the request was sent (clock seconds)."""

    status: int
    upstream: Mapping[str, str]
    headers: Mapping[str, str]
    sent: float

    def for_client(self, received: float, now: float, more: Mapping[str, str]) -> dict[str, str]:
        """`received` is when the client's request came in: what passed until `sent` was ours."""
        timing = f"gateway;dur={(self.sent - received) * 1000:.1f}, upstream;dur={(now - self.sent) * 1000:.1f}"
        kept = {"content-type": self.upstream.get("content-type", "application/json"), "server-timing": timing}
        return {**kept, **self.headers, **more}


@implementer(IPushProducer)
class Relay(Protocol):
    """What both have in common: the idle deadline, back-pressure, and one end. `done` fires when the answer is complete
    and fails with the `GatewayError` of what went wrong."""

    def __init__(self, call: Call, sink: Sink, head: Head, clock: IReactorTime, idle: float, scrub: Scrubber) -> None:
        self._call = call
        self._sink = sink
        self._head = head
        self._clock = clock
        self._idle = idle
        self._scrub = scrub
        self._alarm: IDelayedCall | None = None
        self._inflate = _inflater(head.upstream.get("content-encoding", ""))
        self._ended = False
        self.usage: Usage | None = None
        self.done: Deferred[None] = Deferred(lambda _: None)

    # -- the upstream's side

    def connectionMade(self) -> None:
        if self._idle:
            self._alarm = self._clock.callLater(self._idle, self._stalled)

    def dataReceived(self, data: bytes) -> None:
        if self._ended:
            return
        if self._alarm is not None:
            self._alarm.reset(self._idle)
        try:
            self.received(self._inflate(data) if self._inflate else data)
        except GatewayError as error:
            self.fail(error)
        except zlib.error:
            self.fail(UpstreamFailed("The upstream's compressed answer is damaged."))

    def connectionLost(self, reason: Failure = Failure(ResponseDone())) -> None:  # noqa: B008
        if self._ended:
            return
        try:
            self.closed(clean=reason.check(ResponseDone, PotentialDataLoss) is not None)
        except GatewayError as error:
            self.fail(error)

    def received(self, data: bytes) -> None:
        raise NotImplementedError

    def closed(self, *, clean: bool) -> None:
        """The body ended; `clean` as far as HTTP can tell. Calls `finish` or raises."""
        raise NotImplementedError

    # -- the client's side

    def commit(self, headers: Mapping[str, str]) -> None:
        now = self._clock.seconds()
        self._call.committed = True
        self._call.record.first_byte = now
        self._sink.start(self._head.status, self._head.for_client(self._call.record.started, now, headers))
        self._sink.register(self)

    def pauseProducing(self) -> None:
        """The client reads slower than the upstream writes: silence is ours, so the idle deadline stops."""
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if not self._ended and self.transport is not None:
            self.transport.pauseProducing()  # type: ignore[attr-defined]

    def resumeProducing(self) -> None:
        if not self._ended and self.transport is not None:
            if self._idle:
                self._alarm = self._clock.callLater(self._idle, self._stalled)
            self.transport.resumeProducing()  # type: ignore[attr-defined]

    def stopProducing(self) -> None:
        """The client's connection is gone. The call's cancellation follows; nothing is to be waked here."""

    # -- the end

    def finish(self) -> None:
        self._end()
        self.done.callback(None)

    def fail(self, error: GatewayError) -> None:
        """End with an error: ours to render if nothing was committed, else told to the client as the protocol can."""
        if self._ended:
            return
        error.message = self._scrub(error.message)
        if self._call.committed:
            self.tell(error)
        self._end()
        self._abort()
        self.done.errback(error)

    def abandon(self, reason: GatewayError | None) -> None:
        """The call was cancelled: by the client's leaving (None), or for a reason the client should hear."""
        if self._ended:
            return
        if reason is not None and self._call.committed:
            self.tell(reason)
        self._end()
        self._abort()

    def tell(self, error: GatewayError) -> None:
        """Let a client that has a part of the answer know that the rest won't come."""
        raise NotImplementedError

    def _stalled(self) -> None:
        self._alarm = None
        self.fail(
            Timeout(f"The upstream sent nothing for {self._idle:g} s in the middle of its answer (timeouts.idle).")
        )

    def _end(self) -> None:
        self._ended = True
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if self._call.committed:
            self._sink.unregister()

    def _abort(self) -> None:
        if self.transport is not None:
            self.transport.abortConnection()  # type: ignore[attr-defined]


class StreamRelay(Relay):
    def __init__(self, call: Call, sink: Sink, head: Head, clock: IReactorTime, idle: float, scrub: Scrubber) -> None:
        super().__init__(call, sink, head, clock, idle, scrub)
        self._observer = call.wire.observer()
        self._framer = call.wire.framer()
        self._held = b""
        self._prologue: IDelayedCall | None = clock.callLater(PROLOGUE_SECONDS, self._waited)

    def received(self, data: bytes) -> None:
        held = self._held + data if self._held else data
        for frame in self._framer.feed(data):
            self._observer.feed(frame)
        if self._call.committed:
            self._write(held)
        elif self._observer.useful or len(held) > PROLOGUE_BYTES:
            self._begin(held)
        else:
            self._held = held

    def closed(self, *, clean: bool) -> None:
        """An end mark makes a stream complete, whatever became of the connection after it."""
        held = self._held
        if clean:
            for frame in self._framer.close():
                self._observer.feed(frame)
        if not self._observer.complete:
            raise UpstreamTruncated("The upstream's stream broke off before its end.")
        if not self._call.committed:
            self._begin(held)
        self._sink.write(self._held)
        self.usage = self._observer.seen.usage
        self.finish()

    def tell(self, error: GatewayError) -> None:
        self._sink.write(self._observer.fail(error))

    def _begin(self, held: bytes) -> None:
        self.commit(STREAM_HEADERS)
        self._write(held)

    def _write(self, held: bytes) -> None:
        """Whole frames only: what is cut off stays here until its rest comes."""
        whole = len(held) - self._framer.pending
        self._held = held[whole:]
        if whole:
            self._sink.write(held[:whole])

    def _waited(self) -> None:
        self._prologue = None
        if not self._ended and not self._call.committed:
            self._begin(self._held)

    def _end(self) -> None:
        super()._end()
        self.usage = self._observer.seen.usage
        if self._prologue is not None and self._prologue.active():
            self._prologue.cancel()


class WholeRelay(Relay):
    """An answer in one piece. Past the limit it flows through, and a cut can only be told by cutting, too."""

    def __init__(self, call: Call, sink: Sink, head: Head, clock: IReactorTime, idle: float, scrub: Scrubber) -> None:
        super().__init__(call, sink, head, clock, idle, scrub)
        self._held: list[bytes] = []
        self._size = 0

    def received(self, data: bytes) -> None:
        if self._call.committed:
            self._sink.write(data)
            return
        self._held.append(data)
        self._size += len(data)
        if self._size > WHOLE_BYTES:
            self.commit({})
            self._sink.write(b"".join(self._held))
            self._held.clear()

    def closed(self, *, clean: bool) -> None:
        if not clean:
            raise UpstreamTruncated("The upstream's answer broke off before its end.")
        if not self._call.committed:
            body = b"".join(self._held)
            self.usage = self._call.wire.observe(body).usage
            self.commit({"content-length": str(len(body))})
            self._sink.write(body)
        self.finish()

    def tell(self, error: GatewayError) -> None:  # noqa: ARG002 - a JSON body has no place for an error
        self._sink.abort()


def _inflater(encoding: str) -> Callable[[bytes], bytes] | None:
    """Identity is asked for; what is sent compressed all the same is passed on plain, since it has to be read here."""
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return None
    return zlib.decompressobj(wbits=47).decompress
