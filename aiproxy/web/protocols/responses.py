"""OpenAI's Responses API: responses and token counts."""

from klein import Klein
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.server import Request

from aiproxy.codecs.openai_responses import CODEC, WIRE
from aiproxy.gateway import Gateway
from aiproxy.providers.base import Operation
from aiproxy.web.answers import write_failure
from aiproxy.web.protocols.answering import answer, incoming


class Responses:
    app = Klein()

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @app.route("/v1/responses", methods=["POST"])
    async def responses(self, request: Request) -> bytes:
        return await answer(self._gateway, request, WIRE, Operation.CHAT, incoming(request), codec=CODEC)

    @app.route("/v1/responses/input_tokens", methods=["POST"])
    async def input_tokens(self, request: Request) -> bytes:
        asked = incoming(request, operation="count_tokens")
        return await answer(self._gateway, request, WIRE, Operation.COUNT_TOKENS, asked, codec=CODEC)

    @app.handle_errors(Exception)
    def failed(self, request: IRequest, failure: Failure) -> bytes:
        return write_failure(WIRE, request, failure)
