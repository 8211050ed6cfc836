"""What every protocol's routes do with a request: read it, hand it to the gateway, list models."""

from collections.abc import Sequence
from io import BytesIO

from twisted.web.server import Request

from aiproxy.codecs.base import Answer, ModelCard
from aiproxy.codecs.codec import Codec, Incoming
from aiproxy.codecs.wire import Wire
from aiproxy.gateway import Gateway
from aiproxy.gateway.call import read_call
from aiproxy.neutral.errors import NotFound
from aiproxy.providers.base import Operation
from aiproxy.web.answers import write_answer
from aiproxy.web.context import Context, context_of
from aiproxy.web.request import HttpRequest
from aiproxy.web.sink import HttpSink


def incoming(
    request: Request, *, operation: str = "", model: str | None = None, stream: bool | None = None
) -> Incoming:
    """The request as codecs take it; header names in lower case, several values of a name as the one list they mean."""
    assert isinstance(request, HttpRequest)
    headers = {
        name.decode("latin-1"): b", ".join(values).decode("latin-1") for name, values in request.received.items()
    }
    query = {
        name.decode("utf-8", "replace"): values[-1].decode("utf-8", "replace")
        for name, values in (request.args or {}).items()
    }
    return Incoming(body_of(request), model, stream, operation, headers, query)


def body_of(request: Request) -> bytes:
    """Without a copy: bodies of many megabytes are held as often as they are at work."""
    assert isinstance(request.content, BytesIO)
    return request.content.getvalue()


async def answer(
    gateway: Gateway,
    request: Request,
    wire: Wire,
    operation: Operation,
    asked: Incoming,
    *,
    codec: Codec | None = None,
    streams: bool = False,
) -> bytes:
    """Serve one call; what it answers has been written when this returns."""
    known = context(request)
    call = read_call(
        wire, operation, asked, known.client, known.record, codec=codec, streams=streams, provider=known.provider
    )
    call.overhears = known.overhears
    await gateway.answer(call, HttpSink(request))
    return b""


async def cards(gateway: Gateway, request: Request) -> list[ModelCard]:
    """The models this client may ask for, of the provider it names."""
    snapshot, known = gateway.snapshot, context(request)
    found, reach = await gateway.discovery.ask(snapshot), snapshot.reach(known.client)
    models = snapshot.catalogue.listing(found, known.provider, reach)
    return [ModelCard(model.name, model.provider) for model in models if known.client.may_use(model.name)]


async def list_models(gateway: Gateway, request: Request, wire: Wire) -> bytes:
    return write_answer(request, Answer(200, wire.encode_models(await cards(gateway, request))))


async def show_model(gateway: Gateway, request: Request, wire: Wire, name: str) -> bytes:
    return write_answer(request, Answer(200, wire.encode_model(named(await cards(gateway, request), name))))


def named(found: Sequence[ModelCard], name: str) -> ModelCard:
    """Raises `NotFound`."""
    for card in found:
        if card.id == name:
            return card
    message = f"The model {name!r} does not exist here or this key may not use it. GET /v1/models lists the names."
    raise NotFound(message, code="model_not_found", param="model")


def context(request: Request) -> Context:
    found = context_of(request)
    assert found is not None, "the site attaches a context before it routes"
    return found
