"""A client's request as the web layer understood it, and the client's side of its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any, Protocol

from twisted.internet.interfaces import IPushProducer

from aiproxy.clients import Client
from aiproxy.codecs.codec import Codec, Incoming
from aiproxy.codecs.report import Report
from aiproxy.codecs.sessions import NO_SESSION, Session, session_of
from aiproxy.codecs.splice import read_object
from aiproxy.codecs.tokens import most_tokens
from aiproxy.codecs.wire import Wire
from aiproxy.gateway.connection import Connection
from aiproxy.gateway.continuing import Continuation
from aiproxy.gateway.overhearing import Overhears
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.media import Source
from aiproxy.neutral.request import GenerateRequest, ReasoningConfig
from aiproxy.providers.base import Operation
from aiproxy.usage import CallRecord


class Sink(Protocol):
    """Where an answer goes. `start` once, then `write`; `abort` cuts the connection so that the client can't take a
    part for the whole. Writing to a client that has left is ignored."""

    def start(self, status: int, headers: Mapping[str, str]) -> None: ...
    def write(self, data: bytes) -> None: ...
    def abort(self) -> None: ...
    def register(self, producer: IPushProducer) -> None: ...
    def unregister(self) -> None: ...


@dataclass(slots=True)
class Call:
    """`codec` is None for what is never translated. `reasoning` is what a suffix of the model's name asked for, and beats
    the body. `provider` is the only one to ask, where the client named one. `continues` is the answer that the gateway kept and the
    request referred to: then `incoming` has the whole conversation, and `original` is the request as it came. `committed` is
    the point of no return: something of an answer was handed to the client. `opened`: status and headers of its stream were,
    and signs of life."""

    wire: Wire
    codec: Codec | None
    operation: Operation
    incoming: Incoming
    model: str
    stream: bool
    client: Client
    record: CallRecord
    provider: str = ""
    reasoning: ReasoningConfig | None = None
    session: Session = NO_SESSION
    understood: tuple[GenerateRequest, Report] | None = None
    continues: str | None = None
    original: Incoming | None = None
    media: dict[str, Source] = field(default_factory=dict)
    """What was fetched, by URL."""
    committed: bool = False
    opened: bool = False
    may_use: tuple[int, int] = (0, 0)
    """Tokens: what it reads and writes at most, as far as its body tells."""
    told: Mapping[str, str] = field(default_factory=dict)
    """Headers of the answer, whoever gives it."""
    continuation: Continuation | None = None
    """Where another account may go on with an answer that breaks off."""
    connection: Connection | None = None
    """What it comes on, where that keeps something for the calls after it."""
    warms_up: bool = False
    """Only to be gone on from: it is not answered with anything."""
    overhears: Overhears | None = None
    """Is told of what upstreams are asked and answer, as it comes."""
    seed: str = field(default_factory=lambda: token_hex(16))
    """What the ids we make for this call derive from: the client may have given several calls one `request_id`."""

    @property
    def request_id(self) -> str:
        return self.record.request_id


def read_call(
    wire: Wire,
    operation: Operation,
    incoming: Incoming,
    client: Client,
    record: CallRecord,
    *,
    codec: Codec | None = None,
    streams: bool = False,
    provider: str = "",
) -> Call:
    """Understand a body as far as routing needs it; `streams` is the protocol's default, `provider` the one named beside
    the body.

    Raises `InvalidRequest` that names the field at fault."""
    asked = _outlined(incoming)
    model = asked.get("model") if incoming.model is None else incoming.model
    if not isinstance(model, str) or not model.strip():
        said = "is missing" if model is None else "must be a non-empty string"
        raise InvalidRequest(f"The field 'model' {said}. GET /v1/models lists the names.", param="model")
    stream = asked.get("stream") if incoming.stream is None else incoming.stream
    if not (stream is None or isinstance(stream, bool)):
        raise InvalidRequest("The field 'stream' must be true or false.", param="stream")
    record.client, record.protocol, record.model = client.name, wire.name, model
    record.tags = client.tags
    stream = streams if stream is None else stream
    record.operation, record.streamed = operation.value, stream
    session = session_of(incoming.headers, asked)
    record.session = session.key
    tokens = (0, 0) if operation is Operation.COUNT_TOKENS else most_tokens(len(incoming.body), asked)
    return Call(
        wire, codec, operation, incoming, model, stream, client, record, provider, session=session, may_use=tokens
    )


def _outlined(incoming: Incoming) -> dict[str, Any]:
    """What is wrong is told of the whole."""
    try:
        return read_object(incoming.outline)
    except InvalidRequest:
        return read_object(incoming.body)
