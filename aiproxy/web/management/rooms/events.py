"""What happens, as it happens: a stream of Server-Sent Events, and the same at one look."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from aiproxy.neutral.errors import InvalidRequest, Overloaded
from aiproxy.web.management.happenings import KINDS, Happenings, kinds_of
from aiproxy.web.management.hearing import Listener
from aiproxy.web.management.routes import Asked, Route
from aiproxy.web.request import HttpRequest


class EventsRoom:
    """`still` says of a request, later, whether whoever sent it may still listen."""

    def __init__(self, happenings: Happenings, still: Callable[[HttpRequest], Callable[[], bool]]) -> None:
        self._happenings = happenings
        self._still = still
        self._streams: set[_Stream] = set()

    def routes(self) -> Sequence[Route]:
        return (
            Route(
                "GET",
                "/events",
                "What happens, as Server-Sent Events.",
                self.stream,
                query={"kinds": f"Which, with commas: {', '.join(KINDS)}; all when absent."},
                gives="text/event-stream",
            ),
            Route("GET", "/live", "Calls under way, and the figures since this process began.", self.now),
        )

    async def now(self, _asked: Asked) -> Mapping[str, Any]:
        return {"requests": self._happenings.under_way(), "figures": self._happenings.figures()}

    async def stream(self, asked: Asked) -> None:
        """Until the client leaves, may no longer listen, or the gateway stops."""
        request = asked.request
        stream = _Stream(request, self._still(request))
        try:
            listener = Listener(kinds_of(asked.query.get("kinds", "")), stream.told)
            leave = self._happenings.listen(listener)
        except ValueError as error:
            if "listen" in str(error):
                raise Overloaded(f"{error}; try again when one has left.") from None
            raise InvalidRequest(f"{error}.", param="kinds") from None
        self._streams.add(stream)
        try:
            await stream.run(listener)
        finally:
            self._streams.discard(stream)
            leave()

    def stop(self) -> None:
        for stream in list(self._streams):
            stream.end()


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
