"""An upstream that pauses in the middle of a turn (Anthropic's `pause_turn`, after many searches of its own), for clients
whose protocol has no word for that: it gets back what it said so far and goes on, and the client sees one answer.

Not a retry: nothing is said twice, and what fails on the way ends the answer as any fault in its middle does."""

from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IPushProducer
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from zope.interface import implementer

from aiproxy.gateway.lanes import Source
from aiproxy.gateway.relay import Relay
from aiproxy.neutral.events import (
    CandidateFinished,
    Heartbeat,
    PartFinished,
    RawEvent,
    ReasoningDelta,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    TextDelta,
    ToolCallArgumentsDelta,
    UsageUpdated,
)
from aiproxy.neutral.parts import Part
from aiproxy.neutral.usage import Usage
from aiproxy.transports.base import Response

MOST_PAUSES = 10
"""Times that one answer goes on: each time the model may have searched ten times already. Then the client gets what there is."""

_MOST = frozenset((TextDelta, ReasoningDelta, ToolCallArgumentsDelta))
"""Events that nothing is to be learned from: nearly all of a stream."""

GoesOn: TypeAlias = Callable[[tuple[Part, ...]], Coroutine[Any, Any, Response]]
"""What was said so far → the answer that goes on from there. Raises `GatewayError`."""


class PausingSource:
    """The events of an answer and of those that go on from it, as one's; `begin` makes the source of each."""

    def __init__(self, begin: Callable[[], Source]) -> None:
        self._begin = begin
        self._source = begin()
        self._pauses = 0
        self._pausing = False
        self._before = Usage()  # of the answers that are over
        self._usage = Usage()
        self.paused = False
        self.parts: tuple[Part, ...] = ()
        """All that was said so far."""

        self._offset = 0

    @property
    def ended(self) -> bool:
        return self._source.ended

    def feed(self, data: bytes) -> Iterable[StreamEvent]:
        return self._joined(self._source.feed(data))

    def close(self, *, clean: bool) -> Iterable[StreamEvent]:
        return self._joined(self._source.close(clean=clean))

    def go_on(self) -> None:
        """The next bytes are those of another answer."""
        self.paused = self._pausing = False
        self._pauses += 1
        self._before = self._usage
        self._offset = len(self.parts)
        self._source = self._begin()

    def _joined(self, events: Iterable[StreamEvent]) -> Iterator[StreamEvent]:
        for event in events:
            if type(event) in _MOST and not self._offset:
                yield event
                continue
            match event:
                case ResponseStarted():
                    if not self._pauses:
                        yield event
                case UsageUpdated(usage):
                    self._usage = self._before.plus(usage)
                    yield UsageUpdated(self._usage)
                case CandidateFinished(finish="pause") if self._pauses < MOST_PAUSES:
                    self._pausing = True
                case ResponseFinished(usage):
                    if usage is not None:
                        self._usage = self._before.plus(usage)
                    if self._pausing:
                        self.paused = True
                        return
                    yield replace(event, usage=self._usage) if self._pauses else event
                case CandidateFinished() | Heartbeat() | RawEvent():
                    yield event
                case _:
                    if isinstance(event, PartFinished):
                        self.parts = (*self.parts, event.part)
                    yield replace(event, part_index=event.part_index + self._offset) if self._offset else event


@implementer(IPushProducer)
class PausingResponse:
    """A response whose body goes on with the next one's as long as its source pauses: the transport of its relay."""

    def __init__(self, response: Response, source: PausingSource, go_on: GoesOn) -> None:
        self._response = response
        self._source = source
        self._go_on = go_on
        self._relay: Relay | None = None
        self._part: _Part | None = None
        self._awaited: Deferred[Response] | None = None
        self._held = False
        self._over = False

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    def deliver(self, body: IProtocol) -> None:
        assert isinstance(body, Relay)
        self._relay = body
        body.makeConnection(self)
        self._read(self._response)

    def abort(self) -> None:
        self._response.abort()

    def _read(self, response: Response) -> None:
        self._part = _Part(self)
        response.deliver(self._part)
        if self._held:
            self._part.pause()

    # -- of the response that is read now

    def received(self, data: bytes) -> None:
        assert self._relay is not None
        self._relay.dataReceived(data)
        if self._source.paused and not self._over and self._part is not None:
            part, self._part = self._part, None
            part.abort()  # it has said all it had to say
            self._awaited = Deferred.fromCoroutine(self._go_on(self._source.parts))
            self._awaited.addCallbacks(self._goes_on, self._failed)

    def lost(self, reason: Failure) -> None:
        assert self._relay is not None
        relay, self._relay, self._part = self._relay, None, None  # who reads us knows us: nothing is left in a circle
        relay.connectionLost(reason)

    def _goes_on(self, response: Response) -> None:
        self._awaited = None
        self._source.go_on()
        self._read(response)

    def _failed(self, failure: Failure) -> None:
        self._awaited = None
        if not self._over:
            assert self._relay is not None
            self._relay.break_off(failure)

    # -- the relay's side

    def pauseProducing(self) -> None:
        self._held = True
        if self._part is not None:
            self._part.pause()

    def resumeProducing(self) -> None:
        self._held = False
        if self._part is not None:
            self._part.resume()

    def stopProducing(self) -> None:
        self.abortConnection()

    def abortConnection(self) -> None:
        self._over = True
        part, self._part = self._part, None
        if part is not None:
            part.abort()
        if self._awaited is not None:
            self._awaited.cancel()


class _Part(Protocol):
    """The reader of one response, as long as it is the one that is read."""

    def __init__(self, whole: PausingResponse) -> None:
        self._whole: PausingResponse | None = whole

    def dataReceived(self, data: bytes) -> None:
        if self._whole is not None:
            self._whole.received(data)

    def connectionLost(self, reason: Failure = Failure(ConnectionError())) -> None:  # noqa: B008
        if self._whole is not None:
            self._whole.lost(reason)

    def pause(self) -> None:
        if self.transport is not None:
            self.transport.pauseProducing()  # type: ignore[attr-defined]

    def resume(self) -> None:
        if self.transport is not None:
            self.transport.resumeProducing()  # type: ignore[attr-defined]

    def abort(self) -> None:
        self._whole = None
        if self.transport is not None:
            self.transport.abortConnection()  # type: ignore[attr-defined]
