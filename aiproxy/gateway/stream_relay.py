"""A stream on its way to the client: held back until something useful has come (the prologue; how long its client may wait for a sign of
life is `opening`'s affair), then written as it comes, with heartbeats while nothing does."""

from twisted.internet.interfaces import IDelayedCall

from aiproxy.gateway.lanes import Lane
from aiproxy.gateway.opening import KEEP_ALIVE_SECONDS, STREAM_HEADERS
from aiproxy.gateway.relay import LINGER_SECONDS, Relay, Setting
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.usage import Usage

PROLOGUE_BYTES = 65536
"""Most bytes of a stream that are held back."""


class StreamRelay(Relay):
    """A stream through a lane. What the lane gives is held back until it is useful, then written as it comes."""

    def __init__(self, setting: Setting, lane: Lane) -> None:
        super().__init__(setting)
        self._lane = lane
        self._held = b""
        self._pulse: IDelayedCall | None = None

    @property
    def usage(self) -> Usage | None:
        return self._lane.usage

    @property
    def heard(self) -> int:
        return self._lane.heard

    def connectionMade(self) -> None:
        super().connectionMade()
        if self.committed:
            self._resume()

    def received(self, data: bytes) -> None:
        self._take(self._lane.feed(data))
        if self._lane.ended:
            self._close(clean=False)
            self._abort()
        elif self._lane.complete:
            self.wait_at_most(LINGER_SECONDS)

    def closed(self, *, clean: bool) -> None:
        self._take(self._lane.close(clean=clean))
        if not self.committed:
            self._begin()
        self.finish()

    def stalled(self) -> None:
        """Silence after the protocol's own end is only a connection that nobody closed."""
        if self._lane.complete:
            self._close(clean=False)
            self._abort()
        else:
            super().stalled()

    def tell(self, error: GatewayError) -> None:
        self._setting.sink.write(self._lane.fail(error))

    def _take(self, out: bytes) -> None:
        """Write or hold what the lane gave; raises what the lane says went wrong."""
        if self.committed:
            if out:
                self._setting.sink.write(out)
                assert self._pulse is not None
                self._pulse.reset(KEEP_ALIVE_SECONDS)
        elif self._lane.error is None:
            self._held += out
            if self._lane.useful or len(self._held) > PROLOGUE_BYTES:
                self._begin()
        if self._lane.error is not None:
            raise self._lane.error

    def _begin(self) -> None:
        self.commit(STREAM_HEADERS)
        self._pulse = self._setting.clock.callLater(KEEP_ALIVE_SECONDS, self._beat)
        if self._held:
            self._setting.sink.write(self._held)
            self._held = b""

    def _resume(self) -> None:
        """Another account goes on with what the client has got."""
        call, sink = self._setting.call, self._setting.sink
        assert call.continuation is not None
        call.continuation.waiting = False
        call.record.continued = True
        self._setting.worked()
        sink.register(self)
        sink.write(call.wire.remark("the upstream's answer broke off; another account goes on"))
        self._pulse = self._setting.clock.callLater(KEEP_ALIVE_SECONDS, self._beat)

    def _beat(self) -> None:
        """Nothing has come for the client for a while: say that we live."""
        self._pulse = self._setting.clock.callLater(KEEP_ALIVE_SECONDS, self._beat)
        if alive := self._lane.heartbeat():
            self._setting.sink.write(alive)

    def _end(self) -> None:
        super()._end()
        if self._pulse is not None:
            self._pulse.cancel()
            self._pulse = None
