"""A listener that serves `/metrics` and nothing else, to whoever can reach it."""

from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime
from twisted.web.resource import Resource

from aiproxy.codecs.base import Answer
from aiproxy.codecs.openai_chat import WIRE
from aiproxy.config.schema import Limits
from aiproxy.neutral.errors import GatewayError, MethodNotAllowed, NotFound
from aiproxy.web.answers import error_answer
from aiproxy.web.metrics import CONTENT_TYPE
from aiproxy.web.request import HttpRequest
from aiproxy.web.server import HttpSite


class _Page(Resource):
    isLeaf = True

    def __init__(self, page: Callable[[], bytes]) -> None:
        super().__init__()
        self._page = page

    def render_GET(self, request: HttpRequest) -> bytes:
        request.setHeader("content-type", CONTENT_TYPE)
        return self._page()


def metrics_site(page: Callable[[], bytes], reactor: IReactorTime, limits: Limits) -> HttpSite:
    return HttpSite(_Page(page), reactor, limits, _refuse, _render_error, http2=False)


def _refuse(request: HttpRequest) -> GatewayError | None:
    if request.path != b"/metrics":
        return NotFound("Only /metrics is served here.", code="unknown_url")
    if request.method not in (b"GET", b"HEAD"):
        return MethodNotAllowed("Use GET here.", headers={"allow": "GET, HEAD"})
    return None


def _render_error(request: HttpRequest | None, error: GatewayError) -> Answer:
    return error_answer(WIRE, request, error)
