"""Between the processes of one machine: AMP over a Unix socket. One process has the `AmpHub`, each of the others an
`AmpCarrier`; the hub passes on what one says to all the others.

On every link at most one box is under way, and what comes meanwhile waits in its outbox: a peer that doesn't read costs
bounded memory, and hears the latest of each key when it reads again."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, ClassVar

from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.endpoints import UNIXClientEndpoint
from twisted.internet.interfaces import IDelayedCall, IListeningPort
from twisted.internet.protocol import Factory, connectionDone
from twisted.protocols import amp
from twisted.python.failure import Failure

from aiproxy.storage.bus.message import WireKey, decode
from aiproxy.storage.bus.outbox import Outbox

BOX_BYTES = 50_000
"""Of messages in one box; AMP's limit is 65,535 for a list."""

FIRST_PAUSE = 0.05
LONGEST_PAUSE = 2.0
"""Seconds between attempts to connect, doubling. A hub that restarts is back at once."""


STOP_SECONDS = 1.0
"""For what was said last, when a member leaves."""


class Tell(amp.Command):
    arguments: ClassVar = [(b"messages", amp.ListOf(amp.String()))]
    response: ClassVar = [(b"others", amp.Integer(optional=True))]


class _Link(amp.AMP):
    """One end of a connection. `deliver` gets every message with the link it came by; `members` says how many others they go to."""

    def __init__(
        self,
        deliver: "Callable[[_Link, bytes], None]",
        outbox: Outbox,
        lost: "Callable[[_Link], None]",
        members: Callable[[], int] = lambda: 0,
    ) -> None:
        super().__init__()
        self._deliver = deliver
        self._outbox = outbox
        self._lost = lost
        self._members = members
        self.others = 0
        """Those that the other end has told of what was said last."""
        self._under_way: list[tuple[WireKey, bytes]] = []
        self._idle: Deferred[None] | None = None

    def flush(self) -> None:
        if not self._under_way and self._outbox:
            self._under_way = self._outbox.take(BOX_BYTES)
            sent = self.callRemote(Tell, messages=[data for _, data in self._under_way])
            sent.addCallbacks(self._told, self._not_told)

    def idle(self) -> Deferred[None]:
        """Fires when all has been told, or can't be any more."""
        idle: Deferred[None] = Deferred()
        self._idle = idle
        self._rest()
        return idle

    def _rest(self) -> None:
        if self._idle is not None and not self._under_way:
            idle, self._idle = self._idle, None
            idle.callback(None)

    def _told(self, said: dict[str, Any]) -> None:
        self._under_way = []
        self.others = said.get("others") or 0
        self.flush()
        self._rest()

    def _not_told(self, _failure: Failure) -> None:
        """The connection broke: whether it was heard is unknown, and saying it again does no harm."""
        self._outbox.give_back(self._under_way)
        self._under_way = []
        self._rest()

    @Tell.responder
    def tell(self, messages: list[bytes]) -> dict[str, Any]:
        for data in messages:
            self._deliver(self, data)
        return {"others": self._members()}

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self._lost(self)


class AmpHub:
    """Listens on `path`, which only its own user may connect to."""

    def __init__(self, reactor: Any, path: str) -> None:
        self._reactor = reactor
        self._path = path
        self._links: dict[_Link, Outbox] = {}
        self._port: IListeningPort | None = None

    def start(self) -> None:
        """Raises `CannotListenError`."""
        self._port = self._reactor.listenUNIX(self._path, Factory.forProtocol(self._link), mode=0o600, wantPID=True)

    def _link(self) -> _Link:
        outbox = Outbox()
        link = _Link(self._pass_on, outbox, self._gone, lambda: len(self._links) - 1)
        self._links[link] = outbox
        return link

    def _gone(self, link: _Link) -> None:
        del self._links[link]

    def _pass_on(self, source: _Link, data: bytes) -> None:
        message = decode(data)
        if message is None:
            return
        for link, outbox in self._links.items():
            if link is not source:
                outbox.put(message.wire_key, data)
                link.flush()

    async def stop(self) -> None:
        if self._port is not None:
            await maybeDeferred(self._port.stopListening)
        for link in tuple(self._links):
            if link.transport is not None:
                link.transport.loseConnection()


class AmpCarrier:
    kind = "amp"
    most = BOX_BYTES

    def __init__(self, reactor: Any, path: str) -> None:
        self._reactor = reactor
        self._endpoint = UNIXClientEndpoint(reactor, path)
        self._outbox = Outbox()
        self._link: _Link | None = None
        self._attempt: Deferred[Any] | None = None
        self._again: IDelayedCall | None = None
        self._pause = FIRST_PAUSE
        self._stopped: Deferred[None] | None = None
        self._receive: Callable[[bytes], None]
        self._missed: Callable[[], None]

    @property
    def connected(self) -> bool:
        return self._link is not None

    @property
    def others(self) -> int:
        """Members besides us that were there for what we said last, once the hub has heard it. An answer to it comes later still."""
        return self._link.others if self._link is not None else 0

    def start(self, receive: Callable[[bytes], None], missed: Callable[[], None]) -> None:
        self._receive = receive
        self._missed = missed
        self._connect()

    def send(self, key: WireKey, data: bytes) -> None:
        self._outbox.put(key, data)
        if self._link is not None:
            self._link.flush()

    async def stop(self) -> None:
        if self._link is not None:
            with suppress(TookTooLong, CancelledError):
                await self._link.idle().addTimeout(STOP_SECONDS, self._reactor)
        self._stopped = Deferred()
        if self._again is not None and self._again.active():
            self._again.cancel()
        if self._attempt is not None:
            self._attempt.cancel()
        if self._link is not None and self._link.transport is not None:
            self._link.transport.loseConnection()
            await self._stopped

    def _connect(self) -> None:
        self._attempt = self._endpoint.connect(Factory.forProtocol(self._make))
        self._attempt.addCallbacks(self._met, self._not_met)

    def _make(self) -> _Link:
        return _Link(lambda _link, data: self._receive(data), self._outbox, self._lost)

    def _met(self, link: _Link) -> None:
        self._attempt, self._link, self._pause = None, link, FIRST_PAUSE
        self._missed()
        link.flush()

    def _not_met(self, _failure: Failure) -> None:
        self._attempt = None
        if self._stopped is None:
            self._again = self._reactor.callLater(self._pause, self._connect)
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _lost(self, _link: _Link) -> None:
        self._link = None
        if self._stopped is None:
            self._again = self._reactor.callLater(self._pause, self._connect)
        else:
            self._stopped.callback(None)
