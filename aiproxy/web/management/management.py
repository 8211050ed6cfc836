"""The management API on Klein: one table of routes, each behind the gate, each change audited."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from time import time
from typing import Any

import orjson
from klein import Klein
from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.server import Request
from werkzeug.exceptions import NotFound as NoRoute

from aiproxy.codecs.base import Answer
from aiproxy.config.schema import RemoteManagement, WebSocket
from aiproxy.gateway.overhearing import Overhears
from aiproxy.neutral.errors import GatewayError, NotFound
from aiproxy.secrets import Secret
from aiproxy.storage.bus.asking import Asking
from aiproxy.web.answers import as_gateway_error, write_answer, write_json
from aiproxy.web.context import context_of, new_request_id
from aiproxy.web.management.audit import Audit, Change
from aiproxy.web.management.entering import Entering
from aiproxy.web.management.gate import SAFE, Gate
from aiproxy.web.management.happenings import Happenings
from aiproxy.web.management.keeping import Documents, InThread, hash_plain_key
from aiproxy.web.management.left_out import why_not
from aiproxy.web.management.openapi import document
from aiproxy.web.management.rooms.events import EventsRoom
from aiproxy.web.management.routes import Asked, Refused, Route, Who
from aiproxy.web.management.watching import Watching
from aiproxy.web.request import HttpRequest

ROOT = "/v0/management"

_ROOT = ROOT.encode()


class Management:
    """`password` and `session_key` are those of `Gate`, "" for none; `tables` gives the routes of whoever has something
    to manage, who may do in a thread what takes long; `sockets` are the limits of WebSockets."""

    def __init__(
        self,
        reactor: Any,
        password: str,
        session_key: str,
        settings: Callable[[], RemoteManagement],
        sockets: Callable[[], WebSocket],
        documents: Documents,
        tables: Callable[[InThread], Sequence[Sequence[Route]]],
        happenings: Happenings,
        watching: Watching,
        asking: Asking,
        now: Callable[[], float] = time,
    ) -> None:
        self.gate = Gate(reactor, password, session_key, settings, now)
        self.audit = Audit()
        self._happenings = happenings
        self._events = EventsRoom(reactor, happenings, watching, asking, self.gate.still, sockets)
        self._documents = documents
        self._now = now
        own = (
            Route("GET", "/openapi.json", "This API, as an OpenAPI document.", self._describe),
            Route(
                "GET",
                "/audit",
                "The latest changes, the latest first.",
                self._changes,
                query={"limit": "How many; 100."},
            ),
        )
        self.routes: Sequence[Route] = (
            *Entering(self.gate, documents).routes(),
            *own,
            *self._events.routes(),
            *(route for table in tables(self.gate.in_thread) for route in table),
        )
        self._asking = {(route.method.encode(), (ROOT + route.path).encode()) for route in self.routes if route.asks}
        self._app = Klein()
        self._app.handle_errors(Exception)(self._failed)
        for number, route in enumerate(self.routes):
            self._app.route(ROOT + route.path, methods=[route.method], endpoint=str(number))(self._served(route))
        self._resource = self._app.resource()

    # -- life

    async def start(self) -> None:
        """Hash a key that stands in the configuration as it is."""
        self.gate.start()
        await hash_plain_key(self._documents, self.gate.in_thread)

    def stop(self) -> None:
        self.gate.stop()

    def hang_up(self) -> None:
        """Whoever listens to events comes back to another process, if there is one."""
        self._events.stop()

    @property
    def secrets(self) -> tuple[Secret, ...]:
        return self.gate.secrets

    # -- for the site

    def owns(self, path: bytes) -> bool:
        return path.startswith(_ROOT) and path[len(_ROOT) : len(_ROOT) + 1] in (b"", b"/")

    def only_asks(self, request: HttpRequest) -> bool:
        """Whether it changes nothing, although its method says so."""
        return (request.method, request.path) in self._asking

    def objection(self, request: HttpRequest) -> GatewayError | None:
        return self.gate.objection(request)

    def closed_to(self, request: HttpRequest) -> GatewayError | None:
        """For the console's pages, which are nobody's secret."""
        return self.gate.closed_to(request)

    def overhears(self, request: HttpRequest) -> Overhears | None:
        """Who is told what upstreams are asked and answer in a client's call: the console, if it makes it."""
        if not self.gate.is_at_the_console(request):
            return None
        told = {"request_id": _request_id(request)}
        return lambda heard: self._happenings.tell("upstream", {**told, **asdict(heard)})

    def serve(self, request: HttpRequest) -> None:
        request.setHeader("cache-control", "no-store")
        request.setHeader("x-content-type-options", "nosniff")
        request.prepath = []
        self._resource.render(request)

    def error_answer(self, request: Request, error: GatewayError) -> Answer:
        """CLIProxyAPI's `error`, and what a program and a log want beside it."""
        context = context_of(request)
        if context:
            context.record.error = error.kind
        told = {
            "error": error.message,
            "code": error.code or error.kind,
            "request_id": _request_id(request),
        }
        headers = dict(error.headers)
        if error.retry_after is not None:
            headers["retry-after"] = str(int(error.retry_after) + 1)
        return Answer(error.status, orjson.dumps(told), "application/json", headers)

    # -- routes

    def _served(self, route: Route) -> Callable[..., Any]:
        async def serve(request: HttpRequest, **path: str) -> bytes:
            changes = request.method not in SAFE and not route.asks
            who = Who("nobody", self.gate.address(request))
            try:
                if not route.open:
                    who = await self.gate.admit(request)
                asked = Asked(request, path, _query(request), who, lambda: self._note(request, who, "ok"))
                given = await route.serve(asked)
            except GatewayError as error:
                if changes:
                    self._note(request, who, error.kind)
                raise
            except CancelledError:
                raise
            except Exception as error:
                if changes:
                    self._note(request, who, error.code if isinstance(error, Refused) else "server_error")
                raise
            if changes:
                self._note(request, who, "ok")
            if given is None:
                return b""
            return write_answer(request, given) if isinstance(given, Answer) else write_json(request, given)

        return serve

    def _note(self, request: HttpRequest, who: Who, outcome: str) -> None:
        context = context_of(request)
        what = f"{request.method.decode('latin-1')} {_path(request)}"
        request_id = context.record.request_id if context else ""
        self.audit.note(Change(self._now(), who.by, who.address, what, outcome, request_id))

    def _failed(self, request: IRequest, failure: Failure) -> bytes:
        assert isinstance(request, HttpRequest)
        if isinstance(failure.value, Refused):
            refused = failure.value
            told = {"error": str(refused), "code": refused.code, **refused.told, "request_id": _request_id(request)}
            return write_json(request, told, refused.status)
        if failure.check(NoRoute):
            error: GatewayError = _nothing_at(_path(request))
        else:
            error = as_gateway_error(failure, request)
        return b"" if request.startedWriting else write_answer(request, self.error_answer(request, error))

    async def _describe(self, _asked: Asked) -> Mapping[str, Any]:
        return document(ROOT, self.routes)

    async def _changes(self, asked: Asked) -> Mapping[str, Any]:
        return {"changes": self.audit.latest(asked.count("limit", 100))}


def _nothing_at(path: str) -> NotFound:
    if reason := why_not(path.removeprefix(ROOT)):
        return NotFound(f"{path} is left out here: {reason}.", code="left_out")
    return NotFound(f"There is nothing at {path}. GET {ROOT}/openapi.json lists what there is.")


def _request_id(request: Request) -> str:
    context = context_of(request)
    return context.record.request_id if context else new_request_id()


def _path(request: HttpRequest) -> str:
    return (request.path or b"").decode("utf-8", "replace")


def _query(request: HttpRequest) -> Mapping[str, str]:
    return {
        name.decode("utf-8", "replace"): values[-1].decode("utf-8", "replace")
        for name, values in (request.args or {}).items()
    }
