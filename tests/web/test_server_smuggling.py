"""Requests that two readers could take for different ones, and plainly malformed ones; h11's verdict beside ours."""

from collections.abc import Sequence
from dataclasses import dataclass

import h11
import pytest

from tests.web.serving import Service, edge

GET = b"GET /p HTTP/1.1\r\nHost: h\r\n"
POST = b"POST /p HTTP/1.1\r\nHost: h\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"


@dataclass(frozen=True)
class Case:
    name: str
    sent: bytes
    status: int
    milder: str = ""
    """Why we take what h11 refuses. The other way round we are stricter in some twenty cases, and mean to be."""


CASES = [
    # The request line.
    Case("no version", b"GET /p\r\nHost: h\r\n\r\n", 400),
    Case("HTTP/0.9", b"GET /p\r\n\r\n", 400),
    Case("HTTP/2.0 in clear", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    Case("HTTP/1.2", b"GET /p HTTP/1.2\r\nHost: h\r\n\r\n", 505),
    Case("HTTP/3.7", b"GET /p HTTP/3.7\r\nHost: h\r\n\r\n", 505),
    Case("HTTP/11.1", b"GET /p HTTP/11.1\r\nHost: h\r\n\r\n", 400),
    Case("lower-case http", b"GET /p http/1.1\r\nHost: h\r\n\r\n", 400),
    Case("two blanks", b"GET  /p HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    Case("a tab", b"GET\t/p HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    Case("a blank at the end", b"GET /p HTTP/1.1 \r\nHost: h\r\n\r\n", 400),
    Case("a blank in the path", b"GET /p q HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    Case("NUL in the path", b"GET /p\x00 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    Case("raw UTF-8 in the path", "GET /é HTTP/1.1\r\nHost: h\r\n\r\n".encode(), 400),
    Case("a method that is no token", b"G@T /p HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    Case("two empty lines first", b"\r\n\r\n" + GET + b"\r\n", 400),
    Case("one empty line first", b"\r\n" + GET + b"\r\n", 200, "RFC 9112, 2.2 asks servers to forgive one"),
    Case("a blank line first", b" \r\n" + GET + b"\r\n", 400),
    Case("a path without a slash", b"GET p HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    Case("a star for GET", b"GET * HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    Case("CONNECT", b"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    Case("another scheme", b"GET ftp://h/p HTTP/1.1\r\nHost: h\r\n\r\n", 400),
    Case("a TLS handshake", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    Case("binary noise", bytes(range(128, 256)), 400),
    # Lines.
    Case("bare LF everywhere", b"GET /p HTTP/1.1\nHost: h\n\n", 400),
    Case("bare LF after the request line", b"GET /p HTTP/1.1\nHost: h\r\n\r\n", 400),
    Case("bare LF after a header", GET + b"A: b\nC: d\r\n\r\n", 400),
    Case("bare LF LF inside", GET + b"A: b\n\n" + SMUGGLED, 400),
    Case("bare CR in a value", GET + b"A: b\rC: d\r\n\r\n", 400),
    Case("CR CR LF", GET + b"A: b\r\r\n\r\n", 400),
    Case("obs-fold", GET + b"A: b\r\n c\r\n\r\n", 400),
    Case("a folded first line", b"GET /p HTTP/1.1\r\n Host: h\r\n\r\n", 400),
    Case("no colon", GET + b"Nothing\r\n\r\n", 400),
    Case("no name", GET + b": b\r\n\r\n", 400),
    Case("a blank before the colon", GET + b"A : b\r\n\r\n", 400),
    Case("a tab before the colon", GET + b"A\t: b\r\n\r\n", 400),
    Case("a blank in the name", GET + b"A B: c\r\n\r\n", 400),
    Case("NUL in a value", GET + b"A: b\x00c\r\n\r\n", 400),
    Case("a vertical tab in a value", GET + b"A: b\x0bc\r\n\r\n", 400),
    Case("DEL in a value", GET + b"A: b\x7fc\r\n\r\n", 400),
    Case("blanks around a value", GET + b"A: \t b\t \r\n\r\n", 200),
    Case("an empty value", GET + b"A:\r\n\r\n", 200),
    Case("raw UTF-8 in a value", GET + "A: é\r\n\r\n".encode(), 200),
    # Host.
    Case("no Host", b"GET /p HTTP/1.1\r\n\r\n", 400),
    Case("two Hosts", GET + b"Host: i\r\n\r\n", 400),
    Case("two equal Hosts", GET + b"Host: h\r\n\r\n", 400),
    Case("no Host in HTTP/1.0", b"GET /p HTTP/1.0\r\n\r\n", 200),
    Case("two Hosts in HTTP/1.0", b"GET /p HTTP/1.0\r\nHost: h\r\nHost: i\r\n\r\n", 400),
    Case("a path in Host", b"GET /p HTTP/1.1\r\nHost: h/x\r\n\r\n", 400),
    Case("a user in Host", b"GET /p HTTP/1.1\r\nHost: u@h\r\n\r\n", 400),
    # Length.
    Case(
        "Content-Length and Transfer-Encoding",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        400,
    ),
    Case(
        "Transfer-Encoding and Content-Length",
        POST + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        400,
    ),
    Case("differing Content-Lengths", POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    Case("equal Content-Lengths", POST + b"Content-Length: 1\r\nContent-Length: 1\r\n\r\na", 400),
    Case("a list of lengths", POST + b"Content-Length: 1, 1\r\n\r\na", 400),
    Case("a signed length", POST + b"Content-Length: +1\r\n\r\na", 400),
    Case("a negative length", POST + b"Content-Length: -1\r\n\r\na", 400),
    Case("a hexadecimal length", POST + b"Content-Length: 0x1\r\n\r\na", 400),
    Case("a length with an underscore", POST + b"Content-Length: 1_0\r\n\r\n0123456789", 400),
    Case("an empty length", POST + b"Content-Length:\r\n\r\n", 400),
    Case("a length in other digits", POST + "Content-Length: ١\r\n\r\na".encode(), 400),
    Case("a length of 5,000 digits", POST + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", 400),
    Case("a length of 20 digits", POST + b"Content-Length: " + b"9" * 20 + b"\r\n\r\n", 413),
    Case("an unknown coding", POST + b"Transfer-Encoding: gzip\r\n\r\n", 400),
    Case("a coding before chunked", POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 400),
    Case("identity", POST + b"Transfer-Encoding: identity\r\n\r\n", 400),
    Case("chunked twice", POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    Case("chunked in one list twice", POST + b"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400),
    Case("xchunked", POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", 400),
    Case("a quoted chunked", POST + b'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n', 400),
    Case("a vertical tab before chunked", POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", 400),
    Case("chunked in HTTP/1.0", b"POST /p HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    Case("CHUNKED", POST + b"Transfer-Encoding: CHUNKED\r\n\r\n0\r\n\r\n", 200),
    # Chunks.
    Case("chunks", CHUNKED + b'3\r\nabc\r\n00A;x="y"\r\n0123456789\r\n0\r\nTrailer: t\r\n\r\n', 200),
    Case("a size that is no number", CHUNKED + b"x\r\nabc\r\n0\r\n\r\n", 400),
    Case("no size", CHUNKED + b"\r\nabc\r\n0\r\n\r\n", 400),
    Case("a signed size", CHUNKED + b"+3\r\nabc\r\n0\r\n\r\n", 400),
    Case("a size with 0x", CHUNKED + b"0x3\r\nabc\r\n0\r\n\r\n", 400),
    Case("a size with an underscore", CHUNKED + b"0_3\r\nabc\r\n0\r\n\r\n", 400),
    Case("a blank before the size", CHUNKED + b" 3\r\nabc\r\n0\r\n\r\n", 400),
    Case("a blank after the size", CHUNKED + b"3 \r\nabc\r\n0\r\n\r\n", 400),
    Case("a size of 2,000 digits", CHUNKED + b"0" * 2000 + b"3\r\nabc\r\n0\r\n\r\n", 400),
    Case("a size of 30 digits", CHUNKED + b"0" * 29 + b"3\r\nabc\r\n0\r\n\r\n", 200, "the same number to every reader"),
    Case("a huge size", CHUNKED + b"f" * 16 + b"\r\n" + b"x" * 2000, 413),
    Case("bare LF after the size", CHUNKED + b"3\nabc\r\n0\r\n\r\n", 400),
    Case("bare LF in an extension", CHUNKED + b"3;a\nb\r\nabc\r\n0\r\n\r\n", 400),
    Case("NUL in an extension", CHUNKED + b"3;\x00\r\nabc\r\n0\r\n\r\n", 400),
    Case("more than the size", CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n", 400),
    Case("bare LF after the data", CHUNKED + b"3\r\nabc\n0\r\n\r\n", 400),
    Case("bare LF at the end", CHUNKED + b"0\r\nA: b\n\r\n\r\n", 400),
    Case("bare LF LF in the trailers", CHUNKED + b"0\r\nA: b\n\n" + SMUGGLED, 400),
    Case("a bare CR in the trailers", CHUNKED + b"0\r\nA: b\rc\r\n\r\n", 400),
    # Expectations.
    Case("another expectation", POST + b"Expect: the-unexpected\r\nContent-Length: 1\r\n\r\na", 417),
    Case("two expectations", POST + b"Expect: 100-continue\r\nExpect: x\r\nContent-Length: 1\r\n\r\na", 417),
    Case("an expectation in HTTP/1.0", b"POST /p HTTP/1.0\r\nExpect: x\r\nContent-Length: 1\r\n\r\na", 200),
]


def h11_accepts(sent: bytes) -> bool:
    """Whether h11, as a server, gets a whole request out of it."""
    server = h11.Connection(h11.SERVER, max_incomplete_event_size=65536)
    server.receive_data(sent)
    try:
        while True:
            event = server.next_event()
            if isinstance(event, h11.EndOfMessage):
                return True
            if event in (h11.NEED_DATA, h11.PAUSED):
                return False
    except h11.RemoteProtocolError:
        return False


def names(cases: Sequence[Case]) -> list[str]:
    return [case.name for case in cases]


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
@edge
async def test_answers_or_refuses(case: Case) -> None:
    async with Service(request_body_mb=0.001) as service:
        client = await service.connect()
        client.send(case.sent, b"" if case.status == 200 else SMUGGLED)
        answer = await client.answer()
        assert answer.status == case.status, answer.body
        if case.status == 200:
            assert len(service.echo.requests) == 1
            return
        assert answer.closes
        assert answer.headers["content-type"] == "application/json"
        client.wire.loseConnection()
        await client.closed()
        assert service.echo.requests == []  # nothing behind a refused request is taken for one
        assert client.unread == 0


@pytest.mark.parametrize("case", CASES, ids=names(CASES))
def test_what_h11_refuses_is_refused_or_harmless(case: Case) -> None:
    milder = case.status == 200 and not h11_accepts(case.sent)
    assert milder == bool(case.milder)
