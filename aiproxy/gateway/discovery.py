"""Which models the upstreams of open accounts list, asked for when a client wants the list, and kept for a while."""

from collections.abc import Mapping, Sequence

from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.interfaces import IReactorTime

from aiproxy.credentials.sending import send
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.gateway.upstream_headers import headers_for
from aiproxy.neutral.errors import GatewayError
from aiproxy.providers.base import Operation, Upstream
from aiproxy.transports.base import Request
from aiproxy.transports.body import read_body

FRESH_SECONDS = 600.0
"""How long a list is believed: vendors add models a few times a month."""

FAILED_SECONDS = 30.0
"""How long a failure to get one is believed, so that a broken upstream doesn't slow every request for the list."""

PATIENCE_SECONDS = 10.0
"""Longest wait for one upstream's list; clients ask for it while people look on."""

LIST_BYTES = 4 << 20
"""Most bytes of a list that are read; the largest known, an aggregator's, has half a megabyte."""


class Discovery:
    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._found: dict[str, tuple[float, Sequence[str]]] = {}

    @property
    def known(self) -> Mapping[str, Sequence[str]]:
        """What is known already, by account."""
        return {account: names for account, (_, names) in self._found.items()}

    def forget(self) -> None:
        self._found.clear()

    async def ask(self, snapshot: Snapshot) -> Mapping[str, Sequence[str]]:
        """What open accounts' upstreams list, by account; an upstream that can't be asked lists nothing."""
        now = self._clock.seconds()
        stale = [
            upstream
            for upstream in snapshot.upstreams.values()
            if upstream.accepts == ("*",) and self._found.get(upstream.id, (0.0, ()))[0] <= now
        ]
        asking = [Deferred.fromCoroutine(self._look(snapshot, upstream)) for upstream in stale]
        try:
            await gatherResults(asking, consumeErrors=True)
        except FirstError as first:  # the client left, or it is a bug: in either case what it says
            first.subFailure.raiseException()
        return self.known

    async def _look(self, snapshot: Snapshot, upstream: Upstream) -> None:
        names = await self._list(snapshot, upstream)
        life = FRESH_SECONDS if names else FAILED_SECONDS
        self._found[upstream.id] = (self._clock.seconds() + life, names)

    async def _list(self, snapshot: Snapshot, upstream: Upstream) -> Sequence[str]:
        endpoint = next((e for e in upstream.provider.endpoints if e.operation is Operation.MODELS), None)
        if endpoint is None:
            return upstream.provider.models
        way = snapshot.ways[upstream.id]
        headers = tuple(headers_for(upstream, {}, {}).items())
        request = Request("GET", upstream.base_url + endpoint.path, headers, b"", way.proxy)
        try:
            sending = Deferred.fromCoroutine(send(request, upstream.credential, way))
            response = (await sending.addTimeout(PATIENCE_SECONDS, self._clock)).response
            body = await read_body(response, LIST_BYTES, self._clock, PATIENCE_SECONDS)
        except (GatewayError, TookTooLong):
            return ()
        return endpoint.wire.decode_models(body) if response.status == 200 else ()
