"""The Anthropic API: messages, token counts, models."""

from klein import Klein
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.server import Request

from aiproxy.codecs.anthropic_messages import CODEC, WIRE
from aiproxy.gateway import Gateway
from aiproxy.providers.base import Operation
from aiproxy.web.answers import write_failure
from aiproxy.web.protocols.answering import answer, incoming, list_models, show_model


class Anthropic:
    app = Klein()

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @app.route("/v1/messages", methods=["POST"])
    async def messages(self, request: Request) -> bytes:
        return await answer(self._gateway, request, WIRE, Operation.CHAT, incoming(request), codec=CODEC)

    @app.route("/v1/messages/count_tokens", methods=["POST"])
    async def count_tokens(self, request: Request) -> bytes:
        asked = incoming(request, operation="count_tokens")
        return await answer(self._gateway, request, WIRE, Operation.COUNT_TOKENS, asked, codec=CODEC)

    @app.route("/v1/models", methods=["GET"])
    async def models(self, request: Request) -> bytes:
        return await list_models(self._gateway, request, WIRE)

    @app.route("/v1/models/<path:name>", methods=["GET"])
    async def model(self, request: Request, name: str) -> bytes:
        return await show_model(self._gateway, request, WIRE, name)

    @app.handle_errors(Exception)
    def failed(self, request: IRequest, failure: Failure) -> bytes:
        return write_failure(WIRE, request, failure)
