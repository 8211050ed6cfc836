"""A real upstream on loopback that does as it is told, byte by byte, and remembers what it was sent.

What it says follows the OpenAI API; a behaviour is a function that gets the request and the socket."""

import json
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any

CHUNK_ID = "chatcmpl-upstream"


@dataclass(frozen=True)
class Received:
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


Behaviour = Callable[[Received, "Wire"], None]


@dataclass
class Wire:
    """The upstream's end of a connection."""

    socket: socket.socket
    closed_by_peer: Event = field(default_factory=Event)

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        lines = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
        self.head(status, lines)
        self.send(body)

    def head(self, status: int, headers: Mapping[str, str]) -> None:
        fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.send(f"HTTP/1.1 {status} Status\r\n{fields}\r\n".encode())

    def chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def cut(self) -> None:
        """Close without an end, so that the other side can tell."""
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()

    def wait_for_close(self, seconds: float = 20.0) -> bool:
        """Whether the other side closes within this time."""
        self.socket.settimeout(seconds)
        try:
            while self.socket.recv(65536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        self.closed_by_peer.set()
        return True


class Upstream:
    """Serves each request with the next of `script`, or with `otherwise` when that is used up."""

    def __init__(self, otherwise: Behaviour, *, tls: ssl.SSLContext | None = None) -> None:
        self.otherwise = otherwise
        self.script: deque[Behaviour] = deque()
        self.received: list[Received] = []
        self._tls = tls
        self._lock = Lock()
        self._connections: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        scheme = "https" if tls else "http"
        self.base_url = f"{scheme}://{'localhost' if tls else '127.0.0.1'}:{self.port}/v1"
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # Shutting a listening socket down wakes the thread in accept(); closing alone doesn't.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with self._lock:
                self._connections.add(connection)
            stream = connection.makefile("rb")
            while request := _read(stream):
                with self._lock:
                    self.received.append(request)
                    behave = self.script.popleft() if self.script else self.otherwise
                behave(request, Wire(connection))
        with self._lock:
            self._connections.discard(connection)
        with suppress(OSError):
            connection.close()


def _read(stream: Any) -> Received | None:
    line = stream.readline()
    if not line:
        return None
    method, path, _ = line.decode("latin-1").split()
    headers: dict[str, str] = {}
    while (line := stream.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = stream.read(int(headers.get("content-length", 0)))
    return Received(method, path, headers, body)


@contextmanager
def upstream(otherwise: Behaviour, *, tls: ssl.SSLContext | None = None) -> Iterator[Upstream]:
    running = Upstream(otherwise, tls=tls)
    try:
        yield running
    finally:
        running.close()


# -- what it can do


def events(*words: str, model: str = "upstream-model", usage: bool = True) -> list[bytes]:
    """A faithful stream that says these words, an event each."""

    def event(delta: Mapping[str, object], finish: str | None = None) -> bytes:
        chunk = {
            "id": CHUNK_ID,
            "object": "chat.completion.chunk",
            "created": 1,
            "model": model,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }
        return b"data: " + json.dumps(chunk, ensure_ascii=False).encode() + b"\n\n"

    said = [
        event({"role": "assistant", "content": ""}),
        *(event({"content": word}) for word in words),
        event({}, "stop"),
    ]
    if usage:
        counts = {"prompt_tokens": 9, "completion_tokens": len(words), "total_tokens": 9 + len(words)}
        last = {
            "id": CHUNK_ID,
            "object": "chat.completion.chunk",
            "created": 1,
            "model": model,
            "choices": [],
            "usage": counts,
        }
        said.append(b"data: " + json.dumps(last).encode() + b"\n\n")
    return [*said, b"data: [DONE]\n\n"]


def completion(text: str, model: str = "upstream-model") -> bytes:
    answer = {
        "id": CHUNK_ID,
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": text, "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
    }
    return json.dumps(answer).encode()


def says(*words: str) -> Behaviour:
    """A right answer, streamed or whole as asked."""

    def behave(request: Received, wire: Wire) -> None:
        if request.method == "GET":
            listed = {
                "object": "list",
                "data": [{"id": "upstream-model", "object": "model", "created": 1, "owned_by": "u"}],
            }
            wire.answer(200, json.dumps(listed).encode())
        elif request.json.get("stream"):
            begin_stream(wire)
            for event in events(*words):
                wire.chunk(event)
            wire.chunk(b"")
        else:
            wire.answer(200, completion("".join(words)))

    return behave


def begin_stream(wire: Wire, content_type: str = "text/event-stream") -> None:
    wire.head(200, {"content-type": content_type, "transfer-encoding": "chunked"})


def fails(
    status: int, message: str = "upstream says no", headers: Mapping[str, str] | None = None, code: str | None = None
) -> Behaviour:
    body = json.dumps({"error": {"message": message, "type": "upstream_error", "param": None, "code": code}}).encode()
    return lambda _request, wire: wire.answer(status, body, headers)


def hangs_up(_request: Received, wire: Wire) -> None:
    """Closes without a word."""
    wire.cut()


def stream_then(after: Sequence[bytes], then: Callable[[Wire], None]) -> Behaviour:
    """These bytes of a stream, then something else than its end."""

    def behave(_request: Received, wire: Wire) -> None:
        begin_stream(wire)
        for data in after:
            wire.chunk(data)
        then(wire)

    return behave
