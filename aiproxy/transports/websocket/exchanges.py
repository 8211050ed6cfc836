"""Requests for streams as messages on one WebSocket, one after the other: OpenAI's Responses API as Codex's back end speaks it.

A socket is opened for the first request and kept. What cannot go that way goes over HTTP: a request beside another one, one to an
upstream that refuses the handshake, or that has had enough of its socket. Of a conversation that goes on from the answer before
it, only what is new is sent.

Source: OpenAI API reference, WebSocket mode; provider sheet codex."""

from collections.abc import Mapping, Sequence
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone

from aiproxy.codecs.json_bytes import dump, load_object
from aiproxy.framing.sse import encode_sse
from aiproxy.framing.websocket import Message
from aiproxy.framing.websocket.connection import NORMAL
from aiproxy.neutral.errors import Timeout, UpstreamFailed
from aiproxy.transports.answer import Answer
from aiproxy.transports.base import Request, Response, Transport
from aiproxy.transports.deadline import Deadline
from aiproxy.transports.websocket.client import Opened, Opening, connect
from aiproxy.transports.websocket.socket import SocketLimits

BETA = "responses_websockets=2026-02-06"
"""What the handshake says in `openai-beta`."""

IDLE_SECONDS = 300.0
"""How long a socket without a request is kept."""

LIMITS = SocketLimits(outbound=64 << 20, slow_reader_seconds=60.0)
"""One request of the largest size may wait while the upstream does not read."""

ENDS = ("response.completed", "response.incomplete", "response.failed", "response.cancelled", "error")

_ENOUGH = "websocket_connection_limit_reached"
"""The code by which an upstream asks for a new socket."""

_FORGOTTEN = "previous_response_not_found"
"""The code by which it asks for the whole conversation."""

_STALE = 401
"""The status of a token that is good no more: the next one is shown in another handshake."""

_OF_A_BODY = ("content-type", "accept")


class SocketTransport:
    """`first_byte` is seconds until an answer begins, 0 for no limit."""

    def __init__(self, transport: Transport, clock: IReactorTime, first_byte: float) -> None:
        self._transport = transport
        self._clock = clock
        self._first_byte = first_byte
        self._line: Line | None = None
        self._refused = self._busy = False

    def send(self, request: Request) -> Deferred[Response]:
        return Deferred.fromCoroutine(self._send(request))

    def close(self) -> None:
        if self._line is not None:
            self._line.close()

    async def _send(self, request: Request) -> Response:
        if self._refused or self._busy or (self._line is not None and self._line.busy):
            return await self._transport.send(request)
        self._busy = True
        try:
            line = await self._opened(request)
        finally:
            self._busy = False
        answer = None if line is None else await line.ask(request.body, self._first_byte)
        return await self._transport.send(request) if answer is None else answer

    async def _opened(self, request: Request) -> "Line | None":
        """None where it is to go over HTTP."""
        place = (request.url, request.proxy)
        if self._line is not None and self._line.open and self._line.place == place:
            return self._line
        self.close()
        headers = {name: value for name, value in request.headers if name not in _OF_A_BODY}
        headers["openai-beta"] = ", ".join(filter(None, (headers.get("openai-beta"), BETA)))
        try:
            opened = await connect(
                self._transport, Opening(request.url, tuple(headers.items()), proxy=request.proxy), self._clock
            )
        except UpstreamFailed as error:
            self._refused = error.upstream_status not in (None, 401)  # of a token that is renewed HTTP tells
            return None
        self._line = Line(opened, self._clock, place)
        return self._line


class Line:
    """One open socket, and the request it is busy with."""

    def __init__(self, opened: Opened, clock: IReactorTime, place: tuple[str, str]) -> None:
        self.place = place
        self.open = True
        self._clock = clock
        self._idle = Deadline(clock, self.close)
        self._first: Deferred[Response | None] | None = None
        self._answer: Answer | None = None
        self._early = b""
        self._whole = False
        """Whether the request says all of its conversation."""
        self._body = b""
        self._shortened = False
        """Whether it was sent without what the upstream has heard already."""
        self._said: list[Any] = []
        self._heard: dict[int, Any] = {}
        self._before: tuple[str, list[Any]] | None = None
        """The answer before, and the conversation up to it."""
        self._socket = opened.start(self, LIMITS)

    @property
    def busy(self) -> bool:
        return self._first is not None or self._answer is not None

    def close(self) -> None:
        self._idle.stop()
        if self.open:
            self.open = False
            self._socket.close(NORMAL)

    async def ask(self, body: bytes, first_byte: float) -> Response | None:
        """The answer, once it has begun; None where the upstream wants no more requests on this socket."""
        self._idle.lift()
        asked = load_object(body)
        self._body = body
        given = asked.get("input")
        self._said, self._heard, self._early = given if isinstance(given, list) else [], {}, b""
        before, self._before = self._before, None
        self._whole = not asked.get("previous_response_id")
        self._shortened = self._whole and before is not None and _begins_with(self._said, before[1])
        if before is not None and self._shortened:
            asked |= {"previous_response_id": before[0], "input": self._said[len(before[1]) :]}
        first: Deferred[Response | None] = Deferred(self._unwanted)
        self._first = first
        told = Timeout(f"The upstream sent nothing for {first_byte:g} s on its WebSocket (timeouts.first-byte).")
        alarm = self._clock.callLater(first_byte, self._give_up, told) if first_byte else None
        self._create(asked)
        try:
            return await first
        finally:
            if alarm is not None and alarm.active():
                alarm.cancel()

    def _create(self, asked: Mapping[str, Any]) -> None:
        self._socket.send(dump({"type": "response.create", **asked}))

    def _unwanted(self, _first: Deferred[Response | None]) -> None:
        self._first = None
        self.abort()

    def _give_up(self, error: Timeout) -> None:
        first, self._first = self._first, None
        self.abort()
        if first is not None:
            first.errback(error)

    # -- what the socket calls

    def received(self, message: Message) -> None:
        if not self.busy:
            return
        try:
            event = load_object(message.data, exact=False)
        except UpstreamFailed:
            self.abort()
            return
        kind = str(event.get("type", ""))
        frame = encode_sse(kind, message.data)
        if self._first is not None and kind.startswith("codex."):  # told before the answer begins
            self._early += frame
            return
        status = event.get("status", event.get("status_code"))
        if self._first is not None and kind == "error" and isinstance(status, int):
            self._refuse(status, event)
            return
        if self._first is not None:
            self._begin()
        if (answer := self._answer) is None:
            return
        self._note(kind, event)
        answer.received(frame)
        if kind in ENDS:
            self._answer = None
            self._idle.set(IDLE_SECONDS)
            answer.ended(Failure(ResponseDone()))
            self._socket.release()  # whoever reads slowly has all of it

    def paused(self) -> None:
        """A request waits in the transport."""

    def resumed(self) -> None: ...

    def closed(self, code: int, reason: str) -> None:
        self.open = False
        self._idle.stop()
        first, self._first = self._first, None
        answer, self._answer = self._answer, None
        if first is not None:
            first.errback(
                UpstreamFailed(f"The upstream closed its WebSocket before it answered: {code} {reason}".strip())
            )
        if answer is not None:
            answer.ended(Failure(ConnectionLost(f"{code} {reason}".strip())))

    # -- what the answer's reader asks of the connection

    def pause(self) -> None:
        self._socket.hold()

    def resume(self) -> None:
        self._socket.release()

    def abort(self) -> None:
        self.open = False
        self._idle.stop()
        self._socket.abort()

    def _begin(self) -> None:
        first, self._first = self._first, None
        assert first is not None
        self._answer = Answer(200, {"content-type": "text/event-stream"}, self)
        if self._early:
            self._answer.received(self._early)
        first.callback(self._answer)

    def _refuse(self, status: int, event: Mapping[str, Any]) -> None:
        error, headers = event.get("error"), event.get("headers")
        code = error.get("code") if isinstance(error, dict) else None
        if code == _FORGOTTEN and self._shortened:
            self._shortened = False
            self._create(load_object(self._body))
            return
        first, self._first = self._first, None
        assert first is not None
        self._idle.set(IDLE_SECONDS)
        if code == _ENOUGH or status == _STALE:
            self.close()
        if code == _ENOUGH:
            first.callback(None)
            return
        told = {str(name).lower(): str(value) for name, value in headers.items()} if isinstance(headers, dict) else {}
        answer = Answer(status, {**told, "content-type": "application/json"}, self)
        answer.received(dump({"error": error}))
        answer.ended(Failure(ResponseDone()))
        self._socket.release()
        first.callback(answer)

    def _note(self, kind: str, event: Mapping[str, Any]) -> None:
        """What the next request may go on from."""
        if kind == "response.output_item.done" and isinstance(event.get("output_index"), int):
            self._heard[event["output_index"]] = event.get("item")
        elif self._whole and kind == "response.completed" and isinstance(response := event.get("response"), dict):
            output = response.get("output") or [self._heard[place] for place in sorted(self._heard)]
            if isinstance(response.get("id"), str):
                self._before = (response["id"], [*self._said, *output])


def _begins_with(items: Sequence[Any], before: Sequence[Any]) -> bool:
    return 0 < len(before) < len(items) and items[: len(before)] == before
