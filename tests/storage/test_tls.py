"""Stores behind TLS whose authority is the operator's own: trusted by `SSL_CERT_FILE`, and by nothing else."""

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from aiproxy.storage.store import Unavailable
from tests.rig.git import TOKEN, USERNAME, bare, over_http
from tests.rig.s3 import KEY_ID, SECRET, S3Server, rclone
from tests.storage.places import Place
from tests.storage.test_conformance import CHANGE, ONE, A, bodies


class Certified:
    """A certificate for this machine, and who signed it, as files."""

    def __init__(self, directory: Path) -> None:
        authority = trustme.CA()
        issued = authority.issue_cert("127.0.0.1")
        self.authority, self.chain, self.key = (directory / name for name in ("authority.pem", "chain.pem", "key.pem"))
        authority.cert_pem.write_to_path(self.authority)
        issued.cert_chain_pems[0].write_to_path(self.chain)
        issued.private_key_pem.write_to_path(self.key)

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain, self.key)
        return context


@pytest.fixture
def certified(tmp_path: Path) -> Certified:
    return Certified(tmp_path)


@pytest.fixture(params=["git", "s3"])
def place(request: pytest.FixtureRequest, certified: Certified, tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "served").mkdir()
    if request.param == "git":
        bare(tmp_path / "served" / "remote.git")
        with over_http(tmp_path / "served", certified.context()) as port:
            about = f"url: 'https://127.0.0.1:{port}/remote.git', username: {USERNAME}, token: {TOKEN}"
            yield Place("git", tmp_path, f"  type: git\n  git: {{{about}}}\n")
    else:
        with rclone(tmp_path / "served", "--cert", str(certified.chain), "--key", str(certified.key)) as server:
            yield Place("s3", tmp_path, s3(server, tmp_path / "served"))


def s3(server: S3Server, served: Path) -> str:
    (served / "bucket").mkdir()  # what is a directory to rclone
    about = f"bucket: bucket, access-key: {KEY_ID}, secret-key: {SECRET}, single-writer: true"
    return f"  type: s3\n  s3: {{endpoint: 'https://127.0.0.1:{server.port}', {about}}}\n"


def test_an_authority_of_its_own(place: Place, certified: Certified, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(Unavailable, match="has a certificate that can't be trusted"):
        place.open()
    monkeypatch.setenv("SSL_CERT_FILE", str(certified.authority))
    place.open().save(A, ONE, None, CHANGE)
    assert bodies(place.open()) == {A: ONE}
    place.close()
