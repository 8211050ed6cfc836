"""A provider's relay as a process: it takes the gateway's calls over a socket and sends them on by HTTP, in the protocol of pages.

It shares no code with the gateway: `websockets` speaks to it, `httpx2` to the upstream."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from typing import Any

import httpx2
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

Answer = Callable[["Relay", str, dict[str, Any]], None]
"""What becomes of a call: the relay, the call's id, its payload."""


class Relay:
    """Connected. `asked` are the payloads of all calls, `cancelled` the ids that the gateway gave up."""

    def __init__(self, socket: ClientConnection, answer: Answer) -> None:
        self._socket, self._answer = socket, answer
        self.asked: list[dict[str, Any]] = []
        self.cancelled: list[str] = []
        self.heard = Event()
        """Set by each message."""
        self.code: int | None = None
        self._lock = Lock()
        self._thread = Thread(target=self._listen, daemon=True)
        self._thread.start()

    def say(self, name: str, kind: str, **payload: Any) -> None:
        self.send(json.dumps({"id": name, "type": kind, "payload": payload}))

    def send(self, text: str | bytes) -> None:
        with self._lock:
            self._socket.send(text)

    def close(self, code: int = 1000) -> None:
        self._socket.close(code)
        self._thread.join()

    def cut(self) -> None:
        """Without a word."""
        self._socket.socket.close()

    def wait(self) -> int | None:
        """Until the gateway closes the socket: the code it gives."""
        self._thread.join(20)
        return self.code

    def _listen(self) -> None:
        try:
            for text in self._socket:
                said = json.loads(text)
                match said["type"]:
                    case "http_request":
                        self.asked.append(said["payload"])
                        Thread(target=self._answered, args=(said["id"], said["payload"]), daemon=True).start()
                    case "cancel":
                        self.cancelled.append(said["id"])
                    case _:
                        self.asked.append(said)
                self.heard.set()
        except (ConnectionClosed, OSError):
            pass
        self.code = self._socket.close_code

    def _answered(self, name: str, payload: dict[str, Any]) -> None:
        with suppress(ConnectionClosed, OSError):
            self._answer(self, name, payload)


def fetching(key: str = "") -> Answer:
    """Asks whom the gateway named, and passes on what comes as it comes."""

    def answer(relay: Relay, name: str, payload: dict[str, Any]) -> None:
        headers = [(header, value) for header, values in payload["headers"].items() for value in values]
        if key:
            headers.append(("x-goog-api-key", key))
        try:
            asking = httpx2.stream(
                payload["method"], payload["url"], headers=headers, content=payload["body"].encode(), timeout=30
            )
            with asking as answered:
                relay.say(name, "stream_start", status=answered.status_code, headers=dict(answered.headers))
                for data in answered.iter_text():
                    relay.say(name, "stream_chunk", data=data)
        except httpx2.HTTPError as error:
            relay.say(name, "error", error=str(error), status=0)
            return
        relay.say(name, "stream_end")

    return answer


@contextmanager
def relay(address: str, answer: Answer, key: str = "", **more: Any) -> Iterator[Relay]:
    """Connected to the gateway at `address` (ws://…)."""
    headers = {"authorization": f"Bearer {key}"} if key else {}
    options: dict[str, Any] = {"additional_headers": headers, "proxy": None, "max_size": None, **more}
    with connect(f"{address}/v1/ws/relay", **options) as socket:
        running = Relay(socket, answer)
        try:
            yield running
        finally:
            running.close()
