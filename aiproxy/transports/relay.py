"""An upstream that came to us: requests go out as messages on its socket, answers come back as messages.

    →  {"id", "type": "http_request", "payload": {"method", "url", "headers", "body", "sent_at"}}
       {"id", "type": "cancel"}: nobody waits for this answer any more (who doesn't know it may go on; it is thrown away)
    ←  {"id", "type": "http_response", "payload": {"status", "headers", "body"}}: whole, or
       {"id", "type": "stream_start", "payload": {"status", "headers"}}, then
       {"id", "type": "stream_chunk", "payload": {"data"}} each, then {"id", "type": "stream_end"}
       {"id", "type": "error", "payload": {"error", "status"}}: instead of an answer, or of the rest of one

Source: provider sheet aistudio; CLIProxyAPI's pages speak it."""

from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from twisted.internet.defer import Deferred, fail
from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone, ResponseFailed

from aiproxy.codecs.json_bytes import dump
from aiproxy.neutral.errors import GatewayError, Timeout, Unreachable, UpstreamFailed
from aiproxy.transports.answer import Answer
from aiproxy.transports.base import Request, Response

_OF_THE_CONNECTION = frozenset(("connection", "content-encoding", "content-length", "keep-alive", "transfer-encoding"))
"""What a page tells of its own connection: its browser has undone the framing and the compression."""

LAST_STATUS = 599


class RelayTransport:
    """The `Transport` of `base` over one relay's socket: `say` sends a text message. `held` is bytes of one answer that wait for a
    client which reads slowly; more cut it, since what comes for others can't be held back. `first_byte` is seconds, 0 for none."""

    def __init__(
        self,
        name: str,
        say: Callable[[bytes], None],
        clock: IReactorTime,
        *,
        held: int,
        first_byte: Callable[[], float],
    ) -> None:
        self._name = name
        self._say = say
        self._clock = clock
        self._held = held
        self._first_byte = first_byte
        self._asked: dict[str, _Asked] = {}
        self._waiting: dict[str, bytes] = {}
        self._reads = True
        self._gone = False

    @property
    def busy(self) -> bool:
        return bool(self._asked)

    def send(self, request: Request) -> Deferred[Response]:
        if self._gone:
            return fail(Unreachable(f"The relay {self._name!r} has left."))
        name = str(uuid4())
        asked = self._asked[name] = _Asked(self, name, self._held)
        try:
            message = _message(name, request)
        except UnicodeDecodeError:
            del self._asked[name]
            return fail(UpstreamFailed("A relay takes requests in UTF-8 only."))
        if self._reads:
            self._say(message)
        else:
            self._waiting[name] = message
        if seconds := self._first_byte():
            asked.alarm = self._clock.callLater(seconds, asked.expire, seconds)
        return asked.answered

    def received(self, said: Mapping[str, Any]) -> None:
        """A message about a request. One that nobody waits for is thrown away: it crossed with a cancel."""
        asked = self._asked.get(str(said.get("id")))
        if asked is not None:
            payload = said.get("payload")
            asked.told(said.get("type"), payload if isinstance(payload, dict) else {})

    def paused(self) -> None:
        """The relay does not read: what is asked now waits here."""
        self._reads = False

    def resumed(self) -> None:
        self._reads = True
        while self._waiting and self._reads:
            self._say(self._waiting.pop(next(iter(self._waiting))))

    def left(self) -> None:
        """Its socket is closed: what was asked fails."""
        self._gone = True
        self._waiting.clear()
        for asked in list(self._asked.values()):
            asked.fail(Unreachable(f"The relay {self._name!r} left before it answered."))

    def over(self, name: str) -> None:
        self._asked.pop(name, None)
        self._waiting.pop(name, None)

    def cancel(self, name: str) -> None:
        if name not in self._asked:
            return
        unsaid = self._waiting.pop(name, None)
        self.over(name)
        if unsaid is None and not self._gone:
            self._say(dump({"id": name, "type": "cancel"}))

    def __str__(self) -> str:
        return f"The relay {self._name!r}"


class _Asked:
    """One request under way, and the `Flow` of its answer."""

    def __init__(self, transport: RelayTransport, name: str, most: int) -> None:
        self._transport, self._name, self._most = transport, name, most
        self._answer: Answer | None = None
        self._late: deque[bytes] = deque()
        self._held = 0
        self._paused = False
        self._last: Failure | None = None
        self.alarm: IDelayedCall | None = None
        self.answered: Deferred[Response] = Deferred(lambda _: self.abort())

    # -- what the relay says

    def told(self, kind: Any, payload: Mapping[str, Any]) -> None:
        match kind, self._answer:
            case (("stream_start" | "http_response"), None):
                self._started(kind, payload)
            case "stream_chunk", Answer() as answer:
                self._chunk(answer, payload.get("data"))
            case "stream_end", Answer() as answer:
                self._end(answer, Failure(ResponseDone()))
            case "error", _:
                self._failed(payload.get("status"), payload.get("error"))
            case _:
                self._refuse(f"`{kind!s:.40}` at the wrong time")

    def _started(self, kind: str, payload: Mapping[str, Any]) -> None:
        status, body = payload.get("status"), payload.get("body", "")
        if not isinstance(status, int) or not 200 <= status <= LAST_STATUS or not isinstance(body, str):
            self._refuse(f"`{kind}` without a sound `status` and `body`")
            return
        answer = self._begin(status, _headers(payload.get("headers")))
        if kind == "http_response":
            self._chunk(answer, body)
            self._end(answer, Failure(ResponseDone()))

    def _failed(self, status: Any, words: Any) -> None:
        told = words if isinstance(words, str) else "no reason given"
        if self._answer is None and isinstance(status, int) and 400 <= status <= LAST_STATUS:
            answer = self._begin(status, {"content-type": "application/json"})
            self._chunk(answer, dump({"error": {"code": status, "message": told}}).decode())
            self._end(answer, Failure(ResponseDone()))
        else:
            self.fail(UpstreamFailed(f"{self._transport} failed: {told:.200}"))

    def _begin(self, status: int, headers: Mapping[str, str]) -> Answer:
        self._disarm()
        answer = self._answer = Answer(status, headers, self)
        self.answered.callback(answer)
        return answer

    def _chunk(self, answer: Answer, data: Any) -> None:
        if not isinstance(data, str):
            self._refuse("a piece that is no text")
        elif not self._paused:
            answer.received(data.encode())
        elif self._held + len(data) > self._most:
            self._refuse("more than waits for a client that reads slowly (websocket.outbound-mb)")
        else:
            self._late.append(data.encode())
            self._held += len(data)

    def _end(self, answer: Answer, reason: Failure) -> None:
        """After all that waits. The relay is done with it."""
        self._transport.over(self._name)
        if self._late:
            self._last = reason
        else:
            answer.ended(reason)

    def _refuse(self, words: str) -> None:
        self._transport.cancel(self._name)
        self.fail(UpstreamFailed(f"{self._transport} sent {words}."))

    def fail(self, error: GatewayError) -> None:
        self._transport.over(self._name)
        self._disarm()
        if self._answer is not None:
            self._end(self._answer, Failure(ResponseFailed([Failure(error)])))
        elif not self.answered.called:
            self.answered.errback(error)

    def expire(self, seconds: float) -> None:
        self.alarm = None
        self._transport.cancel(self._name)
        self.fail(Timeout(f"{self._transport} began no answer within {seconds:g} s (timeouts.first-byte)."))

    def _disarm(self) -> None:
        if self.alarm is not None:
            self.alarm.cancel()
            self.alarm = None

    # -- what the answer's reader wants

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False
        answer = self._answer
        assert answer is not None
        while self._late and not self._paused:
            data = self._late.popleft()
            self._held -= len(data)
            answer.received(data)
        if self._last is not None and not self._late:
            last, self._last = self._last, None
            answer.ended(last)

    def abort(self) -> None:
        self._disarm()
        self._transport.cancel(self._name)
        self._late.clear()
        if self._answer is not None:
            self._answer.ended(Failure(ConnectionAborted()))


def _message(name: str, request: Request) -> bytes:
    """Raises `UnicodeDecodeError`."""
    headers: dict[str, list[str]] = {}
    for header, value in request.headers:
        headers.setdefault(header, []).append(value)
    payload = {
        "method": request.method,
        "url": request.url,
        "headers": headers,
        "body": request.body.decode(),
        "sent_at": datetime.now(UTC).isoformat(),
    }
    return dump({"id": name, "type": "http_request", "payload": payload})


def _headers(told: Any) -> Mapping[str, str]:
    """Names in lower case; several values joined. What isn't text is left out."""
    found: dict[str, str] = {}
    for name, value in told.items() if isinstance(told, dict) else ():
        values = [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]
        if values and name.lower() not in _OF_THE_CONNECTION:
            found[name.lower()] = ", ".join(values)
    return found
