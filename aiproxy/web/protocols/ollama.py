"""Ollama's API: chat, generate, embeddings, and what its clients ask about models. Under /ollama/api, and under /api."""

from time import time

from klein import Klein
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.server import Request

from aiproxy import __version__
from aiproxy.codecs.base import Answer, ModelCard
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.ollama import CODEC, WIRE
from aiproxy.codecs.ollama.embeddings import empty_embedding
from aiproxy.codecs.ollama.load import encode_load
from aiproxy.codecs.ollama.models import encode_running, encode_show, encode_version, read_show
from aiproxy.codecs.report import Report
from aiproxy.codecs.splice import read_object
from aiproxy.gateway import Gateway
from aiproxy.providers.base import Operation
from aiproxy.web.answers import write_answer, write_failure
from aiproxy.web.protocols.answering import answer, body_of, cards, context, incoming, list_models, named

KEPT_LOADED = 300
"""Seconds that `/api/ps` says a model stays loaded: Ollama's own default."""


class Ollama:
    app = Klein()

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @app.route("/ollama", methods=["GET", "HEAD"])
    def running(self, request: Request) -> bytes:
        return write_answer(request, Answer(200, b"Ollama is running", "text/plain; charset=utf-8"))

    @app.route("/ollama/api/chat", methods=["POST"])
    @app.route("/api/chat", methods=["POST"])
    async def chat(self, request: Request) -> bytes:
        return await self._answer(request, Operation.CHAT, "chat", "messages")

    @app.route("/ollama/api/generate", methods=["POST"])
    @app.route("/api/generate", methods=["POST"])
    async def generate(self, request: Request) -> bytes:
        return await self._answer(request, Operation.COMPLETIONS, "generate", "prompt")

    @app.route("/ollama/api/embed", methods=["POST"])
    @app.route("/api/embed", methods=["POST"])
    async def embed(self, request: Request) -> bytes:
        return await self._embed(request, Operation.EMBEDDINGS)

    @app.route("/ollama/api/embeddings", methods=["POST"])
    @app.route("/api/embeddings", methods=["POST"])
    async def embeddings(self, request: Request) -> bytes:
        return await self._embed(request, Operation.EMBEDDING)

    @app.route("/ollama/api/tags", methods=["GET"])
    @app.route("/api/tags", methods=["GET"])
    async def tags(self, request: Request) -> bytes:
        return await list_models(self._gateway, request, WIRE)

    @app.route("/ollama/api/show", methods=["POST"])
    @app.route("/api/show", methods=["POST"])
    async def show(self, request: Request) -> bytes:
        card = await self._card(request, read_show(body_of(request)))
        return write_answer(request, Answer(200, encode_show(card, self._gateway.snapshot.capabilities(card.id))))

    @app.route("/ollama/api/ps", methods=["GET"])
    @app.route("/api/ps", methods=["GET"])
    async def processes(self, request: Request) -> bytes:
        found = await cards(self._gateway, request)
        return write_answer(request, Answer(200, encode_running(found, int(time()) + KEPT_LOADED)))

    @app.route("/ollama/api/version", methods=["GET"])
    @app.route("/api/version", methods=["GET"])
    def version(self, request: Request) -> bytes:
        return write_answer(request, Answer(200, encode_version(__version__)))

    async def _answer(self, request: Request, operation: Operation, name: str, content: str) -> bytes:
        """Without content a client only wants the model loaded: there is nothing to do but to say so."""
        asked = incoming(request, operation=name)
        if read_object(asked.body).get(content):
            return await answer(self._gateway, request, WIRE, operation, asked, codec=CODEC, streams=True)
        await self._card(request, read_show(asked.body))
        sealer = Sealer(self._gateway.snapshot.sealing_key)
        wanted = CODEC.decode_request(asked, sealer, Report())
        exchange = Exchange(wanted, sealer, context(request).record.request_id, now=int(time()))
        return write_answer(request, encode_load(exchange))

    async def _embed(self, request: Request, operation: Operation) -> bytes:
        """Of no text there is no vector."""
        asked = incoming(request, stream=False)
        if said := empty_embedding(asked.body, one=operation is Operation.EMBEDDING):
            await self._card(request, read_show(asked.body))
            return write_answer(request, said)
        return await answer(self._gateway, request, WIRE, operation, asked, codec=CODEC)

    async def _card(self, request: Request, name: str) -> ModelCard:
        """Of a model that this client may ask for, also by `[provider] model`. Raises `NotFound`."""
        known = context(request)
        provider, name = self._gateway.snapshot.catalogue.provider_in(name)
        known.provider = provider or known.provider
        return named(await cards(self._gateway, request), name)

    @app.handle_errors(Exception)
    def failed(self, request: IRequest, failure: Failure) -> bytes:
        return write_failure(WIRE, request, failure)
