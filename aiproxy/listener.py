"""Where clients come in: the port, its certificate and the site that answers there, and those before it whose last answers are under
way. The listener of `/metrics` as well, where that has one of its own."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import CancelledError, Deferred, DeferredList, execute
from twisted.internet.defer import TimeoutError as DrainedOut
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.config import Settings
from aiproxy.web.metrics_site import metrics_site
from aiproxy.web.server import HttpSite, adopt, listen
from aiproxy.web.site import Web
from aiproxy.web.tls import ServerTls
from aiproxy.worker import LISTENING, METRICS, Worker

_log = Logger("aiproxy.service")


class Listener:
    """`worker` has the sockets that its supervisor listens on; `cannot_start` is raised with one sentence when there is nothing to
    listen on."""

    def __init__(
        self, reactor: Any, web: Web, settings: Settings, worker: Worker | None, cannot_start: type[BaseException]
    ) -> None:
        self._reactor = reactor
        self._web = web
        self._worker = worker
        self._cannot_start = cannot_start
        self._site = self._made_for(settings)
        self._former_sites: list[HttpSite] = []
        self._port: IListeningPort | None = None
        self._metrics_port: IListeningPort | None = None
        self._tls: ServerTls | None = None
        self._idle: Deferred[Any] | None = None

    # -- opened, and moved

    def open(self, settings: Settings) -> None:
        failed: list[Failure] = []
        self._listen(settings).addCallbacks(self._opened, failed.append)
        if failed:
            raise self._cannot_start(_not_listening(failed[0], settings.host, settings.port))
        self._open_for_metrics(settings)

    @property
    def port(self) -> int:
        """The port we listen on, also when the configuration left the choice to the system."""
        assert self._port is not None
        address = self._port.getHost()
        assert isinstance(address, IPv4Address | IPv6Address)
        return address.port

    def follow(self, settings: Settings) -> None:
        """What can change where we listen."""
        self._site.limits = settings.limits
        if self._tls is not None:
            self._tls.reload()

    async def move(self, old: Settings, new: Settings) -> str:
        """Open the new listener before the old one closes, or where both are on one port, right after it; "" when that is done.

        Calls under way finish on the connections they have. When there is nothing to listen on, the old listener stays, and why is
        told."""
        old_port, old_site, old_tls = self._port, self._site, self._tls
        assert old_port is not None
        if new.port == 0:  # any port will do: the one we have
            new = replace(new, port=self.port)
        self._site = self._made_for(new)
        made_room = False
        try:
            try:
                port = await self._listen(new)
            except CannotListenError:
                if new.port != self.port:
                    raise
                made_room = True
                await _closed(old_port)
                port = await self._listen(new)
        except (
            CannotListenError,
            OSError,
            ValueError,
        ) as error:  # a certificate may have gone bad since it was checked
            self._site, self._tls = old_site, old_tls
            reason = error.socketError if isinstance(error, CannotListenError) else error
            if made_room:
                self._port = await self._listen(replace(old, port=new.port))
            return f"cannot listen on {new.host or '*'}:{new.port}: {reason}; the old listener stays"
        self._opened(port)
        await _closed(old_port)
        old_site.drain()
        self._former_sites = [*(site for site in self._former_sites if site.connections), old_site]
        return ""

    def _made_for(self, settings: Settings) -> HttpSite:
        return HttpSite(
            self._web,
            reactor=self._reactor,
            limits=settings.limits,
            refuse=self._web.refuse,
            render_error=self._web.render_error,
            http2=settings.tls.http2,
            finished=self._web.finished,
        )

    def _listen(self, settings: Settings) -> Deferred[IListeningPort]:
        self._tls = None
        if settings.tls.enable:
            self._tls = ServerTls(settings.tls.cert, settings.tls.key, clock=self._reactor, warn=_tls_warning)
        if self._worker is not None:
            return execute(adopt, self._reactor, self._site, LISTENING, self._worker.family(LISTENING), self._tls)
        return listen(self._reactor, self._site, settings.host, settings.port, self._tls)

    def _opened(self, port: IListeningPort) -> None:
        self._port = port

    def _open_for_metrics(self, settings: Settings) -> None:
        at = settings.metrics
        page = metrics_site(self._web.metrics.page, self._reactor, settings.limits)
        if self._worker is not None:
            if self._worker.serves_metrics:
                self._metrics_port = adopt(self._reactor, page, METRICS, self._worker.family(METRICS))
        elif at.enable and at.port:
            failed: list[Failure] = []
            listen(self._reactor, page, at.host, at.port).addCallbacks(self._metrics_opened, failed.append)
            if failed:
                raise self._cannot_start(_not_listening(failed[0], at.host, at.port))

    def _metrics_opened(self, port: IListeningPort) -> None:
        self._metrics_port = port

    # -- drained, and closed

    @property
    def in_flight(self) -> int:
        return sum(site.in_flight for site in self._sites)

    async def leave_to_successor(self) -> None:
        """Take no new connections; the next answer on each kept one tells its client to go."""
        await self.close()
        self._site.part()

    def drain(self) -> None:
        self._site.drain()

    async def idle_within(self, seconds: float) -> None:
        """Until nothing is under way, for at most so long, or until somebody is in a `hurry`."""
        self._idle = DeferredList([site.idle() for site in self._sites], consumeErrors=True)
        try:
            await self._idle.addTimeout(seconds, self._reactor)
        except (DrainedOut, CancelledError):
            return
        finally:
            self._idle = None

    def hurry(self) -> None:
        if self._idle is not None:
            self._idle.cancel()

    async def close(self) -> None:
        port, self._port = self._port, None
        if port is not None:
            await _closed(port)

    def abort(self) -> None:
        """Cut what is still connected."""
        for site in self._sites:
            site.abort()

    async def close_metrics(self) -> None:
        if self._metrics_port is not None:
            await _closed(self._metrics_port)

    @property
    def _sites(self) -> Sequence[HttpSite]:
        return (self._site, *self._former_sites)


def settled_by(settings: Settings) -> tuple[object, ...]:
    """What can only change with a new listener. Certificates are read again by themselves."""
    return settings.host, settings.port, settings.tls


async def _closed(port: IListeningPort) -> None:
    waiting: Any = port.stopListening()
    if isinstance(waiting, Deferred):
        await waiting


def _tls_warning(words: str) -> None:
    _log.warn("TLS: {words}", words=words)


def _not_listening(failure: Failure, host: str, port: int) -> str:
    error = failure.value
    reason = error.socketError if isinstance(error, CannotListenError) else error
    return (
        f"aiproxy: cannot listen on {host or '*'}:{port}: {reason}. "
        "Is another one running? Choose a different address with --port or --host."
    )
