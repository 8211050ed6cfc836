"""`/v1/ws`: calls of all protocols on one socket, several at once.

    →  {"type": "request", "id", "protocol", "body", "provider"?, "model"?}   {"type": "cancel", "id"}   {"type": "ping"}
    ←  {"type": "start", "id", "status", "headers"}, then {"type": "event", "id", "seq", "event"?, "data"} each, then
       {"type": "end", "id", "usage"} or {"type": "error", "id", "status", "error"};  {"type": "pong"}

An answer streams unless its body says `"stream": false`. What is wrong with a message itself is an error whose `id` is null: no call
of that id is touched."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from twisted.internet.defer import CancelledError

from aiproxy.catalogue import known_provider
from aiproxy.codecs import gemini
from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.splice import read_object
from aiproxy.framing import Frame
from aiproxy.gateway.call import Call, read_call
from aiproxy.neutral.errors import GatewayError, InvalidRequest, NotFound
from aiproxy.neutral.usage import Usage
from aiproxy.providers.base import Operation
from aiproxy.registry import PROTOCOLS
from aiproxy.usage import CallRecord
from aiproxy.web.sockets.session import Session, told_error
from aiproxy.web.sockets.sink import CLIENT_CANCELLED, EventSink, as_json

LONGEST_ID = 200
"""Characters of the name that a client gives a call: it comes back in every event."""

_SAID_BY_PATHS = frozenset((gemini.CODEC.name,))
"""Protocols whose bodies name neither the model nor whether to stream: over HTTP the path does."""


class CallsSession(Session):
    def asked(self, data: bytes) -> None:
        try:
            said = read_object(data)
            match said.get("type"):
                case "request":
                    self._begin(said)
                case "cancel":
                    self._cancel(_name(said))
                case "ping":
                    self.say({"type": "pong"})
                case "hello" | "http_response" | "stream_start" | "stream_chunk" | "stream_end":
                    raise InvalidRequest("Relays of AI Studio connect at /v1/ws/relay.", param="type")
                case other:
                    raise InvalidRequest(
                        f"There is no message of type {other!r:.40}; use request, cancel or ping.", param="type"
                    )
        except GatewayError as error:
            self._refuse(None, error, "openai-chat")

    def _begin(self, said: Mapping[str, Any]) -> None:
        name = _name(said)
        if self.running(name):
            raise InvalidRequest(
                f"A call with the id {name!r} is under way; choose another one.", param="id", code="duplicate_id"
            )
        protocol = said.get("protocol")
        if not isinstance(protocol, str) or protocol not in PROTOCOLS:
            raise InvalidRequest(f"`protocol` must be one of {', '.join(PROTOCOLS)}.", param="protocol")
        record = self.record()
        try:
            call = self._call(said, protocol, record)
        except GatewayError as error:
            self._refuse(name, error, protocol)
            return
        self.run(name, self._answer(name, call))

    def _call(self, said: Mapping[str, Any], protocol: str, record: CallRecord) -> Call:
        client, codec = self.admit(), PROTOCOLS[protocol]
        record.client = client.name
        body = said.get("body")
        if not isinstance(body, dict):
            raise InvalidRequest("`body` must be an object: the request as it would be sent over HTTP.", param="body")
        incoming = Incoming(b"", headers=self.opened.headers)
        if protocol not in _SAID_BY_PATHS:
            body = {"stream": True, **body}
        else:
            body = dict(body)
            model, stream = body.pop("model", said.get("model")), body.pop("stream", True)
            incoming = replace(incoming, model=_model(model), stream=stream)
        operation = Operation.CHAT
        if protocol == "ollama":
            operation = Operation.COMPLETIONS if "prompt" in body else Operation.CHAT
            incoming = replace(incoming, operation="generate" if "prompt" in body else "chat")
        incoming = replace(incoming, body=dump(body))
        provider = self._provider(said.get("provider"))
        return read_call(codec.wire, operation, incoming, client, record, codec=codec, provider=provider)

    def _provider(self, named: Any) -> str:
        providers = self.opened.gateway.snapshot.catalogue.providers
        if named is None:
            return self.opened.provider
        if not isinstance(named, str) or not (found := known_provider(named, providers)):
            known = ", ".join(sorted(providers))
            raise NotFound(f"There is no such provider here. Those there are: {known}.", code="unknown_provider")
        return found

    async def _answer(self, name: str, call: Call) -> None:
        try:
            error = await CallSink(self, call, name).answer()
        except CancelledError:
            self.say(
                {
                    "type": "error",
                    "id": name,
                    "status": CLIENT_CANCELLED,
                    "error": {"message": "The call was cancelled.", "type": "cancelled", "code": "cancelled"},
                }
            )
            return
        if error is not None:
            self._refuse(name, error, call.wire.name, call.request_id)
        else:
            self.say({"type": "end", "id": name, "usage": _told_usage(call.record)})

    def _cancel(self, name: str) -> None:
        if not self.running(name):
            raise NotFound(f"No call with the id {name!r} is under way.", code="unknown_call", param="id")
        self.cancel(name)

    def _refuse(self, name: str | None, error: GatewayError, protocol: str, request_id: str = "") -> None:
        wire = PROTOCOLS[protocol].wire
        answer, told = told_error(wire, error, request_id or self.record().request_id)
        self.say({"type": "error", "id": name, "status": answer.status, "error": told})


class CallSink(EventSink):
    def __init__(self, session: Session, call: Call, name: str) -> None:
        super().__init__(session, call)
        self._name = name
        self._head = b'{"type":"event","id":%b,"seq":' % orjson.dumps(name)
        self._seq = 0

    def told_start(self, status: int, headers: Mapping[str, str]) -> None:
        told = {"x-request-id": self.call.request_id, **headers}
        self.session.say({"type": "start", "id": self._name, "status": status, "headers": told})

    def told_event(self, frame: Frame) -> None:
        event = b',"event":%b' % orjson.dumps(frame.event) if frame.event else b""
        self.session.socket.send(b'%b%d%b,"data":%b}' % (self._head, self._seq, event, as_json(frame.data)))
        self._seq += 1


def _name(said: Mapping[str, Any]) -> str:
    name = said.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST_ID:
        raise InvalidRequest(f"`id` must be a text of 1 to {LONGEST_ID} characters.", param="id")
    return name


def _model(found: Any) -> str:
    if not isinstance(found, str) or not found:
        raise InvalidRequest("`model` is missing: beside `body`, or in it.", param="model")
    return found.removeprefix("models/")


def _told_usage(record: CallRecord) -> dict[str, int | None] | None:
    """Of the attempt that answered; None where nobody said."""
    used: Usage | None = record.attempts[-1].usage if record.attempts else None
    if used is None:
        return None
    return {"input_tokens": used.input_total, "output_tokens": used.output_total}
