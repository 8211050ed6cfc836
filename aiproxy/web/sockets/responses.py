"""`GET /v1/responses`: OpenAI's Responses API on a socket.

    →  {"type": "response.create", "stream_id"?, "generate"?, …the body of a request}   {"type": "response.steer", …}
    ←  the events that HTTP would have streamed, each with its `stream_id`;  {"type": "error", "status", "error", "headers"?}

Calls without a `stream_id` are answered one after the other, and so are those of one `stream_id`; those of different ones at once.
What is not to be stored (`store: false`) is remembered as long as the socket lasts: `previous_response_id` may name it here.

Source: OpenAI API reference, WebSocket mode; the types of its SDK; what Codex sends."""

from collections import deque
from collections.abc import Mapping
from typing import Any

import orjson

from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.json_bytes import dump, load_object
from aiproxy.codecs.openai_responses import CODEC
from aiproxy.codecs.openai_responses.observer import DONE, TERMINAL
from aiproxy.codecs.openai_responses.stored import REFERENCE, STORING
from aiproxy.codecs.splice import read_object
from aiproxy.framing import Frame
from aiproxy.framing.websocket import WebSocketConnection
from aiproxy.gateway.call import Call, read_call
from aiproxy.gateway.connection import Connection
from aiproxy.gateway.state import NOT_FOUND
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import GatewayError, InvalidRequest, RateLimited, UpstreamFailed
from aiproxy.providers.base import Operation
from aiproxy.transports.deadline import Deadline
from aiproxy.web.request import MIB
from aiproxy.web.sockets.session import Opened, Session, told_error
from aiproxy.web.sockets.sink import EventSink

LONGEST_LANE = 200
"""Characters of a `stream_id`: it comes back in every event."""

LIMIT_REACHED = "websocket_connection_limit_reached"
"""The code by which clients know that they must connect again."""

_ENVELOPE = ("type", "stream_id", "generate", "background")
"""What a message has besides a request's body, and a body means nothing by on a socket."""

_MODE = "responses_websockets"
"""Begins the name of the beta that is this mode, which no request over HTTP is in."""

_GONE_ON_FROM = ("response.completed", "response.incomplete")


class ResponsesSession(Session):
    def __init__(self, opened: Opened, connection: WebSocketConnection) -> None:
        super().__init__(opened, connection)
        self._lanes: dict[str, deque[bytes]] = {}
        """Messages that wait for the calls before them, by `stream_id`; "" is the lane of those without one."""
        self._most_waiting = int(opened.gateway.snapshot.settings.limits.request_body_mb * MIB)
        """Bytes of all of them: as many as one may have."""
        self._connection = Connection()
        self._headers = _without_the_mode(opened.headers)
        self._outlived = False
        self._lifetime = Deadline(opened.clock, self._outlive)
        if self.limits.responses_seconds:
            self._lifetime.set(self.limits.responses_seconds)

    def closed(self, code: int, reason: str) -> None:
        self._lanes.clear()
        self._lifetime.stop()
        super().closed(code, reason)
        self._connection.close()
        self.opened.gateway.state.responses.let_go(self._connection.memory)

    def asked(self, data: bytes) -> None:
        lane = ""
        try:
            said = read_object(data)
            lane = _lane(said)
            match said.get("type"):
                case "response.create":
                    self._enqueue(lane, said, data)
                case "response.steer":
                    self._refuse_steering(said)
                case other:
                    raise InvalidRequest(
                        f"There is no message of type {other!r:.40}; use response.create.", param="type"
                    )
        except GatewayError as error:
            self._refuse(lane, error)

    # -- one call of a lane after the other

    def _enqueue(self, lane: str, said: Mapping[str, Any], data: bytes) -> None:
        waiting = [len(each) for held in self._lanes.values() for each in held]
        if self.under_way + len(waiting) >= self.limits.calls:
            raise self.too_many()
        if not self.running(lane):
            self._begin(lane, said)
            return
        if sum(waiting) + len(data) > self._most_waiting:
            raise RateLimited("Too much waits on this socket: await an answer before the next call.")
        self._lanes.setdefault(lane, deque()).append(data)

    def ended(self, name: str) -> None:
        waiting = self._lanes.get(name)
        while waiting and not self.running(name):
            self._begin(name, read_object(waiting.popleft()))
        if not waiting:
            self._lanes.pop(name, None)

    def _begin(self, lane: str, said: Mapping[str, Any]) -> None:
        try:
            call = self._call(said)
        except GatewayError as error:
            self._refuse(lane, error)
        else:
            self.run(lane, self._answer(lane, call))

    def _call(self, said: Mapping[str, Any]) -> Call:
        client, record = self.admit(), self.record()
        if self._outlived:
            most = f"{self.limits.responses_seconds:g} s that it may (websocket.responses-seconds)"
            raise InvalidRequest(f"This socket has lasted the {most}; connect again.", code=LIMIT_REACHED)
        if said.get("background"):
            raise InvalidRequest(
                "Nothing runs in the background on a socket: leave `background` out.", param="background"
            )
        body = {name: value for name, value in said.items() if name not in _ENVELOPE} | {"stream": True}
        incoming = Incoming(dump(body), headers=self._headers)
        call = read_call(
            CODEC.wire, Operation.CHAT, incoming, client, record, codec=CODEC, provider=self.opened.provider
        )
        call.connection, call.warms_up = self._connection, _only_warms_up(said)
        return call

    async def _answer(self, lane: str, call: Call) -> None:
        sink = ResponsesSink(self, call, lane)
        error = await sink.answer()
        if error is not None and not sink.ended:
            self._refuse(lane, error, call.request_id)

    def _outlive(self) -> None:
        self._outlived = True
        self.leave("this socket has lasted as long as it may; connect again")

    # -- what goes wrong

    def _refuse(self, lane: str, error: GatewayError, request_id: str = "") -> None:
        answer, told = told_error(CODEC.wire, error, request_id or self.record().request_id)
        status = InvalidRequest.status if error.code == NOT_FOUND else answer.status  # as the API has it on a socket
        headers = {"headers": dict(answer.headers)} if answer.headers else {}
        self.say({"type": "error", "status": status, "error": told, **headers, **({"stream_id": lane} if lane else {})})

    def _refuse_steering(self, said: Mapping[str, Any]) -> None:
        """As the API does for models that can't be steered: the input comes back, to be sent with the next call."""
        error = {
            "type": "invalid_request_error",
            "code": "steering_not_supported",
            "message": "Answers can't be steered here: send the input with the next response.create.",
        }
        steer = {name: said.get(name) for name in ("input", "previous_response_id")}
        self.say({"type": "response.steer.failed", "sequence_number": 0, "error": error, "steer": steer})


class ResponsesSink(EventSink):
    def __init__(self, session: Session, call: Call, lane: str) -> None:
        super().__init__(session, call)
        self.ended = False
        """Whether the client was told how its call ended."""
        self._head = b'{"stream_id":%b,' % orjson.dumps(lane) if lane else b"{"
        self._items: dict[int, Json] = {}

    def told_event(self, frame: Frame) -> None:
        data = frame.data.strip()
        if data == DONE or self._cut:
            return
        try:
            event = load_object(data, exact=False)
        except UpstreamFailed:  # relayed deltas pass unread
            self.abort()
            return
        kind, response = event.get("type"), event.get("response")
        if kind == "response.output_item.done":
            self._items[event.get("output_index", 0)] = event.get("item")
        elif isinstance(response, dict):
            self.ended = self.ended or kind in TERMINAL or kind == "response.failed"
            if kind in _GONE_ON_FROM:
                self._remember(response)
            if self.call.continues is not None and response.get(REFERENCE) is None:  # its upstream doesn't know
                event = load_object(data)
                event["response"][REFERENCE] = self.call.continues
                data = dump(event)
        self.session.socket.send(self._head + data[1:])

    def _remember(self, response: Mapping[str, Json]) -> None:
        """An answer that nobody else keeps; what the gateway keeps itself, it has kept."""
        storing, response_id = STORING, response.get("id")
        if storing.wanted(self.call.incoming.outline) or not isinstance(response_id, str) or storing.ours(response_id):
            return
        output = response.get("output") or [self._items[index] for index in sorted(self._items)]
        self.session.opened.gateway.state.keep(self.call, {**response, "output": output})


def _lane(said: Mapping[str, Any]) -> str:
    lane = said.get("stream_id")
    if lane is None:
        return ""
    if not isinstance(lane, str) or not 0 < len(lane) <= LONGEST_LANE:
        raise InvalidRequest(f"`stream_id` must be a text of 1 to {LONGEST_LANE} characters.", param="stream_id")
    return lane


def _only_warms_up(said: Mapping[str, Any]) -> bool:
    cache = said.get("prompt_cache_options")
    return said.get("generate") is False or (isinstance(cache, dict) and cache.get("prewarm") is True)


def _without_the_mode(headers: Mapping[str, str]) -> Mapping[str, str]:
    betas = (beta.strip() for beta in headers.get("openai-beta", "").split(","))
    others = ", ".join(beta for beta in betas if beta and not beta.startswith(_MODE))
    rest = {name: value for name, value in headers.items() if name != "openai-beta"}
    return {**rest, "openai-beta": others} if others else rest
