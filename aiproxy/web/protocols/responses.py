"""OpenAI's Responses API: responses, those the gateway keeps, compactions and token counts."""

from klein import Klein
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.server import Request

from aiproxy.codecs.openai_responses import CODEC, WIRE
from aiproxy.codecs.openai_responses.stored import STORING, list_input, show, show_deleted
from aiproxy.gateway import Gateway
from aiproxy.neutral.errors import InvalidRequest, NotFound, Unsupported
from aiproxy.providers.base import Operation
from aiproxy.web.answers import write_answer, write_failure
from aiproxy.web.protocols.answering import answer, context, incoming


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

    @app.route("/v1/responses/compact", methods=["POST"])
    async def compact(self, request: Request) -> bytes:
        asked = incoming(request, operation="compact", stream=False)
        return await answer(self._gateway, request, WIRE, Operation.COMPACT, asked, codec=CODEC)

    @app.route("/v1/responses/<response_id>", methods=["GET"])
    async def retrieve(self, request: Request, response_id: str) -> bytes:
        kept = await self._kept(request, response_id)
        if incoming(request).query.get("stream") == "true":
            told = "Only answers of background calls can be streamed again, and the gateway makes none: leave `stream` out."
            raise Unsupported(told, param="stream")
        return write_answer(request, show(kept))

    @app.route("/v1/responses/<response_id>", methods=["DELETE"])
    async def delete(self, request: Request, response_id: str) -> bytes:
        if not await self._gateway.state.responses.forget(context(request).client.tenant, response_id):
            raise _not_kept(response_id)
        return write_answer(request, show_deleted(response_id))

    @app.route("/v1/responses/<response_id>/input_items", methods=["GET"])
    async def input_items(self, request: Request, response_id: str) -> bytes:
        await self._kept(request, response_id)
        turns = await self._gateway.state.conversation((context(request).client.tenant,), response_id, STORING)
        return write_answer(request, list_input(response_id, turns, incoming(request).query))

    @app.route("/v1/responses/<response_id>/cancel", methods=["POST"])
    async def cancel(self, request: Request, response_id: str) -> bytes:
        await self._kept(request, response_id)
        raise InvalidRequest(
            "Cannot cancel a synchronous response: only those made with `background` can be cancelled."
        )

    async def _kept(self, request: Request, response_id: str) -> bytes:
        kept = await self._gateway.state.responses.get(context(request).client.tenant, response_id)
        if kept is None:
            raise _not_kept(response_id)
        return kept

    @app.handle_errors(Exception)
    def failed(self, request: IRequest, failure: Failure) -> bytes:
        return write_failure(WIRE, request, failure)


def _not_kept(response_id: str) -> NotFound:
    return NotFound(
        f"Response with id '{response_id}' not found. The gateway keeps answers of upstreams that keep none; those of others "
        "are to be had there."
    )
