"""Idle connections, kept for the next request to the same place by the same way."""

from collections.abc import Hashable

from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from aiproxy.transports.connection import Connection

IDLE_PER_PLACE = 256
"""Connections. More calls than this may run at once; their connections are then closed instead of kept."""

IDLE_SECONDS = 50.0
"""Seconds. Below the keep-alive of nginx (75) and of the load balancers of AWS (60) and Google (600), so that we, not
they, close first. Servers with less (Node and uvicorn: 5) are left to the retry of a stale connection."""


class ConnectionPool:
    """The youngest is taken first: it is the least likely to be dead, and the old ones get to age out.

    One timer for all, since a connection is taken and given back at every request."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._idle: dict[Hashable, dict[Connection, float]] = {}  # the oldest first, each with the time it was given
        self._timer: IDelayedCall | None = None
        self._closed = False

    def take(self, place: Hashable) -> Connection | None:
        waiting = self._idle.get(place)
        return waiting.popitem()[0] if waiting else None

    def give(self, place: Hashable, connection: Connection) -> None:
        waiting = self._idle.setdefault(place, {})
        if self._closed or len(waiting) >= IDLE_PER_PLACE:
            connection.abort()
            return
        waiting[connection] = self._clock.seconds()
        if self._timer is None:
            self._timer = self._clock.callLater(IDLE_SECONDS, self._age)

    def forget(self, place: Hashable, connection: Connection) -> None:
        """It is lost. Knows nothing of one that was not idle."""
        self._idle.get(place, {}).pop(connection, None)

    def _age(self) -> None:
        """Close those whose time is over, and come back for the next."""
        self._timer = None
        now = self._clock.seconds()
        oldest = now
        for place, waiting in list(self._idle.items()):
            for connection, since in list(waiting.items()):
                if since + IDLE_SECONDS > now:
                    oldest = min(oldest, since)
                    break
                del waiting[connection]
                connection.abort()
            if not waiting:
                del self._idle[place]
        if self._idle:
            self._timer = self._clock.callLater(oldest + IDLE_SECONDS - now, self._age)

    def close(self) -> Deferred[None]:
        """Fires when every idle connection is closed. Those in use are closed when their answer ends."""
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        idle = [connection for waiting in self._idle.values() for connection in waiting]
        self._idle.clear()
        for connection in idle:
            connection.abort()
        return DeferredList([connection.gone for connection in idle]).addCallback(lambda _: None)
