"""`aiproxy-config validate --online` against real upstreams on loopback: over TLS, by proxies, with good and bad keys."""

import json
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from click.testing import CliRunner, Result

from aiproxy.config.codes import CODES
from aiproxy_config.cli import main
from tests.rig.proxy import connect_proxy, socks_proxy
from tests.rig.upstream import Received, Upstream, Wire, upstream

MODELS = json.dumps({"object": "list", "data": [{"id": "gpt-5.4", "object": "model"}]}).encode()

SHOWN_BY_AN_UPSTREAM = [code for code, told in CODES.items() if told.mended.startswith("# port 8000")]


def lists_models(request: Received, wire: Wire) -> None:
    if request.headers.get("authorization") != "Bearer a-good-key":
        wire.answer(401, b'{"error": {"message": "no"}}')
    elif request.path != "/v1/models":
        wire.answer(404, b"nothing here")
    else:
        wire.answer(200, MODELS)


@pytest.fixture
def server() -> Iterator[Upstream]:
    with upstream(lists_models) as running:
        yield running


def validated(tmp_path: Path, text: str, *options: str) -> Result:
    file = tmp_path / "aiproxy.yaml"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    return CliRunner().invoke(main, ["validate", "--online", *options, str(file)])


def codes(result: Result) -> list[str]:
    return re.findall(r"(?:error|warning)\[([a-z-]+)\]", result.stdout)


@pytest.mark.parametrize("code", SHOWN_BY_AN_UPSTREAM)
def test_examples(code: str, tmp_path: Path, server: Upstream) -> None:
    bad, mended = (text.replace("8000", str(server.port)) for text in (CODES[code].example, CODES[code].mended))
    assert codes(validated(tmp_path, bad)) == [code]
    found = validated(tmp_path, mended)
    assert (found.exit_code, codes(found)) == (0, [])
    assert "[1/1] openai-1: good, 1 models" in found.stderr


def test_problems_stand_at_the_entry_and_show_no_key(tmp_path: Path, server: Upstream) -> None:
    address = f"http://127.0.0.1:{server.port}/v1"
    text = (
        "openai-api-key:\n"
        f"  - {{base-url: {address}, api-key: a-good-key, models: [gpt-5.4, gpt-0]}}\n"
        f"  - {{base-url: {address}, api-key: a-bad-key-c4nary}}\n"
        "openai-compatibility:\n"
        f"  - {{name: here, base-url: {address}, api-key-entries: [a-worse-key-c4nary]}}\n"
    )
    result = validated(tmp_path, text, "--format", "json")
    assert result.exit_code == 1
    assert "c4nary" not in result.output
    found = json.loads(result.stdout)["problems"]
    lines = text.splitlines()
    assert [
        (p["line"], p["code"], lines[p["line"] - 1][p["column"] - 1 :].split(",")[0].rstrip("]}")) for p in found
    ] == [
        (2, "model-not-listed", "gpt-0"),
        (3, "upstream-refuses-key", "a-bad-key-c4nary"),
        (5, "upstream-refuses-key", "a-worse-key-c4nary"),
    ]


def test_proxies_are_gone_by(tmp_path: Path, server: Upstream) -> None:
    text = f"openai-api-key:\n  - {{api-key: a-good-key, base-url: http://127.0.0.1:{server.port}/v1"
    with connect_proxy() as proxy:
        found = validated(tmp_path, f"{text}, proxy-url: 'http://me:pass@127.0.0.1:{proxy.port}'}}\n")
        assert codes(found) == []
        assert proxy.asked == [(f"127.0.0.1:{server.port}", "me:pass")]
    found = validated(tmp_path, f"{text}, proxy-url: 'http://127.0.0.1:{proxy.port}'}}\n")
    assert codes(found) == ["upstream-unreachable"]


@pytest.mark.parametrize(
    ("scheme", "login", "host", "asked"),
    [
        ("socks5", "", "127.0.0.1", "127.0.0.1"),
        ("socks5", "me:pass@", "localhost", "127.0.0.1"),
        ("socks5h", "me:pass@", "upstream.example", "upstream.example"),
    ],
)
def test_socks_proxies_are_gone_by(
    scheme: str, login: str, host: str, asked: str, tmp_path: Path, server: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = f"http://{host}:{server.port}/v1"
    with socks_proxy({"upstream.example": "127.0.0.1"}) as proxy:
        text = f"openai-api-key:\n  - {{api-key: a-good-key, base-url: '{address}', proxy-url: '{scheme}://{login}127.0.0.1:{proxy.port}'}}\n"
        found = validated(tmp_path, text)
        assert (codes(found), found.exit_code) == ([], 0)
        assert proxy.asked == [(f"{asked}:{server.port}", login.rstrip("@"))]
    found = validated(tmp_path, text)
    assert codes(found) == ["upstream-unreachable"]
    assert "pass" not in found.output


def test_a_proxy_that_speaks_something_else_is_told_so(tmp_path: Path, server: Upstream) -> None:
    text = (
        "openai-api-key:\n  - {{api-key: k, base-url: 'http://127.0.0.1:{0}/v1', proxy-url: 'http://127.0.0.1:{0}'}}\n"
    )
    found = validated(tmp_path, text.format(server.port))
    assert codes(found) == ["upstream-unreachable"]
    assert "its proxy refuses: 401" in found.stdout


def test_tls_goes_through_proxies_too_also_within_their_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with (
        upstream(lists_models, tls=context) as secure,
        connect_proxy(context) as https,
        connect_proxy() as http,
        socks_proxy() as socks,
    ):
        for url, proxy in (("https://", https), ("http://", http), ("socks5h://", socks)):
            text = (
                f"openai-api-key:\n  - {{api-key: a-good-key, base-url: 'https://localhost:{secure.port}/v1',"
                f" proxy-url: '{url}localhost:{proxy.port}'}}\n"
            )
            found = validated(tmp_path, text)
            assert (codes(found), url, found.stderr) == ([], url, "[1/1] openai-1: good, 1 models\n")
            assert proxy.asked == [(f"localhost:{secure.port}", "")]


def test_tls_is_trusted_only_where_its_authority_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with upstream(lists_models, tls=context) as secure:
        shown = CODES["upstream-untrusted"]
        assert codes(validated(tmp_path, shown.example.replace("8000", str(secure.port)))) == ["upstream-untrusted"]
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert codes(validated(tmp_path, shown.mended.replace("8000", str(secure.port)))) == []


def test_a_file_with_errors_asks_nobody(tmp_path: Path, server: Upstream) -> None:
    text = f"openai-api-key:\n  - {{api-key: a-good-key, base-url: http://127.0.0.1:{server.port}/v1, weight: x}}\n"
    result = validated(tmp_path, text)
    assert (codes(result), result.stderr, server.received) == (["wrong-type"], "", [])
