"""The beginning of a client's stream while there is nothing yet to fill it with: accounts are waited for, connected to, or
think. Proxies in front of us and people take a long silence for death, so after a while the client gets status, headers
and signs of life. Nothing of an answer is in them: another account may still give it."""

from twisted.internet.interfaces import IDelayedCall, IReactorTime

from aiproxy.codecs.codec import Codec
from aiproxy.gateway.call import Call, Sink
from aiproxy.neutral.errors import GatewayError

OPENING_SECONDS = 10.0
"""Longest time a stream's status and headers are held back, so that an error can still have a status of its own: proxies in
front of us give up at 60 s, people earlier."""

KEEP_ALIVE_SECONDS = 15.0
"""Silence after which a stream says that it lives: a quarter of what nginx and AWS load balancers wait."""

STREAM_HEADERS = {"cache-control": "no-cache", "x-accel-buffering": "no"}
"""Without the second nginx holds a stream back until it has a buffer full."""


class Opening:
    """Runs until the call is `committed`, when the stream's relay takes over, or `close`."""

    def __init__(self, call: Call, codec: Codec, sink: Sink, clock: IReactorTime) -> None:
        self._call = call
        self._codec = codec
        self._sink = sink
        self._clock = clock
        self._pulse: IDelayedCall | None = clock.callLater(OPENING_SECONDS, self._beat)

    def fail(self, error: GatewayError) -> None:
        """Tell it in the stream, if it has begun and nobody else could."""
        continuation = self._call.continuation
        if continuation is not None and continuation.waiting:
            self._sink.write(continuation.lane.fail(error))
        elif self._call.opened and not self._call.committed:
            self._sink.write(self._call.wire.observer().fail(error))

    def close(self) -> None:
        if self._pulse is not None:
            self._pulse.cancel()
            self._pulse = None

    def _beat(self) -> None:
        self._pulse = None
        if self._call.committed:
            return
        if not self._call.opened:
            self._call.opened = True
            self._sink.start(
                200, {"content-type": self._codec.stream_content_type, **STREAM_HEADERS, **self._call.told}
            )
        self._sink.write(self._call.wire.opening)
        self._pulse = self._clock.callLater(KEEP_ALIVE_SECONDS, self._beat)
