"""Which models the upstreams of open accounts, and of others that can be asked, list, asked for when a client wants the list, and kept for a while."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import orjson
from twisted.internet.defer import Deferred, FirstError, gatherResults
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.interfaces import IReactorTime

from aiproxy.credentials.sending import send
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.gateway.upstream_headers import headers_for
from aiproxy.neutral.errors import GatewayError
from aiproxy.providers.base import Operation, Upstream
from aiproxy.providers.model_list import ModelList
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
        """What upstreams list, by account; an upstream that can't be asked lists nothing."""
        now = self._clock.seconds()
        stale = [
            upstream
            for upstream in snapshot.upstreams.values()
            if (upstream.accepts == ("*",) or upstream.lists) and self._found.get(upstream.id, (0.0, ()))[0] <= now
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
        headers, way, lists = headers_for(upstream, {}, {}), snapshot.ways[upstream.id], upstream.lists
        read: Callable[[bytes], Sequence[str]]
        if lists is not None:
            read = partial(_read, lists)
            body = b"" if lists.body is None else orjson.dumps(lists.body)
            kind = {} if lists.body is None else {"content-type": "application/json"}
            method, url, headers = "GET" if lists.body is None else "POST", lists.url, {**headers, **kind}
        elif endpoint is not None:
            read, method, url, body = endpoint.wire.decode_models, "GET", upstream.base_url + endpoint.path, b""
        else:
            return upstream.provider.models
        request = Request(method, url, tuple(headers.items()), body, way.proxy)
        try:
            sending = Deferred.fromCoroutine(send(request, upstream.credential, way))
            response = (await sending.addTimeout(PATIENCE_SECONDS, self._clock)).response
            said = await read_body(response, LIST_BYTES, self._clock, PATIENCE_SECONDS)
        except (GatewayError, TookTooLong):
            return ()
        return read(said) if response.status == 200 else ()


def _read(lists: ModelList, said: bytes) -> Sequence[str]:
    try:
        found = orjson.loads(said)
    except ValueError:
        return ()
    return tuple(lists.read(found if isinstance(found, dict) else {}))
