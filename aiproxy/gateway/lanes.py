"""What becomes of an upstream's bytes on their way to the client: passed on and watched, or translated.

A lane never waits and never raises: it says what to write, and what went wrong. How the bytes come and go, and when the
client sees the first of them, is `relay`'s affair.

One frame that can't be read ends the answer: what it held is lost, and a client that got the rest would take it for whole.
Frames after the protocol's own end are dropped: the client sees one end."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import chain
from typing import Protocol

from aiproxy.codecs.base import Standing
from aiproxy.codecs.codec import Codec, Exchange
from aiproxy.codecs.serializer import Serializer
from aiproxy.codecs.stops import StopSequences
from aiproxy.codecs.wire import Wire
from aiproxy.framing import Frame
from aiproxy.framing.sse import COMMENT
from aiproxy.neutral.collect import explode
from aiproxy.neutral.errors import GatewayError, UpstreamFailed, UpstreamTruncated
from aiproxy.neutral.events import (
    Heartbeat,
    ReasoningDelta,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    TextDelta,
    UsageUpdated,
)
from aiproxy.neutral.usage import Usage

ANSWER_BYTES = 64 << 20
"""Most bytes of an upstream's whole answer that are held to be changed: as much as a request may have."""


def check_answer_size(size: int) -> None:
    """Raises `UpstreamFailed`."""
    if size > ANSWER_BYTES:
        raise UpstreamFailed(f"The upstream's answer is larger than {ANSWER_BYTES >> 20} MiB, the most that is held.")


class Lane(Protocol):
    """`useful`: something the client waits for has come. `complete`: nothing that matters can be missing, however the bytes
    end. `error`: what ends it."""

    @property
    def useful(self) -> bool: ...

    @property
    def complete(self) -> bool: ...

    @property
    def ended(self) -> bool:
        """We ended it ourselves: what the upstream may still send is not wanted."""

    @property
    def error(self) -> GatewayError | None: ...

    @property
    def usage(self) -> Usage | None: ...

    @property
    def heard(self) -> int:
        """How many frames, or events, there were so far."""

    def feed(self, data: bytes) -> bytes:
        """What the client gets for these bytes; what was good of them, where `error` is set."""

    def close(self, *, clean: bool) -> bytes:
        """The end of the bytes, `clean` as far as HTTP can tell: the rest for the client, or `error`."""

    def heartbeat(self) -> bytes:
        """What tells the client, in its protocol, that the stream lives; nothing where the protocol has no word for it."""

    def fail(self, error: GatewayError) -> bytes:
        """The frames that end the client's stream with this error."""


class WatchLane:
    """The relay lane: whole frames pass byte for byte, an observer reads along."""

    ended = False

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._framer = wire.framer()
        self._observer = wire.observer()
        self._held = b""
        self._over = False  # the protocol's own end was passed on
        self.heard = 0
        self.error: GatewayError | None = None

    @property
    def useful(self) -> bool:
        return self._observer.useful

    @property
    def complete(self) -> bool:
        return self._observer.standing is Standing.COMPLETE

    @property
    def usage(self) -> Usage | None:
        return self._observer.seen.usage

    def feed(self, data: bytes) -> bytes:
        if self._over:
            return b""
        held = self._held + data if self._held else data
        good = b""
        try:
            frames = self._framer.feed(data)
            self.heard += len(frames)
            for number, frame in enumerate(frames):
                try:
                    if self._observer.feed(frame):
                        return self._end(held, frames, number + 1)
                except GatewayError:
                    good = self._rewritten(frames[:number])
                    raise
        except GatewayError as error:
            self.error = error
            return good
        whole = len(held) - self._framer.pending
        self._held = held[whole:]
        return held[:whole]

    def close(self, *, clean: bool) -> bytes:
        """The last frame may come without its end; the client gets it with one, or its parser would drop it."""
        rest = b""
        try:
            if (
                not self.useful and self._held.lstrip()[:1] == b"{"
            ):  # one object under a stream's label: an error, as a rule
                self._wire.observe(self._held)
            for frame in self._framer.close() if clean and not self._over else ():
                self._observer.feed(frame)
                rest = self._held + self._wire.frame_end if frame.data else b""
        except GatewayError as error:
            self.error = error
            return b""
        if self._observer.standing < (Standing.FINISHED if clean else Standing.COMPLETE):
            self.error = UpstreamTruncated("The upstream's stream broke off before its end.")
            return b""  # the last frame may be a part of one: deltas pass unread
        return rest

    def _end(self, held: bytes, frames: Sequence[Frame], count: int) -> bytes:
        """What the client gets of the read whose frame number `count` is the protocol's own end."""
        self._over, self._held = True, b""
        nothing_more = count == len(frames) and not self._framer.pending
        return held if nothing_more else self._rewritten(frames[:count])

    def _rewritten(self, frames: Sequence[Frame]) -> bytes:
        """Those of a read that are good, without the others."""
        return b"".join(self._wire.frame(frame.event, frame.data) for frame in frames if frame.event != COMMENT)

    def heartbeat(self) -> bytes:
        return self._wire.heartbeat

    def fail(self, error: GatewayError) -> bytes:
        return self._observer.fail(error)


class Source(Protocol):
    """An upstream's bytes as neutral events. Raises what the codec raises."""

    @property
    def ended(self) -> bool:
        """No more events will come, whatever the upstream still sends."""

    def feed(self, data: bytes) -> Iterable[StreamEvent]: ...
    def close(self, *, clean: bool) -> Iterable[StreamEvent]: ...


class FramedSource:
    """Of a stream."""

    ended = False

    def __init__(self, codec: Codec, exchange: Exchange) -> None:
        self._framer = codec.wire.framer()
        self._decoder = codec.decoder(exchange)

    def feed(self, data: bytes) -> Iterable[StreamEvent]:
        return chain.from_iterable(map(self._decoder.feed, self._framer.feed(data)))

    def close(self, *, clean: bool) -> Iterable[StreamEvent]:
        if clean:
            for frame in self._framer.close():
                yield from self._decoder.feed(frame)
        yield from self._decoder.close(clean=clean)


class BodySource:
    """Of an answer in one piece."""

    ended = False

    def __init__(self, codec: Codec, exchange: Exchange) -> None:
        self._codec = codec
        self._exchange = exchange
        self._body = bytearray()

    def feed(self, data: bytes) -> Iterable[StreamEvent]:
        self._body += data
        check_answer_size(len(self._body))
        return ()

    def close(self, *, clean: bool) -> Iterable[StreamEvent]:
        if not clean:
            raise UpstreamTruncated("The upstream's answer broke off before its end.")
        return explode(self._codec.decode_response(bytes(self._body), self._exchange))


class StoppedSource:
    """Another source's events up to a stop sequence that its upstream was not told of."""

    def __init__(self, source: Source, stops: Sequence[str]) -> None:
        self._source = source
        self._serializer = Serializer()
        self._stops = StopSequences(stops)

    @property
    def ended(self) -> bool:
        return self._stops.ended

    def feed(self, data: bytes) -> Iterable[StreamEvent]:
        return self._cut(self._source.feed(data))

    def close(self, *, clean: bool) -> Iterable[StreamEvent]:
        return self._cut(self._source.close(clean=clean))

    def _cut(self, events: Iterable[StreamEvent]) -> Iterable[StreamEvent]:
        for event in events:
            for each in self._serializer.feed(event):
                yield from self._stops.feed(each)
            if self._stops.ended:
                return


class TranslateLane:
    """The translate lane of a client that streams: bytes → events → the client's frames."""

    def __init__(self, source: Source, codec: Codec, exchange: Exchange) -> None:
        self._source = source
        self._encoder = codec.encoder(exchange)
        self.useful = False
        self.complete = False
        self.error: GatewayError | None = None
        self.usage: Usage | None = None
        self.heard = 0

    @property
    def ended(self) -> bool:
        return self._source.ended

    def feed(self, data: bytes) -> bytes:
        return self._written(partial(self._source.feed, data))

    def close(self, *, clean: bool) -> bytes:
        if self.complete:
            return b""
        rest = self._written(partial(self._source.close, clean=clean))
        if self.error is None and not self.complete:
            self.error = UpstreamTruncated("The upstream's stream broke off before its end.")
        return rest

    def heartbeat(self) -> bytes:
        return self._encoder.feed(Heartbeat())

    def fail(self, error: GatewayError) -> bytes:
        return self._encoder.fail(error)

    def _written(self, read: Callable[[], Iterable[StreamEvent]]) -> bytes:
        encode, out = self._encoder.feed, list[bytes]()
        try:
            for event in read():
                match event:
                    case TextDelta() | ReasoningDelta():
                        self.useful = True
                    case Heartbeat():
                        pass
                    case ResponseStarted() | UsageUpdated():
                        self.usage = event.usage or self.usage
                    case ResponseFinished():
                        self.usage = event.usage or self.usage
                        self.complete = self.useful = True
                    case _:
                        self.useful = True
                out.append(encode(event))
        except GatewayError as error:
            self.error = error
        self.heard += len(out)
        return b"".join(out)
