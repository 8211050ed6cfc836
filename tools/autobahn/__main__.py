"""Autobahn's WebSocket test suite against either side of ours, by hand: an echo of all that the suite sends.

    PYTHONPATH=tools python -m autobahn client|server [--wstest COMMAND] [--cases '1.*,7.*'] [--report DIRECTORY]

The suite is `autobahntestsuite` on PyPI, whose `wstest` needs Python 2.7; COMMAND is how it is called here. Exits with 1 if a case
failed, and prints how many passed."""

import json
import os
import shlex
import sys
from argparse import ArgumentParser, Namespace
from collections import Counter
from contextlib import suppress
from pathlib import Path
from socket import create_server
from tempfile import mkdtemp
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessDone, ProcessExitedAlready, ProcessTerminated
from twisted.internet.protocol import Factory, ProcessProtocol, Protocol, connectionDone
from twisted.internet.task import deferLater, react
from twisted.python.failure import Failure

from aiproxy.config.schema import Timeouts
from aiproxy.framing.websocket import Message, WebSocketConnection
from aiproxy.framing.websocket.handshake import accept, read_offer
from aiproxy.neutral.errors import Unreachable
from aiproxy.transports.http import HttpTransport
from aiproxy.transports.websocket import Opening, SocketLimits, WebSocket, connect

CASES = "1.*,2.*,3.*,4.*,5.*,6.*,7.*,9.*,10.*,12.*,13.*"
MOST = 32 * 1024 * 1024
"""Bytes of a message; the suite's largest have 16 MiB."""
LIMITS = SocketLimits(2 * MOST, 60)
PASSED = ("OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED")


class Echo:
    """The `Listener` that says what it hears."""

    def __init__(self) -> None:
        self.socket: WebSocket | None = None
        self.heard: list[Message] = []
        self.over: Deferred[None] = Deferred()

    def received(self, message: Message) -> None:
        self.heard.append(message)
        if self.socket is not None:
            self.socket.send(message.data, text=message.text)

    def paused(self) -> None: ...
    def resumed(self) -> None: ...

    def closed(self, code: int, reason: str) -> None:  # noqa: ARG002 # a `Listener`'s
        self.over.callback(None)


class EchoServer(Protocol):
    """The least of HTTP that a handshake needs; the gateway's own is tested elsewhere."""

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._head = b""
        self._socket: WebSocket | None = None

    def dataReceived(self, data: bytes) -> None:
        if self._socket is not None:
            self._socket.dataReceived(data)
            return
        self._head += data
        head, end, rest = self._head.partition(b"\r\n\r\n")
        if end:
            self._open(head.decode("latin-1"), rest)

    def _open(self, head: str, rest: bytes) -> None:
        assert self.transport is not None
        headers: dict[str, list[str]] = {}
        for line in head.split("\r\n")[1:]:
            name, _, value = line.partition(":")
            headers.setdefault(name.lower(), []).append(value.strip())
        answer, deflate = accept(read_offer(headers), most=MOST)
        lines = "".join(f"{name}: {value}\r\n" for name, value in answer)
        self.transport.write(f"HTTP/1.1 101 Switching Protocols\r\n{lines}\r\n".encode())
        echo, connection = Echo(), WebSocketConnection(client=False, most=MOST, deflate=deflate)
        echo.socket = self._socket = WebSocket(connection, self._reactor, LIMITS)
        self._socket.open(self.transport, self.transport.write, echo)
        self._socket.dataReceived(rest)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self._socket is not None:
            self._socket.connectionLost(reason)


class Suite(ProcessProtocol):
    """`wstest`, which says what it does on our own output."""

    def __init__(self) -> None:
        self.over: Deferred[None] = Deferred()

    def processEnded(self, reason: Failure) -> None:
        reason.trap(ProcessDone, ProcessTerminated)
        self.over.callback(None)


def start(reactor: Any, asked: Namespace, mode: str, spec: dict[str, Any]) -> tuple[Suite, Any]:
    directory = Path(mkdtemp(prefix="autobahn-"))
    (directory / "spec.json").write_text(json.dumps(spec))
    command = [*shlex.split(asked.wstest), "-m", mode, "-u", "0", "-s", str(directory / "spec.json")]
    suite = Suite()
    process = reactor.spawnProcess(
        suite, command[0], command, dict(os.environ), str(directory), childFDs={0: "w", 1: 2, 2: 2}
    )
    return suite, process


async def against_our_server(reactor: Any, asked: Namespace, spec: dict[str, Any]) -> None:
    factory = Factory.forProtocol(lambda: EchoServer(reactor))
    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    url = f"ws://127.0.0.1:{port.getHost().port}"
    suite, _ = start(reactor, asked, "fuzzingclient", {**spec, "servers": [{"agent": "aiproxy", "url": url}]})
    await suite.over


async def against_our_client(reactor: Any, asked: Namespace, spec: dict[str, Any]) -> None:
    with create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"ws://127.0.0.1:{port}"
    suite, process = start(reactor, asked, "fuzzingserver", {**spec, "url": url})
    transport = HttpTransport(reactor, Timeouts(), os.environ)
    try:
        while not (count := await told(reactor, transport, f"{url}/getCaseCount")):
            await deferLater(reactor, 0.5)
        for case in range(1, int(count) + 1):
            await converse(reactor, transport, f"{url}/runCase?case={case}&agent=aiproxy")
        await converse(reactor, transport, f"{url}/updateReports?agent=aiproxy")
    finally:
        with suppress(ProcessExitedAlready):
            process.signalProcess("TERM")
        await suite.over


async def converse(reactor: Any, transport: HttpTransport, url: str) -> Echo:
    opened, echo = await connect(transport, Opening(url, most=MOST), reactor), Echo()
    echo.socket = opened.start(echo, LIMITS)
    for message in echo.heard:  # what came with the handshake
        echo.socket.send(message.data, text=message.text)
    await echo.over
    return echo


async def told(reactor: Any, transport: HttpTransport, url: str) -> bytes:
    """What a server says and then closes; b"" while there is none."""
    try:
        echo = await converse(reactor, transport, url)
    except Unreachable:
        return b""
    return echo.heard[0].data


def counted(report: Path) -> int:
    results = json.loads((report / "index.json").read_text())["aiproxy"]
    for told in ("behavior", "behaviorClose"):
        print(told, dict(Counter(result[told] for result in results.values())))
    failed = {
        case: result
        for case, result in results.items()
        if result["behavior"] not in PASSED or result["behaviorClose"] not in PASSED
    }
    for case, result in failed.items():
        print(case, result["behavior"], result["behaviorClose"])
    return 1 if failed else 0


async def run(reactor: Any, asked: Namespace) -> None:
    spec = {
        "outdir": str(asked.report),
        "cases": asked.cases.split(","),
        "exclude-cases": [],
        "exclude-agent-cases": {},
    }
    await (against_our_client if asked.side == "client" else against_our_server)(reactor, asked, spec)
    sys.exit(counted(asked.report))


def main() -> None:
    parser = ArgumentParser(prog="autobahn", description=__doc__)
    parser.add_argument("side", choices=("client", "server"))
    parser.add_argument("--wstest", default="wstest", metavar="COMMAND")
    parser.add_argument("--cases", default=CASES)
    parser.add_argument("--report", type=Path, metavar="DIRECTORY", default=Path(mkdtemp(prefix="autobahn-report-")))
    asked = parser.parse_args()
    react(lambda reactor: Deferred.fromCoroutine(run(reactor, asked)))


main()
