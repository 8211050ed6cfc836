"""The OpenAI API: chat, legacy completions, embeddings, models."""

from klein import Klein
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.server import Request

from aiproxy.codecs import openai_chat
from aiproxy.codecs.base import Answer, ModelCard
from aiproxy.gateway import Gateway
from aiproxy.gateway.call import read_call
from aiproxy.neutral.errors import NotFound
from aiproxy.providers.base import Operation
from aiproxy.web.answers import write_answer, write_failure
from aiproxy.web.context import Context, context_of
from aiproxy.web.sink import HttpSink

WIRE = openai_chat.WIRE


class OpenAI:
    app = Klein()

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @app.route("/v1/chat/completions", methods=["POST"])
    async def chat(self, request: Request) -> bytes:
        return await self._answer(request, Operation.CHAT)

    @app.route("/v1/completions", methods=["POST"])
    async def completions(self, request: Request) -> bytes:
        return await self._answer(request, Operation.COMPLETIONS)

    @app.route("/v1/embeddings", methods=["POST"])
    async def embeddings(self, request: Request) -> bytes:
        return await self._answer(request, Operation.EMBEDDINGS)

    @app.route("/v1/models", methods=["GET"])
    async def models(self, request: Request) -> bytes:
        return write_answer(request, Answer(200, WIRE.encode_models(await self._cards(_context(request)))))

    @app.route("/v1/models/<path:name>", methods=["GET"])
    async def model(self, request: Request, name: str) -> bytes:
        for card in await self._cards(_context(request)):
            if card.id == name:
                return write_answer(request, Answer(200, WIRE.encode_model(card)))
        message = f"The model {name!r} does not exist here or this key may not use it. GET /v1/models lists the names."
        raise NotFound(message, code="model_not_found", param="model")

    @app.handle_errors(Exception)
    def failed(self, request: IRequest, failure: Failure) -> bytes:
        return write_failure(WIRE, request, failure)

    async def _answer(self, request: Request, operation: Operation) -> bytes:
        context = _context(request)
        headers = {
            name.decode("latin-1").lower(): values[-1].decode("latin-1")
            for name, values in request.requestHeaders.getAllRawHeaders()
        }
        body = request.content.read()  # type: ignore[union-attr]
        call = read_call(WIRE, operation, body, context.client, headers, context.record)
        await self._gateway.answer(call, HttpSink(request))
        return b""

    async def _cards(self, context: Context) -> list[ModelCard]:
        snapshot = self._gateway.snapshot
        models = snapshot.catalogue.listing(await self._gateway.discovery.ask(snapshot))
        return [ModelCard(model.name, model.provider) for model in models if context.client.may_use(model.name)]


def _context(request: Request) -> Context:
    context = context_of(request)
    assert context is not None, "the site attaches a context before it routes"
    return context
