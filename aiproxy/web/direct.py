"""Routes whose path has no variable part, found in one step.

Klein's router weighs every rule of an app at every request, and its resource prepares for whatever a handler may return: together as
costly as all that the gateway does with a call. The clients' own endpoints are a handful of fixed paths, so they are looked up
here; Klein still declares them, and serves all the others."""

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Protocol

from klein import Klein
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.web.request import HttpRequest

_log = Logger("aiproxy.web")

Route = tuple[bytes, bytes]
"""Method and path."""


class Served(Protocol):
    """A client protocol's routes. `failed` is what it registered with Klein for errors."""

    @property
    def app(self) -> Klein: ...

    def failed(self, request: Any, failure: Failure) -> bytes: ...


class Endpoint:
    """A handler of fixed path, and who tells its errors."""

    def __init__(self, served: Served, name: str) -> None:
        self._served = served
        self._handler = partial(served.app.execute_endpoint, name)

    def serve(self, request: HttpRequest) -> None:
        """As Klein would: what the handler returns is written and ends the answer; the client's leaving cancels it."""
        answering: Deferred[Any] = maybeDeferred(self._handler, request)
        answering.addErrback(self._failed, request)
        answering.addCallback(_write, request)
        answering.addErrback(_unheard)
        if not answering.called:
            request.answering = answering

    def _failed(self, failure: Failure, request: HttpRequest) -> bytes | None:
        if not request.gone:
            return self._served.failed(request, failure)
        if not failure.check(CancelledError):
            _log.failure("after the client had left", failure)
        return None


def fixed_routes(protocols: Iterable[Served]) -> Mapping[Route, Endpoint]:
    """The routes with a fixed path that belong to one protocol alone."""
    found = [
        ((method.encode("ascii"), rule.rule.encode("ascii")), Endpoint(served, rule.endpoint))
        for served in protocols
        for rule in served.app.url_map.iter_rules()
        if not rule.arguments
        for method in rule.methods or ()
        if method != "HEAD"  # which the router adds to GET
    ]
    times = Counter(route for route, _ in found)
    return {route: endpoint for route, endpoint in found if times[route] == 1}


def _write(body: bytes | None, request: HttpRequest) -> None:
    if request.gone:
        return
    if body:
        request.write(body)
    request.finish()


def _unheard(failure: Failure) -> None:
    _log.failure("an answer could not be written", failure)
