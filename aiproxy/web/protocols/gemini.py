"""The Gemini API: generateContent, streamGenerateContent as events or as a JSON array, countTokens, embeddings, models.

Model and verb are in the path; models' names may hold slashes."""

from klein import Klein
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.server import Request

from aiproxy.codecs.gemini import ARRAY_CODEC, CODEC, WIRE
from aiproxy.gateway import Gateway
from aiproxy.neutral.errors import MethodNotAllowed, NotFound
from aiproxy.providers.base import Operation
from aiproxy.web.answers import write_failure
from aiproxy.web.protocols.answering import answer, incoming, list_models, show_model

VERBS = ("generateContent", "streamGenerateContent", "countTokens", "embedContent", "batchEmbedContents")


class Gemini:
    app = Klein()

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @app.route("/<version>/models", methods=["GET"])
    async def models(self, request: Request, version: str) -> bytes:  # noqa: ARG002 - all versions are alike to us
        return await list_models(self._gateway, request, WIRE)

    @app.route("/<version>/models/<path:name>", methods=["GET"])
    async def model(self, request: Request, version: str, name: str) -> bytes:  # noqa: ARG002
        _, colon, verb = name.rpartition(":")
        if colon and verb in VERBS:  # names of models may hold colons too
            raise MethodNotAllowed(f"GET is not possible for {verb}; use POST.", headers={"allow": "POST"})
        return await show_model(self._gateway, request, WIRE, name)

    @app.route("/<version>/models/<path:target>", methods=["POST"])
    async def call(self, request: Request, version: str, target: str) -> bytes:  # noqa: ARG002
        name, _, verb = target.rpartition(":")
        match verb:
            case "generateContent":
                asked = incoming(request, model=name, stream=False)
                return await answer(self._gateway, request, WIRE, Operation.CHAT, asked, codec=CODEC)
            case "streamGenerateContent":
                codec = CODEC if (request.args or {}).get(b"alt") == [b"sse"] else ARRAY_CODEC
                asked = incoming(request, model=name, stream=True)
                return await answer(self._gateway, request, codec.wire, Operation.CHAT, asked, codec=codec)
            case "countTokens":
                asked = incoming(request, model=name, stream=False, operation="count_tokens")
                return await answer(self._gateway, request, WIRE, Operation.COUNT_TOKENS, asked, codec=CODEC)
            case "embedContent" | "batchEmbedContents":
                operation = Operation.EMBEDDING if verb == "embedContent" else Operation.EMBEDDINGS
                asked = incoming(request, model=name, stream=False)
                return await answer(self._gateway, request, WIRE, operation, asked, codec=CODEC)
            case _:
                message = f"There is no method {verb!r} here; use {', '.join(VERBS[:-1])} or {VERBS[-1]}."
                raise NotFound(message, code="unknown_method")

    @app.handle_errors(Exception)
    def failed(self, request: IRequest, failure: Failure) -> bytes:
        return write_failure(WIRE, request, failure)
