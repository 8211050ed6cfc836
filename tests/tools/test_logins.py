"""`aiproxy-config login` and `accounts`, as people run them, against the vendors' stand-in on a real TLS server."""

import json
import os
import re
import socket
import sqlite3
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import urlopen

import pytest
import trustme
from playwright.sync_api import Page

from aiproxy.credentials.logins import LOGINS
from aiproxy.credentials.times import written
from aiproxy_config.foreign_logins import LARGEST_IMPORT
from aiproxy_config.listener import SILENCE_SECONDS
from tests.rig.browser import Browser
from tests.rig.daemon import BIN, daemon
from tests.rig.upstream import Upstream, upstream
from tests.vendors.google_tokens import service_account
from tests.vendors.logins import LoginVendor


@dataclass
class Place:
    """A directory with a configuration, and the vendor that it names."""

    directory: Path
    vendor: LoginVendor
    server: Upstream
    environ: dict[str, str]

    def command(self, *arguments: str) -> list[str]:
        return [str(BIN / "aiproxy-config"), *arguments, "--config", "aiproxy.yaml"]

    def run(self, *arguments: str, typed: str = "", status: int = 0) -> str:
        done = subprocess.run(
            self.command(*arguments), cwd=self.directory, env=self.environ, input=typed, capture_output=True, text=True, timeout=60, check=False
        )  # fmt: skip
        assert done.returncode == status, done
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    @property
    def files(self) -> dict[str, Any]:
        return {path.name: json.loads(path.read_text()) for path in (self.directory / "auth").glob("*.json")}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", "auth.localhost", "api.localhost").configure_cert(context)
    vendor = LoginVendor()
    with upstream(vendor.serve, tls=context) as server:
        origin = f"https://localhost:{server.port}"
        (tmp_path / "aiproxy.yaml").write_text(
            f"auth-dir: auth\n"
            f"oauth-clients: {{gemini-cli: {{client-secret: the-clients-secret}}}}\n"
            f"upstreams:\n"
            f"  claude: {{authorize-url: '{origin}/authorize', token-url: '{origin}/token', userinfo-url: '{origin}/userinfo'}}\n"
            f"  codex: {{authorize-url: '{origin}/authorize', token-url: '{origin}/token', device-url: '{origin}/deviceauth', quota-url: '{origin}/usage'}}\n"
            f"  vertex: {{base-url: '{origin}'}}\n"
            f"  kimi: {{token-url: '{origin}/token', device-url: '{origin}/device_authorization', base-url: '{origin}/coding'}}\n"
            f"  gemini-cli: {{authorize-url: '{origin}/authorize', token-url: '{origin}/token', base-url: '{origin}', userinfo-url: '{origin}/userinfo', services-url: 'http://127.0.0.1:1'}}\n"
        )
        (tmp_path / "aiproxy.yaml").chmod(0o600)
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
        environ = {**kept, "HOME": str(tmp_path), "SSL_CERT_FILE": str(tmp_path / "ca.pem"), "PYTHONUNBUFFERED": "1"}
        yield Place(tmp_path, vendor, server, environ)


def free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port: int = taken.getsockname()[1]
        return port


def begun(place: Place, *arguments: str, told: str = "") -> tuple["subprocess.Popen[str]", dict[str, str]]:
    """A login that waits for its callback, and the query of the vendor's page. `told` is what it says before that."""
    running, page = started(place, *arguments, told=told)
    query = {name: values[0] for name, values in parse_qs(urlsplit(page).query).items()}
    if "code_challenge" in query:
        place.vendor.challenges["code"] = query["code_challenge"]
    return running, query


def started(place: Place, *arguments: str, told: str = "") -> tuple["subprocess.Popen[str]", str]:
    """A login that waits for its callback, and the vendor's page."""
    running = subprocess.Popen(
        place.command("login", *arguments), cwd=place.directory, env=place.environ, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert running.stderr is not None
    said = ""
    for line in running.stderr:
        said += line
        if found := re.search(r"https://\S+/(?:authorize|login)\?\S+", line):
            assert told in said
            return running, found[0]
    raise AssertionError(running.communicate())


def ended(running: "subprocess.Popen[str]", typed: str | None = None, status: int = 0) -> str:
    out, err = running.communicate(typed, timeout=60)
    assert running.returncode == status, out + err
    return out + err


def test_by_a_browser_that_comes_back(place: Place) -> None:
    port = free_port()
    running, query = begun(place, "codex", "--no-browser", "--callback-port", str(port))
    assert query["redirect_uri"] == f"http://localhost:{port}/auth/callback"
    base = f"http://127.0.0.1:{port}/auth/callback"
    silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(10)]  # as browsers open connections ahead
    began = time.monotonic()
    for wrong, status in ((f"{base}?code=evil&state=other", 400), (f"http://127.0.0.1:{port}/favicon.ico", 404)):
        with pytest.raises(OSError, match=str(status)):
            urlopen(wrong)
    with urlopen(f"{base}?code=code-1&state={query['state']}") as page:
        assert b"Logged in" in page.read()
    assert time.monotonic() - began < SILENCE_SECONDS, "nobody waited for a connection that says nothing"
    for each in silent:
        each.close()
    said = ended(running)
    assert "a@vendor.example is logged in at codex" in said
    ((name, content),) = place.files.items()
    assert name == "codex-07e99801-a@vendor.example-plus.json"
    assert (content["access_token"], content["account_id"]) == ("access-1", "account-1")
    assert (place.directory / "auth" / name).stat().st_mode & 0o777 == 0o600
    assert "access-1" not in said
    with pytest.raises(OSError, match="refused"):  # one-shot: nobody listens any more
        urlopen(base)


def test_in_a_real_browser(place: Place, browser: Browser) -> None:
    """As a person does it: the page that is shown is opened, allowed, and comes back to the port of this machine."""
    for number, provider in enumerate(("codex", "claude"), start=1):
        running, address = started(place, provider, "--no-browser", "--callback-port", str(free_port()))

        def allow(page: Page, address: str = address) -> str:
            page.goto(address)
            page.get_by_role("button", name="Allow").click()
            page.wait_for_url("http://localhost:*/**")
            return page.inner_text("body")

        assert "Logged in\n\nYou may close this page" in browser.visit(allow)
        assert "a@vendor.example is logged in at" in ended(running)
        (content,) = [each for each in place.files.values() if each["type"] == provider]
        assert (content["access_token"], content["refresh_token"]) == (f"access-{number}", f"refresh-{number}")
        assert place.vendor.challenges.pop("code"), "the vendor has checked the proof of who began"


def test_refused_in_a_real_browser(place: Place, browser: Browser) -> None:
    running, address = started(place, "codex", "--no-browser", "--callback-port", str(free_port()))

    def refuse(page: Page) -> str:
        page.goto(address)
        page.get_by_role("button", name="Refuse").click()
        page.wait_for_url("http://localhost:*/**")
        return page.inner_text("body")

    assert "The login was ended" in browser.visit(refuse)
    assert "The vendor ended the login: Not today" in ended(running, status=1)
    assert place.files == {}


def test_by_a_pasted_address_and_again_for_the_same_account(place: Place) -> None:
    for number in (1, 2):
        running, query = begun(place, "codex", "--no-browser", "--callback-port", str(free_port()))
        said = ended(running, f"nonsense\nhttp://localhost:1455/auth/callback?code=code-1&state={query['state']}\n")
        assert "its state is another" in said
        (content,) = place.files.values()
        assert content["access_token"] == f"access-{number}"
        if number == 1:
            place.run("accounts", "disable", "a@vendor.example")
        else:
            assert content["disabled"] is True, "a new login leaves the operator's settings alone"


def test_by_a_code(place: Place) -> None:
    assert "ABCD-EFGH" in place.run("login", "kimi", "--device")
    ((name, content),) = place.files.items()
    assert name.startswith("kimi-")
    assert content["device_id"]


def test_google_with_its_project(place: Place) -> None:
    running, query = begun(
        place, "gemini-cli", "--no-browser", "--callback-port", str(free_port()), "--project", "mine"
    )
    place.vendor.project, place.vendor.onboards = "", 0
    said = ended(running, f"?code=code-1&state={query['state']}\n")
    assert "can't be seen; if its calls are refused: https://console" in said, (
        "nobody answers there, which hinders nothing"
    )
    assert "is logged in at gemini-cli" in said
    assert [*place.files] == ["gemini-a@vendor.example-mine.json"]


EVERY_WAY = [
    pytest.param(login.provider, way.name, id=f"{login.provider}-{way.name}") for login in LOGINS for way in login.ways
]
WHERE = {
    "authorize": "/authorize", "token": "/token", "device": "/device_authorization", "userinfo": "/userinfo",
    "exchange": "/copilot_internal/v2/token", "key": "/apikey", "social": "/social", "projects": "/projects",
}  # fmt: skip
FLAGS = {"browser": ["--no-browser"], "device": ["--device"], "cookie": ["--cookie"]}


def everywhere(place: Place) -> None:
    """All vendors' addresses are the stand-in's."""
    origin = f"https://localhost:{place.server.port}"
    upstreams: dict[str, dict[str, str]] = {}
    for login in LOGINS:
        upstreams[login.provider] = {f"{name}-url": origin + WHERE.get(name, "") for name in login.urls}
        upstreams[login.provider]["base-url"] = origin
    upstreams["codex"]["device-url"] = f"{origin}/deviceauth"
    upstreams["kiro"]["token-url"] = origin
    clients = {name: {"client-secret": "the-clients-secret"} for name in ("gemini-cli", "antigravity", "iflow")}
    settings = {"auth-dir": "auth", "oauth-clients": clients, "upstreams": upstreams}
    (place.directory / "aiproxy.yaml").write_text(json.dumps(settings))


@pytest.mark.parametrize(("provider", "way"), EVERY_WAY)
def test_every_login_from_end_to_end(place: Place, provider: str, way: str) -> None:
    """By what the command shows and asks, with the address pasted, over TLS."""
    everywhere(place)
    closed = next(each.closed for each in LOGINS if each.provider == provider)
    note = f"Note: {closed}" if closed else ""
    if way == "browser":
        running, query = begun(place, provider, *FLAGS[way], "--callback-port", str(free_port()), told=note)
        back = query.get("redirect_uri") or query["redirect"]
        said = ended(running, f"{back}?code=code-1&state={query['state']}\n")
    else:
        said = place.run("login", provider, *FLAGS[way], typed="BXAuth=value;\n" if way == "cookie" else "me\n")
        assert note in said
    assert f"is logged in at {provider}" in said
    assert "the-clients-secret" not in said
    assert "access-1" not in said
    (content,) = place.files.values()
    listed = json.loads(place.run("accounts", "list", "--json"))
    assert listed["refused"] == {}
    assert [(each["provider"], each["state"][:10]) for each in listed["accounts"]] == [(provider, "good until")]
    assert content["type"] in next(each.types for each in LOGINS if each.provider == provider)


def test_what_can_go_wrong_is_one_sentence(place: Place) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        said = place.run("login", "codex", "--no-browser", "--callback-port", str(taken.getsockname()[1]), status=1)
        assert "can't be listened on" in said
    assert "there is no login for 'nowhere'" in place.run("login", "nowhere", status=1)
    assert "there is the browser" in place.run("login", "claude", "--device", status=1)
    place.vendor.instead = [(200, b"<html>"), (404, b"")]
    assert "gave no token" in place.run("login", "kimi", status=1)
    assert "doesn't offer a login by code" in place.run("login", "codex", "--device", status=1)
    running, query = begun(place, "codex", "--no-browser", "--callback-port", str(free_port()))
    assert "ended the login: No" in ended(running, f"?error=denied&error_description=No&state={query['state']}\n", 1)
    assert place.files == {}


def account(place: Place, ends: float, **more: Any) -> None:
    (place.directory / "auth").mkdir(exist_ok=True)
    content = {
        "type": "kimi", "access_token": "access-0", "refresh_token": "refresh-0", "expired": written(time.time() + ends), **more,
    }  # fmt: skip
    (place.directory / "auth" / "kimi-1.json").write_text(json.dumps(content))


def test_accounts_are_shown_switched_renewed_and_removed(place: Place) -> None:
    assert "No account is logged in" in place.run("accounts", "list")
    account(place, 1000, odd="stays")
    (place.directory / "auth" / "bad.json").write_text("{")
    said = place.run("accounts", "list")
    assert re.search(r"kimi-1  kimi  good until \S+, renewed by then", said)
    assert "auths/bad.json is not valid JSON" in said
    assert "access-0" not in place.run("accounts", "show", "kimi-1")
    assert json.loads(place.run("accounts", "list", "--json"))["accounts"][0]["provider"] == "kimi"
    place.run("accounts", "disable", "kimi-1.json")
    assert "disabled" in place.run("accounts", "list")
    place.run("accounts", "enable", "kimi-1")
    assert "good until" in place.run("accounts", "refresh", "kimi-1")
    (place.directory / "auth" / "bad.json").unlink()
    kept = place.files["kimi-1.json"]
    assert (kept["refresh_token"], kept["odd"]) == ("refresh-1", "stays")
    assert place.vendor.used == ["refresh-0"]
    assert "good" in place.run("accounts", "test", "kimi-1")
    place.vendor.revoked = True
    assert "invalid_grant" in place.run("accounts", "refresh", "kimi-1", status=1)
    assert "refused" in place.run("accounts", "test", "kimi-1", status=1)
    place.run("accounts", "remove", "kimi-1", typed="n\n", status=1)
    place.run("accounts", "remove", "kimi-1", "--yes")
    assert "there is no account" in place.run("accounts", "show", "kimi-1", status=1)


def test_the_vendor_is_asked_whether_an_account_can_be_used(place: Place) -> None:
    account(place, 1000)
    assert "only a call will show more" in place.run("accounts", "test", "kimi-1")
    codex = {"type": "codex", "access_token": "access-0", "refresh_token": "refresh-0", "account_id": "1", "expired": written(time.time() + 999)}  # fmt: skip
    (place.directory / "auth" / "codex-1.json").write_text(json.dumps(codex))
    assert "12% of primary used, until 2099-01-01" in place.run("accounts", "test", "codex-1")
    assert place.vendor.used == []
    place.vendor.access = "another"
    said = place.run("accounts", "test", "codex-1")
    assert "The vendor won't have this token; it is renewed." in said
    assert "12% of primary used" in said
    assert place.vendor.used == ["refresh-0"]
    place.vendor.instead = [
        (403, b'{"error": {"message": "This country is not served", "code": "unsupported_country"}}')
    ]
    said = place.run("accounts", "test", "codex-1", status=1)
    assert "its vendor says no (status 403)" in said
    place.vendor.instead = [(200, b"<html>")]
    assert "answered, but not with JSON" in place.run("accounts", "test", "codex-1", status=1)
    place.vendor.instead = [(200, b'{"plan": "free"}')]
    assert "its vendor answers, and tells no quota" in place.run("accounts", "test", "codex-1")
    key = service_account(f"https://localhost:{place.server.port}/google-token")
    (place.directory / "auth" / "key.json").write_text(json.dumps(key))
    place.vendor.instead = [(200, b'{"access_token": "ya29.a", "expires_in": 3599}')]
    assert "Google gave it a token" in place.run("accounts", "test", "key")
    place.vendor.instead = [(400, b'{"error": "invalid_grant"}')]
    assert "invalid_grant" in place.run("accounts", "test", "key", status=1)


def test_a_running_gateway_takes_a_new_login_up(place: Place) -> None:
    ca = {"SSL_CERT_FILE": place.environ["SSL_CERT_FILE"]}
    with daemon(place.directory, (place.directory / "aiproxy.yaml").read_text(), environ=ca) as gateway:
        place.run("login", "kimi")
        gateway.wait_for("was added")
        gateway.wait_for("configuration reloaded")
        with urlopen(f"{gateway.base_url}/models") as answer:
            assert b"kimi-k2" in answer.read()


KIRO_CLI = {
    "kirocli:odic:token": json.dumps({"access_token": "A", "refresh_token": "R1", "expires_at": "2099-01-01T00:00:00Z", "region": "eu-west-1"}),
    "kirocli:odic:device-registration": json.dumps({"client_id": "E", "client_secret": "S"}),
    "codewhisperer:odic:token": json.dumps({"access_token": "A", "refresh_token": "R1"}),
    "kirocli:social:token": json.dumps({"access_token": "A", "refresh_token": "R2", "expires_at": "2099-01-01T00:00:00Z"}),
    "telemetry": "no JSON",
}  # fmt: skip

IMPORTS: dict[str, tuple[dict[str, Any], str, str]] = {
    ".codex/auth.json": (
        {"OPENAI_API_KEY": None, "tokens": {"access_token": "A", "refresh_token": "R", "account_id": "1"}, "last_refresh": "2026-01-01T00:00:00Z"},
        "codex", "A",
    ),
    ".claude/.credentials.json": ({"claudeAiOauth": {"accessToken": "A", "refreshToken": "R", "expiresAt": 4e12}}, "claude", "A"),
    ".qwen/oauth_creds.json": ({"access_token": "A", "refresh_token": "R", "resource_url": "r", "expiry_date": 4e12}, "qwen", "A"),
    ".iflow/oauth_creds.json": ({"access_token": "A", "refresh_token": "R", "apiKey": "K", "expiry_date": 4e12}, "iflow", "K"),
    ".gemini/oauth_creds.json": ({"access_token": "A", "refresh_token": "R", "scope": "https://www.googleapis.com/auth/x", "expiry_date": 4e12}, "gemini", "A"),
    ".aws/sso/cache/kiro-auth-token.json": (
        {"accessToken": "A", "refreshToken": "R", "expiresAt": "2099-01-01T00:00:00Z", "clientIdHash": "beside", "authMethod": "IdC"}, "kiro", "A",
    ),
    ".config/github-copilot/apps.json": ({"github.com:Iv1": {"user": "octocat", "oauth_token": "G"}}, "copilot", ""),
    ".cli-proxy-api/qwen-x.json": ({"type": "qwen", "access_token": "A", "refresh_token": "R", "email": "x"}, "qwen", "A"),
}  # fmt: skip


def test_logins_of_other_programs_are_taken_over(place: Place) -> None:
    for name, (content, _, _) in IMPORTS.items():
        path = place.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content))
    cache = place.directory / ".aws/sso/cache"
    (cache / "beside.json").write_text(json.dumps({"clientId": "C", "clientSecret": "S"}))
    (cache / "another.json").write_text(json.dumps({"clientId": "D", "clientSecret": "T"}))
    kiro_cli = place.directory / ".local/share/kiro-cli/data.sqlite3"
    kiro_cli.parent.mkdir(parents=True)
    with closing(sqlite3.connect(kiro_cli)) as database, database:
        database.execute("CREATE TABLE auth_kv (key TEXT PRIMARY KEY, value TEXT)")
        database.executemany("INSERT INTO auth_kv VALUES (?, ?)", KIRO_CLI.items())
    said = place.run("accounts", "import")
    place.run("accounts", "import", ".cli-proxy-api/qwen-x.json")
    assert said.count("is now") == len(IMPORTS) - 1 + 2
    from_kiro_cli = [each for each in place.files.values() if "auth_method" in each]
    assert sorted((each["auth_method"], each.get("client_id")) for each in from_kiro_cli) == [
        ("idc", "E"),
        ("social", None),
    ]
    by_type: dict[str, Any] = {each["type"]: each for each in place.files.values() if "auth_method" not in each}
    assert by_type.keys() == {kind for _, kind, _ in IMPORTS.values()}
    assert (by_type["kiro"]["clientId"], by_type["kiro"]["clientSecret"]) == ("C", "S")
    assert by_type["iflow"]["api_key"] == "K"
    assert by_type["gemini"]["token"]["refresh_token"] == "R"
    assert len(place.files) == len(IMPORTS) + 2
    (place.directory / "foreign.json").write_text('{"some": "thing"}')
    assert "no login of a program we know" in place.run("accounts", "import", "foreign.json", status=1)
    with closing(sqlite3.connect(place.directory / "other.sqlite3")) as database, database:
        database.execute("CREATE TABLE other (key TEXT)")
    assert "is no database of kiro-cli's" in place.run("accounts", "import", "other.sqlite3", status=1)
    (place.directory / "large.json").write_text(json.dumps({"a": "x" * LARGEST_IMPORT}))
    assert f"is larger than {LARGEST_IMPORT} bytes" in place.run("accounts", "import", "large.json", status=1)
    (place.directory / "key.json").write_text(json.dumps(service_account("https://oauth2.googleapis.com/token")))
    assert "vertex-gateway@stand-in" in place.run("accounts", "import", "key.json")


def test_the_tool_never_imports_the_reactor(place: Place) -> None:
    code = "import sys, aiproxy_config.cli, aiproxy_config.login; sys.exit('twisted.internet.reactor' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], env=place.environ, check=True)
