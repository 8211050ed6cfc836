"""The dialogues with proxies, as tables of bytes, in every split."""

import pytest

from aiproxy.transports.addresses import Proxy, parse_proxy
from aiproxy.transports.handshakes import HTTP_REPLY_LIMIT, Handshake, HttpConnect, ProxyRefused, Socks5

PLAIN = parse_proxy("http://h")
LOGIN = parse_proxy("http://us%20er:hunter2@h")


def said(handshake: Handshake, heard: list[bytes]) -> list[bytes]:
    return [handshake.start(), *(handshake.receive(data) for data in heard)]


def splits(data: bytes) -> list[list[bytes]]:
    """At once, in two at each place, and byte by byte."""
    return [[data], *([data[:i], data[i:]] for i in range(1, len(data))), [bytes([byte]) for byte in data]]


CONNECTS = [
    (PLAIN, "h.example", 443, b"CONNECT h.example:443 HTTP/1.1\r\nHost: h.example:443\r\n\r\n"),
    (PLAIN, "::1", 80, b"CONNECT [::1]:80 HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
    (
        LOGIN,
        "h",
        1,
        b"CONNECT h:1 HTTP/1.1\r\nHost: h:1\r\nProxy-Authorization: Basic dXMgZXI6aHVudGVyMg==\r\n\r\n",
    ),
]


@pytest.mark.parametrize(("proxy", "host", "port", "request_bytes"), CONNECTS)
def test_connect_asks(proxy: Proxy, host: str, port: int, request_bytes: bytes) -> None:
    assert HttpConnect(proxy, host, port).start() == request_bytes


@pytest.mark.parametrize("status", [b"HTTP/1.1 200 OK", b"HTTP/1.0 200", b"HTTP/1.1 204 x\r\nVia: y"])
def test_connect_opens(status: bytes) -> None:
    for heard in splits(status + b"\r\n\r\nSSH"):
        handshake = HttpConnect(PLAIN, "h", 1)
        after = b""
        for data in heard:
            if handshake.done:
                after += data  # the tunnel's own bytes already
            else:
                assert handshake.receive(data) == b""
        assert handshake.done
        assert handshake.rest + after == b"SSH"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "407, the user or password in `proxy-url`"),
        (b"HTTP/1.1 403 Forbidden\r\nA: b\r\n\r\n", "403, it forbids this target"),
        (b"HTTP/1.1 599 \r\n\r\n", "599, without a known reason"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "100, without a known reason"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "not HTTP"),
        (b"HTTP/1.1\r\n\r\n", "not HTTP"),
        (b"\x05\x00\r\n\r\n", "not HTTP"),
        (b"HTTP/2 200 OK\r\n\r\n", "not HTTP"),
        (b"x" * (HTTP_REPLY_LIMIT + 1), "no end"),
    ],
)
def test_connect_refused(reply: bytes, reason: str) -> None:
    with pytest.raises(ProxyRefused, match=reason):
        HttpConnect(LOGIN, "h", 1).receive(reply)


V4 = b"\x05\x00\x00\x01\x7f\x00\x00\x01\x04\x38"
V6 = b"\x05\x00\x00\x04" + bytes(16) + b"\x00\x50"
NAME = b"\x05\x00\x00\x03\x04host\x00\x50"
ASK_NAME = b"\x05\x01\x00\x03\x09h.example\x01\xbb"
SIGN_IN = b"\x01\x07us er\x07hunter2".replace(b"\x07us", b"\x05us")

SOCKS = [
    # proxy, host, what it hears, what it says after the greeting
    (PLAIN, "h.example", [b"\x05\x00", V4], [ASK_NAME, b""]),
    (PLAIN, "h.example", [b"\x05\x00", V6], [ASK_NAME, b""]),
    (PLAIN, "h.example", [b"\x05\x00", NAME], [ASK_NAME, b""]),
    (PLAIN, "10.1.2.3", [b"\x05\x00", V4], [b"\x05\x01\x00\x01\x0a\x01\x02\x03\x01\xbb", b""]),
    (PLAIN, "::1", [b"\x05\x00", V4], [b"\x05\x01\x00\x04" + bytes(15) + b"\x01\x01\xbb", b""]),
    (LOGIN, "h.example", [b"\x05\x00", V4], [ASK_NAME, b""]),
    (LOGIN, "h.example", [b"\x05\x02", b"\x01\x00", V4], [SIGN_IN, ASK_NAME, b""]),
]


@pytest.mark.parametrize(("proxy", "host", "heard", "answers"), SOCKS)
def test_socks_opens(proxy: Proxy, host: str, heard: list[bytes], answers: list[bytes]) -> None:
    handshake = Socks5(proxy, host, 443)
    greeting = b"\x05\x02\x00\x02" if proxy is LOGIN else b"\x05\x01\x00"
    assert said(handshake, heard) == [greeting, *answers]
    assert handshake.done
    assert handshake.rest == b""


@pytest.mark.parametrize(("proxy", "host", "heard", "answers"), SOCKS)
def test_socks_in_any_split(proxy: Proxy, host: str, heard: list[bytes], answers: list[bytes]) -> None:
    for pieces in splits(b"".join(heard) + b"x"):
        handshake = Socks5(proxy, host, 443)
        out, after = b"", b""
        for data in pieces:
            if handshake.done:
                after += data
            else:
                out += handshake.receive(data)
        assert out == b"".join(answers)
        assert handshake.done
        assert handshake.rest + after == b"x"


@pytest.mark.parametrize(
    ("proxy", "heard", "reason"),
    [
        (PLAIN, b"HT", "not SOCKS5"),
        (PLAIN, b"\x05\xff", "wants a user"),
        (PLAIN, b"\x05\x02", "wants a user"),
        (LOGIN, b"\x05\x01", "wants a user"),
        (LOGIN, b"\x05\x02\x01\x01", "is wrong"),
        (PLAIN, b"\x05\x00\x05\x02\x00\x01\x00", "code 2, it forbids this target"),
        (PLAIN, b"\x05\x00\x05\x05\x00\x01\x00\x00\x00\x00\x00\x00", "code 5, the target refused"),
        (PLAIN, b"\x05\x00\x05\x63\x00\x01\x00", "code 99, without"),
        (PLAIN, b"\x05\x00\x05\x00\x00\x09\x00", "unknown type"),
        (PLAIN, b"\x05\x00\x04\x00\x00\x01\x00", "not SOCKS5"),
    ],
)
def test_socks_refused(proxy: Proxy, heard: bytes, reason: str) -> None:
    for pieces in splits(heard):
        handshake = Socks5(proxy, "h", 1)
        with pytest.raises(ProxyRefused, match=reason) as refused:
            said(handshake, pieces)
        assert "hunter2" not in str(refused.value)


def test_socks_has_no_room() -> None:
    with pytest.raises(ProxyRefused, match="255"):
        said(Socks5(PLAIN, "h" * 256, 1), [b"\x05\x00"])
    with pytest.raises(ProxyRefused, match="255"):
        said(Socks5(parse_proxy(f"http://{'u' * 256}:p@h"), "h", 1), [b"\x05\x02"])
