"""`aiproxy-config doctor`: what it finds on a machine, and the remedy for each."""

import json
import socket
import time
from contextlib import closing
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import trustme
from click.testing import CliRunner

from aiproxy.config.problems import Severity
from aiproxy_config import checkup
from aiproxy_config.cli import main
from tests.rig.upstream import Received, Wire, upstream

KEYS = "api-keys: [a-key-that-is-long-enough]\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("resource.getrlimit", lambda _: (100_000, 100_000))
    path = tmp_path / "aiproxy.yaml"
    path.touch(mode=0o600)
    return path


def run(file: Path, text: str, *arguments: str) -> tuple[int, dict[str, list[tuple[str | None, str, str]]]]:
    file.write_text(text)
    result = CliRunner().invoke(main, ["doctor", "--config", str(file), "--json", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    found: dict[str, list[Any]] = {}
    for each in json.loads(result.output):
        found.setdefault(each["about"], []).append((each["severity"], each["words"], each["remedy"]))
        assert bool(each["severity"]) == bool(each["remedy"])
    return result.exit_code, found


def test_a_healthy_one(file: Path) -> None:
    status, found = run(file, "port: 0\n", "--offline")
    assert status == 0
    assert set(found) == {"versions", "configuration", "exposure", "permissions", "open files", "port"}
    assert all(severity is None for each in found.values() for severity, *_ in each)


def test_exposure(file: Path) -> None:
    status, found = run(file, "port: 0\nhost: 0.0.0.0\n", "--offline")
    assert status == 1
    assert "needs `api-keys`" in found["configuration"][0][1]
    status, found = run(file, KEYS + "port: 0\nhost: 0.0.0.0\n", "--offline")
    assert (status, found["exposure"][0][0]) == (0, "warning")


def test_permissions(file: Path, tmp_path: Path) -> None:
    (tmp_path / "auth").mkdir(mode=0o755)
    (tmp_path / "auth" / "a.json").touch(mode=0o644)
    file.chmod(0o644)
    status, found = run(file, KEYS + "port: 0\nauth-dir: auth\n", "--offline")
    assert status == 0
    assert [remedy for _, _, remedy in found["permissions"]] == [
        f"chmod 600 {file}", f"chmod 700 {tmp_path / 'auth'}", f"chmod 600 {tmp_path / 'auth' / 'a.json'}",
    ]  # fmt: skip


def test_open_files(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (1024, 4096))
    _, found = run(file, "port: 0\n", "--offline")
    assert found["open files"][0][1:] == (
        "the limit of 1024 open files is enough for about 462 calls at a time; `limits.connections` says 10000",
        "LimitNOFILE=20100 in the unit, or `ulimit -n 20100` (the hard limit is 4096)",
    )


def test_a_port_in_use_by_another_program(file: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        other.settimeout(0)
        taken = other.getsockname()[1]
        status, found = run(file, f"port: {taken}\n", "--offline")
    assert (status, found["port"][0][0]) == (1, "error")
    assert str(taken) in found["port"][0][2]


def test_a_port_in_use_by_ourselves(file: Path) -> None:
    def behave(_request: Received, wire: Wire) -> None:
        wire.answer(200, b'{"name": "aiproxy"}')

    with upstream(behave) as running:
        port = running.port
        status, found = run(file, f"port: {port}\n", "--offline")
    assert (status, found["port"][0][:2]) == (0, (None, f"{port} is used by an aiproxy that runs"))


def test_certificates_and_their_chain(file: Path, tmp_path: Path) -> None:
    authority = trustme.CA().create_child_ca()
    issued = authority.issue_cert("localhost")
    (tmp_path / "key.pem").touch(mode=0o600)
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    text = KEYS + "port: 0\ntls: {enable: true, cert: cert.pem, key: key.pem}\n"
    first, *rest = [each.bytes() for each in issued.cert_chain_pems]
    for certificates, words in (
        ([first], "holds no chain"), ([first, *rest], "the chain has 2 certificates"), ([first, first], "are not in order"),
    ):  # fmt: skip
        (tmp_path / "cert.pem").write_bytes(b"".join(certificates))
        status, found = run(file, text, "--offline")
        assert status == 0, found
        assert words in found["tls"][0][1]
    (tmp_path / "cert.pem").write_bytes(trustme.CA().issue_cert("localhost").cert_chain_pems[0].bytes())
    status, found = run(file, text, "--offline")
    assert (status, "does not belong to the certificate" in found["configuration"][0][1]) == (1, True)


@pytest.mark.parametrize(
    ("ahead", "severity"), [(0, None), (30, None), (-30, None), (90, Severity.ERROR), (-9000, Severity.ERROR)]
)
def test_the_clock(ahead: float, severity: Severity | None) -> None:
    now = time.time()
    (found,) = checkup.clock([(formatdate(now - ahead, usegmt=True), now)])
    assert found.severity is severity
    assert not list(checkup.clock([("yesterday", now)]))


def test_upstreams_by_their_proxies(file: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        gone = other.getsockname()[1]
    text = f"port: 0\nproxy-url: http://127.0.0.1:{gone}\nopenai-api-key:\n  - {{api-key: sk-0123456789012345, base-url: 'http://127.0.0.1:1/v1'}}\n"
    status, found = run(file, text)
    assert status == 1
    assert any("can't be reached: connection refused" in words for _, words, _ in found["configuration"])

    def behave(request: Received, wire: Wire) -> None:
        wire.answer(200, b'{"data": [{"id": "gpt-5.4"}]}')

    with upstream(behave) as running:
        text = f"port: 0\nopenai-api-key:\n  - {{api-key: sk-0123456789012345, base-url: 'http://127.0.0.1:{running.port}/v1'}}\n"
        status, found = run(file, text)
    assert (status, found["upstreams"]) == (0, [(None, "[1/1] openai-1: good, 1 models", "")])


def test_in_words(file: Path) -> None:
    file.write_text("prot: 1\n")
    result = CliRunner().invoke(main, ["doctor", "--config", str(file), "--offline"])
    assert result.exit_code == 1
    assert "→ `aiproxy-config validate --explain unknown-key` shows an example, mended\n" in result.output
    assert CliRunner().invoke(main, ["doctor", "--nonsense"]).exit_code == 2
