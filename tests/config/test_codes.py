"""What `validate --explain` shows is true: each code's example has the problem, and the mended one has none at all."""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from aiproxy.config.codes import CODES
from aiproxy.config.load import configuration, read_document
from aiproxy.config.problems import ConfigurationInvalid
from tests.vendors.google_tokens import service_account

ENVIRON = {
    "TEAM_KEY": "a-key-from-the-environment",
    "PROXY_URL": "http://proxy.example:3128",
    "S3_KEY": "a-secret",
    "GIT_TOKEN": "a-token",
}


def certificate(days: int) -> Callable[[Path], None]:
    def write(directory: Path) -> None:
        now = datetime.now(UTC)
        made = trustme.CA().issue_cert(
            "localhost", not_before=now - timedelta(days=100), not_after=now + timedelta(days=days)
        )
        made.private_key_pem.write_to_path(str(directory / "key.pem"))
        for blob in made.cert_chain_pems:
            blob.write_to_path(str(directory / "cert.pem"), append=True)

    return write


def file(name: str, content: str) -> Callable[[Path], None]:
    def write(directory: Path) -> None:
        (directory / name).write_text(content, encoding="utf-8")

    return write


def mode(bits: int) -> Callable[[Path], None]:
    return lambda directory: (directory / "aiproxy.yaml").chmod(bits)


GIVEN: Mapping[str, Callable[[Path], None]] = {
    "client-key is missing": lambda _directory: None,
    "client-key is there": file("client-key", "a-key-that-is-long-enough\n"),
    "prompt.txt is there": file("prompt.txt", "Be brief."),
    "account.json is from Google": file("account.json", json.dumps(service_account("https://oauth2.googleapis.com/token"))),
    "a file of mode 0644": mode(0o644),
    "a file of mode 0600": mode(0o600),
    "cert.pem and key.pem are good": certificate(100),
    "cert.pem ended yesterday": certificate(-1),
    "cert.pem ends tomorrow": certificate(1),
    "cert.pem holds no certificate": lambda directory: (
        certificate(100)(directory), file("cert.pem", "nothing")(directory)
    )[0],
    "not as root": lambda _directory: None,
}  # fmt: skip
"""What comments of examples say is needed besides."""


def found(text: str, directory: Path) -> set[str]:
    document = directory / "aiproxy.yaml"
    document.write_text(text, encoding="utf-8")
    document.chmod(0o600)
    environ, overrides = dict(ENVIRON), []
    for comment in re.findall("^# (.*)$", text, re.MULTILINE):
        name, equals, value = comment.partition("=")
        if comment.startswith("--set "):
            overrides.append(comment.removeprefix("--set "))
        elif equals and name.isupper():
            environ[name] = value
        else:
            GIVEN[comment](directory)
    try:
        read = configuration(read_document(document), environ=environ, overrides=overrides)
    except ConfigurationInvalid as invalid:
        return {problem.code for problem in invalid.problems}
    return {problem.code for problem in read.warnings}


@pytest.fixture(autouse=True)
def _nobody_is_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    ports = tmp_path / "unprivileged"
    ports.write_text("1024")
    monkeypatch.setattr("aiproxy.config.listening_rules.UNPRIVILEGED_PORTS", ports)


OFFLINE = [code for code, told in CODES.items() if "port 8000" not in told.example + told.mended]
"""The others are shown by an upstream, in tests/tools/test_online.py."""


@pytest.mark.parametrize("code", OFFLINE)
def test_every_code_is_shown_by_its_example(code: str, tmp_path: Path) -> None:
    assert code in found(CODES[code].example, tmp_path)


@pytest.mark.parametrize("code", OFFLINE)
def test_every_mended_example_is_without_a_finding(code: str, tmp_path: Path) -> None:
    assert found(CODES[code].mended, tmp_path) == set()
