"""TLS to upstreams: whom we trust, and what is said when we don't."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL, crypto
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss

from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.transports.base import Request
from aiproxy.transports.tls import tls_policy
from tests.transports.servers import OK, Authority, Bench, Body, Peer, always, edge, get


@edge
async def test_a_trusted_upstream(bench: Bench, authority: Authority) -> None:
    upstream = bench.upstream(always(OK), authority.tls("localhost"))
    transport = bench.transport(environ=authority.environ)
    for _ in range(2):
        _, body, reason = await bench.read(transport.send(get(upstream.port, scheme="https", host="localhost")))
        assert body.data == b"ok"
        assert reason.check(ResponseDone)
    assert len(upstream.peers) == 1
    assert b"Host: localhost:%d\r\n" % upstream.port in upstream.peers[0].requests[0]


@edge
async def test_a_directory_of_authorities(bench: Bench, authority: Authority, tmp_path: Path) -> None:
    pem = authority.file.read_bytes()
    name = crypto.load_certificate(crypto.FILETYPE_PEM, pem).subject_name_hash()
    (tmp_path / f"{name:08x}.0").write_bytes(pem)
    upstream = bench.upstream(always(OK), authority.tls("127.0.0.1"))
    transport = bench.transport(environ={"SSL_CERT_DIR": str(tmp_path)})
    response, _, _ = await bench.read(transport.send(get(upstream.port, scheme="https")))
    assert response.status == 200


@edge
async def test_an_ipv6_literal(bench: Bench, authority: Authority) -> None:
    upstream = bench.upstream(always(OK), authority.tls("::1"))
    port = bench.listen(upstream, authority.tls("::1"), "::1")
    transport = bench.transport(environ=authority.environ)
    response, _, _ = await bench.read(transport.send(get(port, scheme="https", host="[::1]")))
    assert response.status == 200
    assert b"Host: [::1]:%d\r\n" % port in upstream.peers[0].requests[0]


@pytest.mark.parametrize(
    ("names", "host", "words"),
    [
        (["other.example"], "localhost", "for another name"),
        (["localhost"], "127.0.0.1", "for another name"),
        (["127.0.0.2"], "127.0.0.1", "for another name"),
    ],
)
@edge
async def test_a_certificate_for_another_name(
    bench: Bench, authority: Authority, names: list[str], host: str, words: str
) -> None:
    upstream = bench.upstream(always(OK), authority.tls(*names))
    with pytest.raises(UpstreamFailed, match=rf"{host}:{upstream.port} failed \(TLS handshake\).*{words}"):
        await bench.soon(bench.transport(environ=authority.environ).send(get(upstream.port, scheme="https", host=host)))
    assert upstream.count == 0


@edge
async def test_an_unknown_authority(bench: Bench, authority: Authority, tmp_path: Path) -> None:
    upstream = bench.upstream(always(OK), Authority(tmp_path / "other").tls("localhost"))
    for environ in (authority.environ, {}):
        with pytest.raises(UpstreamFailed, match=r"not trusted.*SSL_CERT_FILE"):
            await bench.soon(
                bench.transport(environ=environ).send(get(upstream.port, scheme="https", host="localhost"))
            )
    assert upstream.count == 0


@edge
async def test_an_old_protocol(bench: Bench, authority: Authority) -> None:
    served = authority.tls("localhost")
    served.context.set_options(SSL.OP_NO_TLSv1_2 | SSL.OP_NO_TLSv1_3)
    upstream = bench.upstream(always(OK), served)
    with pytest.raises(UpstreamFailed, match="TLS handshake"):
        await bench.soon(
            bench.transport(environ=authority.environ).send(get(upstream.port, scheme="https", host="localhost"))
        )


@edge
async def test_an_upstream_that_speaks_no_tls(bench: Bench) -> None:
    def greet(peer: Peer) -> None:
        peer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    upstream = bench.upstream()
    sent = bench.transport().send(get(upstream.port, scheme="https", host="localhost"))
    greet(await bench.soon(upstream.accepted.get()))
    with pytest.raises(UpstreamFailed, match=r"does not speak TLS there"):
        await bench.soon(sent)


ENDS: list[tuple[Callable[[Peer], None], type[Exception] | None]] = [
    (Peer.hang_up, PotentialDataLoss),
    (lambda peer: peer.bare.loseConnection(), None),
]


@pytest.mark.parametrize(("end", "expected"), ENDS)
@edge
async def test_the_end_of_a_body_without_a_length(
    bench: Bench,
    authority: Authority,
    end: Callable[[Peer], None],
    expected: type[Exception] | None,
) -> None:
    """TLS says when the upstream closes; a connection that just ends may have been cut by anyone."""
    upstream = bench.upstream(always(b"HTTP/1.1 200 OK\r\n\r\nhello"), authority.tls("localhost"))
    sent = bench.transport(environ=authority.environ).send(get(upstream.port, scheme="https", host="localhost"))
    response = await bench.soon(sent)
    body = Body()
    response.deliver(body)
    while body.data != b"hello":
        await bench.tick()
    end(upstream.peers[0])
    reason = await bench.end(body)
    if expected is not None:
        assert reason.check(expected)
    else:
        assert not reason.check(ResponseDone, PotentialDataLoss)


@edge
async def test_a_last_answer_to_a_paused_reader_leaves_no_socket(bench: Bench, authority: Authority) -> None:
    answer = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    upstream = bench.upstream(always(answer), authority.tls("localhost"))
    sent = bench.transport(environ=authority.environ).send(get(upstream.port, scheme="https", host="localhost"))
    response = await bench.soon(sent)

    class Pausing(Body):
        def dataReceived(self, data: bytes) -> None:
            super().dataReceived(data)
            self.producer.pauseProducing()

    body = Pausing()
    response.deliver(body)
    assert (await bench.end(body)).check(ResponseDone)
    await bench.soon(upstream.peers[0].closed)


@edge
async def test_a_large_upload(bench: Bench, authority: Authority) -> None:
    upstream = bench.upstream(always(OK), authority.tls("localhost"))
    data = bytes(range(256)) * 20000
    request = Request("POST", f"https://localhost:{upstream.port}/", (), data)
    await bench.read(bench.transport(environ=authority.environ).send(request))
    assert upstream.peers[0].requests[0].endswith(data)


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_authorities_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("")
    for path in ("missing.pem", "empty.pem") if name == "SSL_CERT_FILE" else ("missing",):
        with pytest.raises(ValueError, match=name):
            tls_policy({name: str(tmp_path / path)})


def test_an_empty_variable_is_none() -> None:
    policy: Any = tls_policy({"SSL_CERT_FILE": "", "SSL_CERT_DIR": ""})
    assert policy.creatorForNetloc(b"h.example", 443)
