"""The OpenAI API: chat, legacy completions, embeddings, models."""

from time import time

from klein import Klein
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.server import Request

from aiproxy.clients.told import share
from aiproxy.codecs.openai_chat import CODEC, WIRE
from aiproxy.gateway import Gateway
from aiproxy.providers.base import Operation
from aiproxy.web.answers import write_failure, write_json
from aiproxy.web.protocols.answering import answer, context, incoming, list_models, show_model


class OpenAI:
    app = Klein()

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @app.route("/v1/chat/completions", methods=["POST"])
    async def chat(self, request: Request) -> bytes:
        return await answer(self._gateway, request, WIRE, Operation.CHAT, incoming(request), codec=CODEC)

    @app.route("/v1/completions", methods=["POST"])
    async def completions(self, request: Request) -> bytes:
        asked = incoming(request, operation="completions")
        return await answer(self._gateway, request, WIRE, Operation.COMPLETIONS, asked, codec=CODEC)

    @app.route("/v1/embeddings", methods=["POST"])
    async def embeddings(self, request: Request) -> bytes:
        return await answer(self._gateway, request, WIRE, Operation.EMBEDDINGS, incoming(request), codec=CODEC)

    @app.route("/v1/models", methods=["GET"])
    async def models(self, request: Request) -> bytes:
        return await list_models(self._gateway, request, WIRE)

    @app.route("/v1/models/<path:name>", methods=["GET"])
    async def model(self, request: Request, name: str) -> bytes:
        return await show_model(self._gateway, request, WIRE, name)

    @app.route("/v1/quota", methods=["GET"])
    async def quota(self, request: Request) -> bytes:
        """What the caller's own key may still use. What other processes have used of it is asked for first."""
        client, limiter = context(request).client, self._gateway.limiter
        limiter.standings(client.limits, time())
        await self._gateway.refill({})
        standings = limiter.standings(client.limits, time())
        return write_json(request, {"client": client.name, "limits": share(standings)})

    @app.handle_errors(Exception)
    def failed(self, request: IRequest, failure: Failure) -> bytes:
        return write_failure(WIRE, request, failure)
