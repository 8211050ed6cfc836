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
    """The youngest is taken first: it is the least likely to be dead, and the old ones get to age out."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._idle: dict[Hashable, dict[Connection, IDelayedCall]] = {}
        self._closed = False

    def take(self, place: Hashable) -> Connection | None:
        waiting = self._idle.get(place)
        if not waiting:
            return None
        connection = next(reversed(waiting))
        self.forget(place, connection)
        return connection

    def give(self, place: Hashable, connection: Connection) -> None:
        waiting = self._idle.setdefault(place, {})
        if self._closed or len(waiting) >= IDLE_PER_PLACE:
            connection.abort()
        else:
            waiting[connection] = self._clock.callLater(IDLE_SECONDS, self._expire, place, connection)

    def forget(self, place: Hashable, connection: Connection) -> None:
        """It is taken or lost. Knows nothing of one that was not idle."""
        waiting = self._idle.get(place, {})
        expiry = waiting.pop(connection, None)
        if expiry is not None and expiry.active():
            expiry.cancel()
        if not waiting:
            self._idle.pop(place, None)

    def _expire(self, place: Hashable, connection: Connection) -> None:
        self.forget(place, connection)
        connection.abort()

    def close(self) -> Deferred[None]:
        """Fires when every idle connection is closed. Those in use are closed when their answer ends."""
        self._closed = True
        idle = [(place, connection) for place, waiting in self._idle.items() for connection in waiting]
        for place, connection in idle:
            self._expire(place, connection)
        return DeferredList([connection.gone for _, connection in idle]).addCallback(lambda _: None)
