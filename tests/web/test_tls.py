"""HTTPS: the certificate and its reload, versions, ALPN."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from OpenSSL import SSL
from twisted.internet.task import Clock

from aiproxy.web.tls import CHECK_SECONDS, BadCertificate, ServerTls
from tests.web.serving import Client, Service, edge, request


class Files:
    """A certificate and its key in two files, and what was warned about them."""

    def __init__(self, directory: Path) -> None:
        self.authority = trustme.CA()
        self.trusted = self.authority.cert_pem.bytes()
        self.cert, self.key = str(directory / "cert.pem"), str(directory / "key.pem")
        self.warnings: list[str] = []
        self.clock = Clock()
        self.issue()

    def issue(self, *, cert: bool = True, key: bool = True) -> None:
        """Write a new pair, or only one file of it."""
        issued = self.authority.issue_cert("gateway.test")
        if cert:
            issued.cert_chain_pems[0].write_to_path(self.cert)
        if key:
            issued.private_key_pem.write_to_path(self.key)

    def tls(self) -> ServerTls:
        return ServerTls(self.cert, self.key, self.clock, self.warnings.append)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


async def serial(service: Service, files: Files) -> int:
    """Of the certificate a new connection is shown."""
    client: Any = await service.connect_tls(Client(service.reactor), files.trusted)
    assert (await client.ask(request())).status == 200
    shown: int = client.wire.getPeerCertificate().to_cryptography().serial_number
    return shown


@edge
async def test_serves_https_and_keeps_the_connection(files: Files) -> None:
    async with Service(certificate=files.tls()) as service:
        client = await service.connect_tls(Client(service.reactor), files.trusted)
        for _ in range(2):
            assert (await client.ask(request("POST", "/p", b"x" * 100_000))).body == b"/p " + b"x" * 100_000
        client.send(request("GET", "/wait"))
        answering = await service.waiting()
        assert answering.isSecure()
        answering.finish()
        await client.answer()


@edge
async def test_a_refused_body_over_tls_gets_its_answer(files: Files) -> None:
    async with Service(certificate=files.tls(), request_body_mb=1) as service:
        client = await service.connect_tls(Client(service.reactor), files.trusted)
        client.send(request("POST", "/p", b"x" * 3_000_000))
        answer = await client.answer()
        assert (answer.status, answer.closes) == (413, True)
        await client.closed()


@edge
async def test_a_new_certificate_is_shown_to_new_connections_only(files: Files) -> None:
    async with Service(certificate=files.tls()) as service:
        old: Any = await service.connect_tls(Client(service.reactor), files.trusted)
        first = await serial(service, files)
        files.issue()
        assert await serial(service, files) == first, "looked again too early"
        files.clock.advance(CHECK_SECONDS)
        assert await serial(service, files) != first
        assert (await old.ask(request())).status == 200
        assert files.warnings == []


@edge
async def test_reload_does_not_wait(files: Files) -> None:
    tls = files.tls()
    async with Service(certificate=tls) as service:
        first = await serial(service, files)
        files.issue()
        tls.reload()
        assert await serial(service, files) != first


@edge
async def test_a_bad_pair_leaves_the_old_one_in_service_and_warns_once(files: Files) -> None:
    async with Service(certificate=files.tls()) as service:
        first = await serial(service, files)
        files.issue(key=False)
        for _ in range(3):
            files.clock.advance(CHECK_SECONDS)
            assert await serial(service, files) == first
        (warning,) = files.warnings
        assert "is not the key of the certificate" in warning
        assert "Still serving the previous certificate" in warning
        files.issue()
        files.clock.advance(CHECK_SECONDS)
        assert await serial(service, files) != first
        os.unlink(files.cert)
        files.clock.advance(CHECK_SECONDS)
        assert await serial(service, files) != first
        assert len(files.warnings) == 2


def test_links_are_followed(files: Files, tmp_path: Path) -> None:
    """Kubernetes swaps a link to a directory."""
    second = tmp_path / "second"
    second.mkdir()
    other = Files(second)
    link = tmp_path / "live"
    link.symlink_to(tmp_path)
    tls = ServerTls(str(link / "cert.pem"), str(link / "key.pem"), files.clock, files.warnings.append)
    before = tls.serverConnectionForTLS(None).get_context()  # type: ignore[arg-type] # the protocol isn't looked at
    (tmp_path / "new").symlink_to(second)
    os.replace(tmp_path / "new", link)
    files.clock.advance(CHECK_SECONDS)
    assert tls.serverConnectionForTLS(None).get_context() is not before  # type: ignore[arg-type]
    assert other.warnings == files.warnings == []


def test_files_are_looked_at_no_more_often_than_said(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    tls = files.tls()
    looked: list[str] = []
    stat = os.stat
    monkeypatch.setattr("aiproxy.web.tls.os.stat", lambda path: looked.append(path) or stat(path))  # type: ignore[func-returns-value]
    for _ in range(10):
        tls.serverConnectionForTLS(None)  # type: ignore[arg-type]
        files.clock.advance(CHECK_SECONDS / 5)
    assert looked == [files.cert, files.key]


@pytest.mark.parametrize("which", ["cert", "key"])
@pytest.mark.parametrize("fault", ["missing", "a directory", "empty", "garbage", "mismatched"])
def test_files_that_cannot_serve_are_named(files: Files, which: str, fault: str) -> None:
    path = Path(getattr(files, which))
    match fault:
        case "missing":
            path.unlink()
        case "a directory":
            path.unlink()
            path.mkdir()
        case "empty":
            path.write_text("")
        case "garbage":
            path.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
        case _:
            files.issue(**{which: False})
    with pytest.raises(BadCertificate, match=str(path)):
        files.tls()


def test_a_key_with_a_passphrase_is_refused_without_asking(files: Files) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    key = load_pem_private_key(Path(files.key).read_bytes(), None)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"passphrase"))
    Path(files.key).write_bytes(secret)
    with pytest.raises(BadCertificate, match="passphrase"):
        files.tls()


@pytest.mark.parametrize(
    ("version", "served"), [(SSL.TLS1_1_VERSION, False), (SSL.TLS1_2_VERSION, True), (SSL.TLS1_3_VERSION, True)]
)
def test_only_tls_1_2_and_newer(files: Files, version: int, *, served: bool) -> None:
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(b"ALL:@SECLEVEL=0")
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    client, server = SSL.Connection(context, None), files.tls().serverConnectionForTLS(None)  # type: ignore[arg-type]
    client.set_connect_state()
    server.set_accept_state()
    assert _shakes_hands(client, server) == served


def _shakes_hands(client: SSL.Connection, server: SSL.Connection) -> bool:
    done = {client: False, server: False}
    for _ in range(10):
        for one, other in ((client, server), (server, client)):
            try:
                one.do_handshake()
                done[one] = True
            except SSL.WantReadError:
                pass
            except SSL.Error:
                return False
            with suppress(SSL.WantReadError):
                other.bio_write(one.bio_read(65536))
    return all(done.values())


@pytest.mark.parametrize(
    ("http2", "offered", "agreed"),
    [
        (True, [b"h2", b"http/1.1"], b"h2"),
        (True, [b"http/1.1"], b"http/1.1"),
        (False, [b"h2", b"http/1.1"], b"http/1.1"),
        (False, [], None),
    ],
)
@edge
async def test_alpn(files: Files, http2: bool, offered: list[bytes], agreed: bytes | None) -> None:
    async with Service(certificate=files.tls(), http2=http2) as service:
        client = await service.connect_tls(Client(service.reactor), files.trusted, offered)
        if agreed == b"h2":
            await service.until(lambda: client.wire.negotiatedProtocol == b"h2")
            return
        assert (await client.ask(request())).status == 200
        assert client.wire.negotiatedProtocol == agreed
