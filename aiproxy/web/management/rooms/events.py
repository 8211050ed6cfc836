"""What happens, as it happens: a stream of Server-Sent Events, or messages on a WebSocket, and the same at one look. All of it is of all
workers of this node."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, IReactorTime
from zope.interface import implementer

from aiproxy.config.schema import WebSocket as WebSocketLimits
from aiproxy.framing.websocket import WebSocketConnection
from aiproxy.neutral.errors import InvalidRequest, Overloaded
from aiproxy.storage.bus.asking import Asking
from aiproxy.transports.websocket import SocketLimits
from aiproxy.web.management.events_socket import MOST_SAID, EventsSocket
from aiproxy.web.management.happenings import KINDS, Happenings, kinds_of
from aiproxy.web.management.hearing import Listener
from aiproxy.web.management.routes import Asked, Route
from aiproxy.web.management.watching import Watching, summed
from aiproxy.web.request import MIB, HttpRequest
from aiproxy.web.sockets.upgrading import asks, hand_over, offered

LIVE = "live"
"""What the other workers are asked: their figures, and their calls under way."""


class EventsRoom:
    """`still` says of a request, later, whether whoever sent it may still listen."""

    def __init__(
        self,
        clock: IReactorTime,
        happenings: Happenings,
        watching: Watching,
        asking: Asking,
        still: Callable[[HttpRequest], Callable[[], bool]],
        limits: Callable[[], WebSocketLimits],
    ) -> None:
        self._clock = clock
        self._happenings = happenings
        self._watching = watching
        self._asking = asking
        asking.answer(LIVE, lambda _: [happenings.figures(), *happenings.under_way()])
        self._still = still
        self._limits = limits
        self._open: set[_Stream | EventsSocket] = set()

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                "GET",
                "/events",
                "What happens in all workers of this node, as Server-Sent Events; as text messages "
                '(`{"event", "data"}`) to whoever asks for a WebSocket. Calls and lines tell their `worker`, if there are several.',
                self.stream,
                query={"kinds": f"Which, with commas: {', '.join(KINDS)}; all when absent."},
                gives="text/event-stream",
            ),
            Route(
                "GET",
                "/live",
                "Calls under way in all workers of this node, the latest first, and the figures of these workers since each began; "
                "`silent-workers` are those that did not answer within a second.",
                self.now,
            ),
        )

    async def now(self, _asked: Asked) -> Mapping[str, Any]:
        others = await self._asking.ask(LIVE)
        told = [[self._happenings.figures(), *self._happenings.under_way()], *filter(None, others.given)]
        calls = [call for _, *calls in told for call in calls if call]
        return {
            "requests": sorted(calls, key=lambda call: -call["at"]),
            "figures": summed(figures for figures, *_ in told),
            "silent-workers": others.silent,
        }

    async def stream(self, asked: Asked) -> None:
        """Until the client leaves, may no longer listen, or the gateway stops."""
        request, kinds = asked.request, _kinds(asked)
        if asks(request):
            await self._on_a_socket(request, kinds)
            return
        stream = _Stream(request, self._still(request))
        listener = Listener(kinds, stream.told)
        leave = self._listen(listener)
        self._open.add(stream)
        try:
            await stream.run(listener)
        finally:
            self._open.discard(stream)
            leave()

    async def _on_a_socket(self, request: HttpRequest, kinds: Collection[str]) -> None:
        offer, limits, still = offered(request), self._limits(), self._still(request)
        outbound = SocketLimits(int(limits.outbound_mb * MIB), limits.slow_reader_seconds)
        told: list[EventsSocket] = []

        def tell() -> None:
            for each in told:
                each.told()

        listener = Listener(kinds, tell)

        def session(connection: WebSocketConnection) -> EventsSocket:
            told.append(EventsSocket(connection, self._clock, outbound, listener, still))
            return told[0]

        leave = self._listen(listener)
        try:
            hand_over(request, offer, session, most=MOST_SAID, compress=limits.compression)
            self._open.update(told)
            await Deferred()  # until the connection is lost, which cancels the request
        finally:
            self._open.difference_update(told)
            leave()

    def _listen(self, listener: Listener) -> Callable[[], None]:
        try:
            return self._watching.listen(listener)
        except ValueError as error:
            raise Overloaded(f"{error}; try again when one has left.") from None

    def stop(self) -> None:
        for each in list(self._open):
            each.end()


def _kinds(asked: Asked) -> Collection[str]:
    try:
        return kinds_of(asked.query.get("kinds", ""))
    except ValueError as error:
        raise InvalidRequest(f"{error}.", param="kinds") from None


@implementer(IPushProducer)
class _Stream:
    """One client's. While it reads too slowly, its events wait in their listener."""

    def __init__(self, request: HttpRequest, still: Callable[[], bool]) -> None:
        self._request = request
        self._still = still
        self._listener: Listener | None = None
        self._over: Deferred[None] = Deferred()
        self._paused = False

    async def run(self, listener: Listener) -> None:
        self._listener = listener
        self._request.setHeader("content-type", "text/event-stream")
        self._request.setHeader("x-accel-buffering", "no")
        self._request.write(b": events of aiproxy\n\n")
        self._request.registerProducer(self, True)
        try:
            await self._over
        finally:
            self._listener = None
            if self._request.channel is not None:
                self._request.unregisterProducer()

    def told(self) -> None:
        if self._listener is None or self._paused:
            return
        if not self._still():
            self.end()
            return
        for event in self._listener.take():
            self._request.write(b"event: %s\ndata: %s\n\n" % (event.kind.encode(), event.body))

    def end(self) -> None:
        if not self._over.called:
            self._over.callback(None)

    # -- what the transport calls

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        self.told()

    def stopProducing(self) -> None:
        """The client has left; its request is cancelled beside."""
