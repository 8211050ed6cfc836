"""Answers that two readers could take for different ones, and plainly malformed ones; h11's verdict beside ours.

An answer is `whole`, `cut` (begun, and its end never comes), or `refused` before it has begun."""

from dataclasses import dataclass

import h11
import pytest
from twisted.internet.defer import Deferred
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss

from aiproxy.neutral.errors import UpstreamFailed
from tests.transports.servers import Bench, edge, get

OK = b"HTTP/1.1 200 OK\r\n"
TWO = OK + b"Content-Length: 2\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True)
class Case:
    name: str
    sent: bytes
    verdict: str
    milder: str = ""
    """Why we take what h11 refuses."""


CASES = [
    Case("plain", TWO + b"\r\nok", "whole"),
    Case("ended by close", OK + b"\r\nok", "whole"),
    Case("chunked", CHUNKED + b"2\r\nok\r\n0\r\n\r\n", "whole"),
    # The status line.
    Case("no reason", b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok", "whole"),
    Case("HTTP/1.0", b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "whole"),
    Case("lower-case http", b"http/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "refused"),
    Case("HTTP/2.0", b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok", "refused"),
    Case("a status of two digits", b"HTTP/1.1 20 OK\r\nContent-Length: 2\r\n\r\nok", "refused"),
    Case("a status of four digits", b"HTTP/1.1 2000 OK\r\nContent-Length: 2\r\n\r\nok", "refused"),
    Case("no status", b"HTTP/1.1 OK\r\nContent-Length: 2\r\n\r\nok", "refused"),
    Case("switching protocols", b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nok", "refused"),
    Case("continue, then an answer", b"HTTP/1.1 100 Continue\r\n\r\n" + TWO + b"\r\nok", "whole"),
    Case(
        "hints with headers, then an answer",
        b"HTTP/1.1 103 Hints\r\nContent-Length: 9\r\n\r\n" + TWO + b"\r\nok",
        "whole",
    ),
    # Lines.
    Case("bare LF everywhere", b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", "refused"),
    Case("bare LF after a header", TWO + b"A: b\nC: d\r\n\r\nok", "refused"),
    Case("bare CR in a value", TWO + b"A: b\rC: d\r\n\r\nok", "refused"),
    Case("obs-fold", TWO + b"A: b\r\n c\r\n\r\nok", "refused"),
    Case("no colon", TWO + b"Nothing\r\n\r\nok", "refused"),
    Case("a blank before the colon", TWO + b"A : b\r\n\r\nok", "refused"),
    Case("no name", TWO + b": b\r\n\r\nok", "refused"),
    Case("NUL in a value", TWO + b"A: b\x00c\r\n\r\nok", "refused"),
    Case("raw UTF-8 in a value", TWO + "A: é\r\n\r\nok".encode(), "whole"),
    # Length.
    Case("both lengths", TWO + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "refused"),
    Case("two lengths", TWO + b"Content-Length: 3\r\n\r\nok!", "refused"),
    Case("two equal lengths", TWO + b"Content-Length: 2\r\n\r\nok", "refused"),
    Case("a negative length", OK + b"Content-Length: -2\r\n\r\nok", "refused"),
    Case("a signed length", OK + b"Content-Length: +2\r\n\r\nok", "refused"),
    Case("a hexadecimal length", OK + b"Content-Length: 0x2\r\n\r\nok", "refused"),
    Case("no digits", OK + b"Content-Length: \r\n\r\nok", "refused"),
    Case("a length beyond 64 bits", OK + b"Content-Length: 99999999999999999999999\r\n\r\nok", "refused"),
    Case("another coding", OK + b"Transfer-Encoding: gzip\r\n\r\nok", "refused"),
    Case("two codings", OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "refused"),
    Case("chunked twice", OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "refused"),
    Case("chunks in HTTP/1.0", b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", "refused"),
    Case("less than the length", OK + b"Content-Length: 3\r\n\r\nok", "cut"),
    Case("no content with a length", b"HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", "whole"),
    Case("not modified with a length", b"HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n", "whole"),
    # Chunks.
    Case("a chunk extension", CHUNKED + b"2;a=b\r\nok\r\n0\r\n\r\n", "whole"),
    Case("trailers", CHUNKED + b"2\r\nok\r\n0\r\nA: b\r\n\r\n", "whole"),
    Case("a chunk without its line end", CHUNKED + b"2\r\nok0\r\n\r\n", "cut"),
    Case("a chunk longer than said", CHUNKED + b"1\r\nok\r\n0\r\n\r\n", "cut"),
    Case("a chunk size that is none", CHUNKED + b"x\r\nok\r\n0\r\n\r\n", "cut"),
    Case("a signed chunk size", CHUNKED + b"+2\r\nok\r\n0\r\n\r\n", "cut"),
    Case("a prefixed chunk size", CHUNKED + b"0x2\r\nok\r\n0\r\n\r\n", "cut"),
    Case("a chunk size beyond 64 bits", CHUNKED + b"11111111111111112\r\nok\r\n0\r\n\r\n", "cut"),
    Case("bare LF in chunks", CHUNKED + b"2\nok\n0\n\n", "cut"),
    Case("no last chunk", CHUNKED + b"2\r\nok\r\n", "cut"),
    Case("no end of trailers", CHUNKED + b"2\r\nok\r\n0\r\n", "cut"),
]


def verdict_of_h11(sent: bytes) -> str:
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("host", "h")]))
    client.send(h11.EndOfMessage())
    begun = False
    for data in (sent, b""):
        client.receive_data(data)
        while True:
            try:
                event = client.next_event()
            except h11.RemoteProtocolError:
                return "cut" if begun else "refused"
            match event:
                case h11.Response():
                    begun = True
                case h11.EndOfMessage():
                    return "whole"
                case h11.InformationalResponse(status_code=101) | h11.PAUSED:
                    return "refused"
                case h11.NEED_DATA:
                    break
    return "cut"


async def our_verdict(bench: Bench, sent: bytes, pieces: int) -> tuple[str, bytes]:
    upstream = bench.upstream()
    reading = Deferred.fromCoroutine(bench.read(bench.transport().send(get(upstream.port))))
    peer = await bench.soon(upstream.requests.get())
    size = -(-len(sent) // pieces)
    for start in range(0, len(sent), size):
        if peer.open:
            peer.write(sent[start : start + size])
            await bench.tick(0.001)
    if peer.open:
        peer.hang_up()
    try:
        _, body, reason = await reading
    except UpstreamFailed:
        return "refused", b""
    return "whole" if reason.check(ResponseDone, PotentialDataLoss) else "cut", body.data


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.parametrize("pieces", [1, 7])
@edge
async def test_our_verdict(bench: Bench, case: Case, pieces: int) -> None:
    verdict, body = await our_verdict(bench, case.sent, pieces)
    assert verdict == case.verdict
    if verdict == "whole":
        assert body in (b"ok", b"")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_we_take_nothing_that_h11_refuses(case: Case) -> None:
    order = ("refused", "cut", "whole")
    milder = order.index(case.verdict) > order.index(verdict_of_h11(case.sent))
    assert milder is bool(case.milder), verdict_of_h11(case.sent)
