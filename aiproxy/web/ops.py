"""What operators and orchestrators ask: alive, ready, which version, how it goes. No model is called for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from klein import Klein
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.server import Request

from aiproxy import __version__
from aiproxy.codecs.base import Answer
from aiproxy.codecs.openai_chat import WIRE
from aiproxy.neutral.errors import NotFound
from aiproxy.web.answers import write_answer, write_failure, write_json
from aiproxy.web.metrics import CONTENT_TYPE


@dataclass(frozen=True, slots=True)
class Check:
    """One thing readiness depends on, or (not `vital`) that an operator wants to know."""

    name: str
    ok: bool
    detail: str
    vital: bool = True


class Ops:
    app = Klein()

    def __init__(self, checks: Callable[[], Sequence[Check]], metrics: Callable[[], bytes | None]) -> None:
        """`metrics` is None where they are not to be shown."""
        self._checks = checks
        self._metrics = metrics

    @app.route("/", methods=["GET"])
    def index(self, request: Request) -> bytes:
        paths = [
            "/v1/chat/completions",
            "/v1/completions",
            "/v1/embeddings",
            "/v1/models",
            "/healthz",
            "/readyz",
            "/version",
        ]
        return write_json(request, {"name": "aiproxy", "version": __version__, "paths": paths})

    @app.route("/healthz", methods=["GET"])
    @app.route("/health", methods=["GET"])
    def health(self, request: Request) -> bytes:
        return write_json(request, {"status": "ok"})

    @app.route("/readyz", methods=["GET"])
    def ready(self, request: Request) -> bytes:
        checks = self._checks()
        ready = all(check.ok for check in checks if check.vital)
        answer: dict[str, object] = {"status": "ok" if ready else "not ready"}
        _, _, query = request.uri.partition(b"?")
        if b"verbose" in [argument.partition(b"=")[0] for argument in query.split(b"&")]:
            answer["checks"] = [{"name": check.name, "ok": check.ok, "detail": check.detail} for check in checks]
        return write_json(request, answer, 200 if ready else 503)

    @app.route("/version", methods=["GET"])
    def version(self, request: Request) -> bytes:
        return write_json(request, {"name": "aiproxy", "version": __version__})

    @app.route("/metrics", methods=["GET"])
    def metrics(self, request: Request) -> bytes:
        page = self._metrics()
        if page is None:
            raise NotFound(
                "Metrics are switched off (metrics.enable), or have a port of their own (metrics.port).",
                code="unknown_url",
            )
        return write_answer(request, Answer(200, page, CONTENT_TYPE))

    @app.handle_errors(Exception)
    def failed(self, request: IRequest, failure: Failure) -> bytes:
        return write_failure(WIRE, request, failure)
