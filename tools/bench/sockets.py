"""Sockets at `/v1/ws`, many at rest and many at work: what one at rest costs, and whether memory grows while the others work.

    PYTHONPATH=tools python -m bench.sockets --idle 1000 --busy 200 --seconds 60

Exits with 1 when one at rest takes more than `IDLE_BYTES`, when memory grows, or when anything but whole answers comes."""

import json
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.error import ConnectError
from twisted.internet.protocol import Protocol
from twisted.internet.task import deferLater

from aiproxy.framing.websocket import Closed, Heard, Message, Reply, WebSocketConnection
from aiproxy.framing.websocket.handshake import fresh_key, request_headers
from bench.ports import free_port
from bench.processes import memory

IDLE_BYTES = 40_000
"""Of the gateway's memory, for a socket at rest."""

GROWTH = 1.05
"""Of memory from the first third of the run to the last: more is a leak."""

AFTER_AN_ERROR = 0.5
"""Seconds until a busy socket asks again."""

LAPS = 12
"""Looks at memory during the run."""

AT_ONCE = 50
"""Sockets that are opened at a time."""

TRIES = 600
"""Tenths of a second that a start may take: a busy machine is slow."""

MOST = 1 << 20
"""Bytes of a message."""

reactor: Any = installed


class Client(Protocol):
    """One socket. `opened` fires when the gateway has agreed; a busy one then asks, again and again."""

    def __init__(self, counted: "Counter[str]", *, busy: bool, model: str = "demo") -> None:
        self._model = model
        self.opened: Deferred[None] = Deferred()
        self._counted = counted
        self._busy = busy
        self._head: bytes | None = b""
        self._connection = WebSocketConnection(client=True, most=MOST)
        self._asked = 0

    def connectionMade(self) -> None:
        lines = "".join(f"{name}: {value}\r\n" for name, value in request_headers(fresh_key(bytes(16)), compress=False))
        self._write(f"GET /v1/ws HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n".encode())

    def dataReceived(self, data: bytes) -> None:
        if self._head is not None:
            head, end, data = (self._head + data).partition(b"\r\n\r\n")
            if not end:
                self._head = head
                return
            self._head = None
            self._counted["opened" if head.startswith(b"HTTP/1.1 101") else "refused"] += 1
            self.opened.callback(None)
            if self._busy:
                self._ask()
        for event in self._connection.feed(data):
            match event:
                case Message(text):
                    self._told(json.loads(text))
                case Reply(reply):
                    self._write(reply)
                case Closed():
                    self._counted["closed"] += 1
                case Heard():
                    self._counted["pings"] += 1

    def _told(self, said: dict[str, Any]) -> None:
        self._counted[said["type"]] += 1
        if said["type"] == "end" and self._busy:
            self._ask()
        elif said["type"] == "error":
            reactor.callLater(AFTER_AN_ERROR, self._ask_again)

    def _ask(self) -> None:
        self._asked += 1
        body = {"model": self._model, "messages": [{"role": "user", "content": "Tell me of the sea."}], "stream": True}
        said = {"type": "request", "id": f"r{self._asked}", "protocol": "openai-chat", "body": body}
        self._write(self._connection.text(json.dumps(said).encode()))

    def _ask_again(self) -> None:
        if self._busy:
            self._ask()

    def rest(self) -> None:
        """Ask no more."""
        self._busy = False

    def leave(self) -> None:
        self._busy = False
        assert self.transport is not None
        self.transport.loseConnection()

    def _write(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)


async def opened(port: int, count: int, counted: "Counter[str]", *, busy: bool, model: str = "demo") -> list[Client]:
    clients: list[Client] = []
    while len(clients) < count:
        some = [Client(counted, busy=busy, model=model) for _ in range(min(AT_ONCE, count - len(clients)))]
        for client in some:
            await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), client)
        for client in some:
            await client.opened
        clients += some
    return clients


async def listening(port: int) -> None:
    for _ in range(TRIES):
        with suppress(ConnectError):
            probe = await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), Protocol())
            probe.transport.loseConnection()
            return
        await deferLater(reactor, 0.1)
    raise TimeoutError("the gateway does not start")


async def run(asked: Namespace, port: int, pid: int) -> bool:
    counted: Counter[str] = Counter()
    warm = await opened(port, AT_ONCE, counted, busy=True)
    await deferLater(reactor, asked.before)
    for client in warm:
        client.rest()
    await deferLater(reactor, 5)
    before = memory(pid)
    await opened(port, asked.idle, counted, busy=False)
    await deferLater(reactor, 2)
    each = (memory(pid) - before) / asked.idle
    busy = await opened(port, asked.busy, counted, busy=True)
    looks = []
    for _ in range(LAPS):
        await deferLater(reactor, asked.seconds / LAPS)
        looks.append(memory(pid))
    for client in busy:
        client.rest()
    await deferLater(reactor, 5)
    third = len(looks) // 3
    growth = min(looks[-third:]) / min(looks[:third])
    wrong = counted["error"] + counted["closed"] + counted["refused"] + counted["start"] - counted["end"]
    print(
        f"{asked.idle} at rest: {each / 1000:.1f} kB each; {asked.busy} at work for {asked.seconds:g} s: {counted['end']} answers of "
        f"{counted['event']} events, {counted['pings']} pings, {wrong} wrong; memory {looks[0] / 1e6:.1f} → {looks[-1] / 1e6:.1f} MB "
        f"(× {growth:.3f})"
    )
    return each <= IDLE_BYTES and growth <= GROWTH and not wrong and bool(counted["end"])


def main() -> None:
    parser = ArgumentParser(prog="bench.sockets", description=__doc__)
    parser.add_argument("--idle", type=int, default=1000)
    parser.add_argument("--busy", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--before", type=float, default=10.0, help="seconds of calls before memory is looked at")
    asked = parser.parse_args()
    port = free_port()
    held: list[bool] = []
    with TemporaryDirectory(prefix="aiproxy-sockets-") as directory:
        file = Path(directory) / "aiproxy.yaml"
        file.write_text(
            f"port: {port}\nstate: memory\nlogging: {{level: warn}}\ndemo: {{latency: 0.2, tokens-per-second: 20}}\n"
        )
        file.chmod(0o600)
        command = [str(Path(sys.executable).parent / "twistd"), "-n", "--pidfile=", "aiproxy", "--config", str(file)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=directory) as gateway:

            async def begun() -> None:
                await listening(port)
                held.append(await run(asked, port, gateway.pid))

            running = Deferred.fromCoroutine(begun())
            running.addErrback(lambda failure: failure.printTraceback(sys.stderr))
            running.addBoth(lambda _: reactor.stop())
            reactor.run()
            gateway.terminate()
    sys.exit(0 if held == [True] else 1)


if __name__ == "__main__":
    main()
