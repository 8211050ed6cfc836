"""One upstream body → one client answer, pushed. No Deferred and no task per event.

Each relay holds the answer back until it is safe to begin: a stream until something useful has come (`stream_relay`), a whole answer
until it is complete or too large to hold (`whole_relays`). An error before that can still fail over; one after it is told to the client
as its protocol can. None ends cleanly what its protocol calls incomplete.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from zope.interface import implementer

from aiproxy.codecs.base import Answer
from aiproxy.gateway.call import Call, Sink
from aiproxy.neutral.errors import GatewayError, Internal, Timeout
from aiproxy.neutral.usage import Usage
from aiproxy.transports.body import inflater

LINGER_SECONDS = 2.0
"""How long a stream may stay silent after its protocol's end before we close it: time enough for late usage."""


@dataclass(frozen=True, slots=True)
class Head:
    """An upstream answer's status and headers, the headers of ours, and when the request was sent (clock seconds)."""

    status: int
    upstream: Mapping[str, str]
    headers: Mapping[str, str]
    sent: float

    def for_client(self, call: Call, now: float, more: Mapping[str, str]) -> dict[str, str]:
        """What passed until the request was sent was ours."""
        headers = {"content-type": self.upstream.get("content-type", "application/json")}
        if call.client.told:
            ours, theirs = self.sent - call.record.started, now - self.sent
            headers["server-timing"] = f"gateway;dur={ours * 1000:.1f}, upstream;dur={theirs * 1000:.1f}"
        return {**headers, **self.headers, **more}


def nothing() -> None:
    """For who need not be told."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What every relay stands in. `idle` is seconds, 0 for no limit. `worked` is told when the answer begins."""

    call: Call
    sink: Sink
    head: Head
    clock: IReactorTime
    idle: float
    scrub: Callable[[str], str]
    worked: Callable[[], None] = nothing


@implementer(IPushProducer)
class Relay(Protocol):
    """What all have in common: the idle deadline, back-pressure, and one end. `done` fires when the answer is complete
    and fails with the `GatewayError` of what went wrong."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._alarm: IDelayedCall | None = None
        self._patience = setting.idle
        self._inflate = inflater(setting.head.upstream)
        self._ended = False
        self.size = 0
        """Bytes that came of the answer's body."""
        self.done: Deferred[None] = Deferred(lambda _: None)

    @property
    def usage(self) -> Usage | None:
        """What the answer is known to have used, so far."""
        raise NotImplementedError

    @property
    def heard(self) -> int:
        """How many frames came of a stream; 0 of an answer in one piece."""
        return 0

    @property
    def committed(self) -> bool:
        return self._setting.call.committed

    # -- the upstream's side

    def connectionMade(self) -> None:
        self._wind()

    def dataReceived(self, data: bytes) -> None:
        if self._ended:
            return
        if self._alarm is not None:
            self._alarm.reset(self._patience)
        self.size += len(data)
        self._guard(self._unpack, data)

    def connectionLost(self, reason: Failure = Failure(ResponseDone())) -> None:  # noqa: B008
        if not self._ended:
            self._close(clean=reason.check(ResponseDone, PotentialDataLoss) is not None)

    def _unpack(self, data: bytes) -> None:
        self.received(self._inflate(data))

    def received(self, data: bytes) -> None:
        raise NotImplementedError

    def closed(self, *, clean: bool) -> None:
        """The body ended; `clean` as far as HTTP can tell. Calls `finish` or raises."""
        raise NotImplementedError

    def stalled(self) -> None:
        """Nothing came for as long as we wait."""
        told = f"The upstream sent nothing for {self._patience:g} s in the middle of its answer (timeouts.idle)."
        self.fail(Timeout(told))

    def wait_at_most(self, seconds: float) -> None:
        """From now on this is the longest silence."""
        if not self._patience or seconds < self._patience:
            self._patience = seconds
            self._unwind()
            self._wind()

    def _close(self, *, clean: bool) -> None:
        self._guard(lambda _: self.closed(clean=clean), b"")

    def _guard(self, step: Callable[[bytes], None], data: bytes) -> None:
        """What is wrong with the answer ends it; so does a bug of ours, or the client would wait for ever."""
        try:
            step(data)
        except GatewayError as error:
            self.fail(error)
        except Exception:  # noqa: BLE001 - logged, with its traceback, by whoever renders it
            self._collapse(Failure())

    def break_off(self, failure: Failure) -> None:
        """What was to go on doesn't."""
        if isinstance(failure.value, GatewayError):
            self.fail(failure.value)
        else:
            self._collapse(failure)

    # -- the client's side

    def commit(self, headers: Mapping[str, str]) -> None:
        call, head = self._setting.call, self._setting.head
        now = self._setting.clock.seconds()
        call.committed = True
        call.record.first_byte = now
        self._setting.worked()
        told = head.for_client(call, now, headers)
        if not call.opened:
            self._setting.sink.start(head.status, told)
        elif late := ", ".join(f"{name}: {value}" for name, value in told.items() if name.startswith("x-aiproxy-")):
            self._setting.sink.write(call.wire.remark(late))  # the headers have gone long since
        self._setting.sink.register(self)

    def pauseProducing(self) -> None:
        """The client reads slower than the upstream writes: silence is ours, so the idle deadline stops."""
        self._unwind()
        if not self._ended and self.transport is not None:
            self.transport.pauseProducing()  # type: ignore[attr-defined]

    def resumeProducing(self) -> None:
        if not self._ended and self.transport is not None:
            self._wind()
            self.transport.resumeProducing()  # type: ignore[attr-defined]

    def stopProducing(self) -> None:
        """The client's connection is gone. The call's cancellation follows; nothing is to be waked here."""

    def answer(self, answer: Answer) -> None:
        """The client's whole answer, at once."""
        length = {"content-type": answer.content_type, "content-length": str(len(answer.body))}
        self.commit({**answer.headers, **length})
        self._setting.sink.write(answer.body)
        self.finish()

    # -- the end

    def finish(self) -> None:
        self._end()
        self.done.callback(None)

    def fail(self, error: GatewayError) -> None:
        """End with an error: ours to render if nothing was committed, else told to the client as the protocol can."""
        if self._ended:
            return
        error.message = self._setting.scrub(error.message)
        if self.committed:
            continuation = self._setting.call.continuation
            if continuation is not None and continuation.possible:
                continuation.waiting = True
            else:
                self.tell(error)
        self._end()
        self._abort()
        self.done.errback(error)

    def _collapse(self, bug: Failure) -> None:
        if self._ended:
            return
        if self.committed:
            self.tell(Internal("Something went wrong inside the gateway; its log knows more."))
        self._end()
        self._abort()
        self.done.errback(bug)

    def abandon(self, reason: GatewayError | None) -> None:
        """The call was cancelled: by the client's leaving (None), or for a reason the client should hear."""
        if self._ended:
            return
        if reason is not None and self.committed:
            self.tell(reason)
        self._end()
        self._abort()

    def tell(self, error: GatewayError) -> None:
        """Let a client that has a part of the answer know that the rest won't come."""
        raise NotImplementedError

    def _wind(self) -> None:
        if self._patience and self._alarm is None:
            self._alarm = self._setting.clock.callLater(self._patience, self._rang)

    def _unwind(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _rang(self) -> None:
        self._alarm = None
        self.stalled()

    def _end(self) -> None:
        self._ended = True
        self._unwind()
        if self.committed:
            self._setting.sink.unregister()

    def _abort(self) -> None:
        if self.transport is not None:
            self.transport.abortConnection()  # type: ignore[attr-defined]
