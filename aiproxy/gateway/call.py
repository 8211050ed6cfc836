"""A client's request as the web layer understood it, and the client's side of its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from twisted.internet.interfaces import IPushProducer

from aiproxy.clients import Client
from aiproxy.codecs.splice import read_object
from aiproxy.codecs.wire import Wire
from aiproxy.neutral.errors import InvalidRequest
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
    """`committed` is the point of no return: something of an answer was handed to the client."""

    wire: Wire
    operation: Operation
    body: bytes
    model: str
    stream: bool
    client: Client
    headers: Mapping[str, str]
    record: CallRecord
    committed: bool = field(default=False)

    @property
    def request_id(self) -> str:
        return self.record.request_id


def read_call(
    wire: Wire, operation: Operation, body: bytes, client: Client, headers: Mapping[str, str], record: CallRecord
) -> Call:
    """Understand a body as far as routing needs it. Raises `InvalidRequest` that names the field at fault."""
    asked: dict[str, Any] = read_object(body)
    model = asked.get("model")
    if not isinstance(model, str) or not model.strip():
        said = "is missing" if model is None else "must be a non-empty string"
        raise InvalidRequest(f"The field 'model' {said}. GET /v1/models lists the names.", param="model")
    stream = asked.get("stream")
    if not (stream is None or isinstance(stream, bool)):
        raise InvalidRequest("The field 'stream' must be true or false.", param="stream")
    record.client, record.protocol, record.model = client.name, wire.name, model
    return Call(wire, operation, body, model, bool(stream), client, headers, record)
