"""The whole of what we serve: which app a path belongs to, who may ask, and the access log."""

from collections.abc import Callable, Mapping, Sequence
from time import time
from typing import Any
from urllib.parse import unquote_to_bytes

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from aiproxy.catalogue import known_provider
from aiproxy.clients import ANYONE
from aiproxy.codecs.base import Answer
from aiproxy.gateway import Gateway
from aiproxy.logs import ACCESS, AccessEntry, access
from aiproxy.neutral.errors import Authentication, Draining, GatewayError, InvalidRequest, NotFound, Permission
from aiproxy.registry import PROTOCOLS
from aiproxy.usage import CallRecord, Outcome
from aiproxy.usage.trace import PARENT
from aiproxy.usage.trace import read as read_trace
from aiproxy.web.answers import error_answer
from aiproxy.web.console import ROOT as CONSOLE
from aiproxy.web.console import Console
from aiproxy.web.context import attach, context_of
from aiproxy.web.direct import Served, fixed_routes
from aiproxy.web.identity import expired, identify
from aiproxy.web.keys import client_key, header
from aiproxy.web.management import Management
from aiproxy.web.management.gate import CSRF, SAFE
from aiproxy.web.metrics import Metrics
from aiproxy.web.ops import Check, Ops
from aiproxy.web.origins import from_a_foreign_page
from aiproxy.web.paths import meant, protocol_of
from aiproxy.web.protocols.anthropic import Anthropic
from aiproxy.web.protocols.gemini import Gemini
from aiproxy.web.protocols.ollama import Ollama
from aiproxy.web.protocols.openai import OpenAI
from aiproxy.web.protocols.responses import Responses
from aiproxy.web.request import HttpRequest
from aiproxy.web.sockets import RELAY, Sockets
from aiproxy.web.together import Together

_OPEN_PATHS = frozenset((b"/", b"/healthz", b"/health", b"/readyz", b"/version"))
"""Asked for without a key and without a line in the access log: they cost nothing, tell nothing, and probes ask often."""

_OPS_PATHS = _OPEN_PATHS | {b"/metrics"}
"""Metrics name accounts and models, so they ask for a key where there are any."""

_CLIENT_LEFT = 499
"""The status in the access log of a call whose client hung up; nginx's word for it."""

_PARENT = PARENT.encode()


class Web(Resource):
    """The root: normalises the path, finds the handler of a fixed path or else the app, and lets Klein route in it."""

    isLeaf = True

    def __init__(
        self,
        gateway: Gateway,
        clock: IReactorTime,
        checks: Callable[[], Sequence[Check]],
        management: Management,
        together: Together | None = None,
    ) -> None:
        super().__init__()
        self._management = management
        self._console = Console(
            management.closed_to, lambda: not gateway.snapshot.settings.remote_management.disable_control_panel
        )
        self._gateway = gateway
        self._clock = clock
        self._log = Logger(ACCESS)
        self.metrics = Metrics(gateway, clock, together)
        self._ops = Ops(checks, self._page).app.resource()
        protocols: Mapping[str, Served] = {
            "openai-chat": OpenAI(gateway),
            "openai-responses": Responses(gateway),
            "anthropic": Anthropic(gateway),
            "gemini": Gemini(gateway),
            "ollama": Ollama(gateway),
        }
        self._fixed = fixed_routes(protocols.values())
        self._sockets = Sockets(gateway, clock, self._write_call)
        self._apps = {name: protocol.app.resource() for name, protocol in protocols.items()}
        self.draining = False

    def render(self, request: HttpRequest) -> Any:
        assert request.path is not None
        if self._sockets.wanted(request) and not self._management.owns(request.path):
            self._sockets.open(request)
            return NOT_DONE_YET
        if endpoint := self._fixed.get((request.method, request.path)):
            endpoint.serve(request)
            return NOT_DONE_YET
        if self._management.owns(request.path):
            self._management.serve(request)
            return NOT_DONE_YET
        if self._console.owns(request.path):
            self._console.serve(request)
            return NOT_DONE_YET
        if request.path == b"/" and self._console.wanted(request):
            request.redirect(CONSOLE.encode())
            request.finish()
            return NOT_DONE_YET
        request.prepath = []
        request.postpath = [unquote_to_bytes(segment) for segment in request.path[1:].split(b"/")]
        app = self._ops if request.path in _OPS_PATHS else self._apps[protocol_of(request)]
        return app.render(request)

    def _page(self) -> bytes | None:
        settings = self._gateway.snapshot.settings.metrics
        return self.metrics.page() if settings.enable and not settings.port else None

    def refuse(self, request: HttpRequest) -> GatewayError | None:
        """What there is to say against a request before its body is read. Begins its record."""
        context = attach(request, self._clock.seconds())
        assert request.path is not None
        if self._management.owns(request.path):
            return self._draining() or self._management.objection(request)
        if self._console.owns(request.path):
            return self._draining() or self._console.objection(request)
        providers = self._gateway.snapshot.catalogue.providers
        context.provider, request.path = meant(request.path, providers)
        if request.path in _OPEN_PATHS:
            return None
        if not _is_utf8(request.path):
            return InvalidRequest("The path is not UTF-8.", code="invalid_url")
        if request.path not in _OPS_PATHS and (leaving := self._draining()):
            return leaving
        keyring = self._gateway.keyring
        if keyring.open and from_a_foreign_page(request):
            return Permission(
                "This gateway asks for no key, so pages of other sites may not call it; configure api-keys."
            )
        try:
            client = identify(keyring, client_key(request))
        except Authentication as refused:
            if request.path != RELAY or self._gateway.snapshot.settings.ws_auth:
                return refused
            client = ANYONE
        if objection := client.objection(time()):
            context.record.client = client.name
            return expired(objection)
        if named := header(request, b"model-provider") or context.provider:
            context.provider = known_provider(named, providers)
            if not context.provider:
                known = ", ".join(sorted(providers))
                return NotFound(
                    f"There is no provider {named!r} here. Those there are: {known}.", code="unknown_provider"
                )
        context.client = client
        context.record.client = client.name
        if CSRF in request.received:
            context.overhears = self._management.overhears(request)
        return None

    def _draining(self) -> GatewayError | None:
        if not self.draining:
            return None
        return Draining("This gateway is shutting down; try again, another one will answer.", retry_after=1)

    def render_error(self, request: HttpRequest | None, error: GatewayError) -> Answer:
        if request is None or context_of(request) is None:  # too broken for a record, so for the access log
            self._log.info(
                "refused before it was understood: {status} {words}", status=error.status, words=error.message
            )
        if request is not None and self._management.owns(request.path or b""):
            return self._management.error_answer(request, error)
        return error_answer(PROTOCOLS[protocol_of(request)].wire, request, error)

    def finished(self, request: HttpRequest) -> None:
        """Write the access log."""
        if request.path in _OPEN_PATHS or context_of(request) is None or self._is_a_look(request):
            return
        if request.gone:  # the call is cancelled after us; its record is complete a turn later
            self._clock.callLater(0, self._write_access, request, left=True)
        else:
            self._write_access(request, left=False)

    def _is_a_look(self, request: HttpRequest) -> bool:
        """A console that is open reads files and figures all the time; what it changes is told, by the audit log, too."""
        assert request.path is not None
        if request.code >= 400:
            return False
        if self._management.owns(request.path):
            return request.method in SAFE or self._management.only_asks(request)
        return request.method in SAFE and self._console.owns(request.path)

    def _write_access(self, request: HttpRequest, *, left: bool) -> None:
        context = context_of(request)
        assert context is not None
        assert request.path is not None
        record = context.record
        outcome = record.outcome or (
            Outcome.CANCELLED if left else Outcome.FAILED if request.code >= 400 else Outcome.COMPLETE
        )
        status = _CLIENT_LEFT if left and not request.startedWriting else request.code
        method, path = request.method.decode("latin-1"), request.path.decode("latin-1")
        entry = self._entry(record, method, path, status, request.sentLength, outcome)
        if (
            record.trace is None and _PARENT in request.received
        ):  # a request that came to no call is looked for by its trace, too
            told = read_trace({PARENT: header(request, _PARENT)})
            entry = entry if told is None else entry._replace(trace_id=told.id)
        access(entry)

    def _entry(
        self, record: CallRecord, method: str, path: str, status: int, sent: int, outcome: Outcome | None
    ) -> AccessEntry:
        trace = record.trace
        return AccessEntry(
            request_id=record.request_id,
            method=method,
            path=path,
            status=status,
            protocol=record.protocol,
            client=record.client,
            provider=record.provider,
            model=record.model,
            attempts=len(record.attempts),
            first_byte_ms=None if record.first_byte is None else _milliseconds(record.first_byte - record.started),
            total_ms=_milliseconds(self._clock.seconds() - record.started),
            bytes_out=sent,
            outcome="ok" if outcome is Outcome.COMPLETE else record.error or outcome or Outcome.FAILED,
            trace_id=trace.id if trace else "",
            span_id=trace.span if trace else "",
        )

    def _write_call(self, record: CallRecord, path: str, status: int, sent: int) -> None:
        """Of one call on a socket."""
        access(self._entry(record, "WS", path, status, sent, record.outcome))


def _is_utf8(path: bytes) -> bool:
    try:
        unquote_to_bytes(path).decode()
    except UnicodeDecodeError:
        return False
    return True


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)
