"""Credential files in a running gateway: picked up, renewed, refused, and never lost. Real processes, a real vendor on loopback."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from time import time
from typing import Any

import httpx2
import pytest

from aiproxy.credentials.times import written
from tests.rig.daemon import BIN, Daemon, daemon
from tests.rig.upstream import Received, Upstream, Wire, upstream
from tests.vendors.logins import LoginVendor

ANSWER = {
    "id": "c", "object": "chat.completion", "created": 1, "model": "kimi-k2",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}  # fmt: skip


class Kimi(LoginVendor):
    """Kimi's login and its API, which takes the present access token only."""

    def serve(self, received: Received, wire: Wire) -> None:
        if not received.path.startswith("/coding"):
            super().serve(received, wire)
        elif received.headers["authorization"] == f"Bearer {self.access}":
            wire.answer(200, json.dumps(ANSWER).encode())
        else:
            wire.answer(
                401, b'{"error": {"message": "The access token expired", "type": "invalid_authentication_error"}}'
            )


@pytest.fixture
def kimi() -> Iterator[tuple[Kimi, Upstream]]:
    vendor = Kimi()
    with upstream(vendor.serve) as server:
        yield vendor, server


def configuration(server: Upstream, directory: Path) -> str:
    origin = server.base_url.removesuffix("/v1")
    return (
        f"auth-dir: {directory}/auth\nrequest-retry: 0\n"
        f"upstreams:\n  kimi: {{base-url: '{origin}/coding', token-url: '{origin}/api/oauth/token'}}\n"
    )


def account(directory: Path, ends: float, **more: Any) -> Path:
    path = directory / "auth" / "kimi-1.json"
    path.parent.mkdir(exist_ok=True)
    content = {
        "type": "kimi", "access_token": "access-0", "refresh_token": "refresh-0", "device_id": "device-1",
        "expired": written(time() + ends), "operators_own": {"note": "stays"}, **more,
    }  # fmt: skip
    path.write_text(json.dumps(content))
    return path


def ask(gateway: Daemon) -> httpx2.Response:
    body = {"model": "kimi-k2", "messages": [{"role": "user", "content": "hi"}]}
    return httpx2.post(f"{gateway.base_url}/chat/completions", json=body, timeout=20)


def check(gateway: Daemon) -> tuple[bool, str]:
    found = {each["name"]: each for each in httpx2.get(f"{gateway.address}/readyz?verbose").json()["checks"]}
    return found["credentials"]["ok"], found["credentials"]["detail"]


def test_a_token_that_ends_is_renewed_ahead_and_saved_before_it_is_used(
    kimi: tuple[Kimi, Upstream], tmp_path: Path
) -> None:
    vendor, server = kimi
    path = account(tmp_path, 20)
    with daemon(tmp_path, configuration(server, tmp_path)) as gateway:
        gateway.wait_for("token renewed")
        kept = json.loads(path.read_text())
        assert (kept["access_token"], kept["refresh_token"]) == ("access-1", "refresh-1")
        assert kept["operators_own"] == {"note": "stays"}
        assert oct(path.stat().st_mode & 0o777) == "0o600"
        assert ask(gateway).json()["choices"][0]["message"]["content"] == "hello"
    assert vendor.used == ["refresh-0"]
    said = "".join(gateway.output)
    assert "access-1" not in said
    assert "refresh-1" not in said
    assert "configuration reloaded" not in said, "our own saves are no news"


def test_a_401_renews_once_and_the_call_succeeds(kimi: tuple[Kimi, Upstream], tmp_path: Path) -> None:
    vendor, server = kimi
    path = account(tmp_path, 3600)
    with daemon(tmp_path, configuration(server, tmp_path)) as gateway:
        assert ask(gateway).status_code == 200
        vendor.access = "something else"
        assert ask(gateway).status_code == 200
        assert ask(gateway).status_code == 200
    assert vendor.used == ["refresh-0"]
    assert json.loads(path.read_text())["refresh_token"] == "refresh-1"


def test_what_another_program_renewed_is_taken_from_the_file(kimi: tuple[Kimi, Upstream], tmp_path: Path) -> None:
    vendor, server = kimi
    path = account(tmp_path, 3600)
    with daemon(tmp_path, configuration(server, tmp_path)) as gateway:
        assert ask(gateway).status_code == 200
        said = vendor.next()
        kept = json.loads(path.read_text())
        path.write_text(
            json.dumps({**kept, "access_token": said["access_token"], "refresh_token": said["refresh_token"]})
        )
        assert ask(gateway).status_code == 200
    assert vendor.used == []


def test_a_revoked_account_is_marked_and_left_alone_until_it_logs_in_anew(
    kimi: tuple[Kimi, Upstream], tmp_path: Path
) -> None:
    vendor, server = kimi
    path = account(tmp_path, 3600)
    vendor.access, vendor.revoked = "nothing", True
    with daemon(tmp_path, configuration(server, tmp_path)) as gateway:
        refused = ask(gateway)
        assert refused.status_code == 502
        assert "invalid_grant" in refused.json()["error"]["message"]
        ok, detail = check(gateway)
        assert not ok
        assert "kimi-1" in detail
    assert json.loads(path.read_text())["aiproxy_refused"]["reason"]
    with daemon(tmp_path, configuration(server, tmp_path)) as gateway:
        ask(gateway)
        assert vendor.used == ["refresh-0"], "a restart doesn't ask again"
        vendor.access, vendor.refresh, vendor.revoked = "access-new", "refresh-new", False
        account(tmp_path, 3600, access_token="access-new", refresh_token="refresh-new")
        gateway.wait_for("has changed")
        gateway.wait_for("configuration reloaded")
        assert ask(gateway).status_code == 200
        assert check(gateway)[0]


def test_files_come_change_and_go_one_at_a_time(kimi: tuple[Kimi, Upstream], tmp_path: Path) -> None:
    vendor, server = kimi
    good = account(tmp_path, 3600)
    bad = good.with_name("codex-bad.json")
    foreign = good.with_name("other.json")
    with daemon(tmp_path, configuration(server, tmp_path)) as gateway:
        assert ask(gateway).status_code == 200
        bad.write_text('{"type": "codex"')
        foreign.write_text('{"type": "of-the-future", "access_token": "x"}')
        gateway.wait_for("credential left out")
        gateway.wait_for("configuration reloaded")
        assert ask(gateway).status_code == 200, "the others are unharmed"
        ok, detail = check(gateway)
        assert not ok
        assert "auths/codex-bad.json is not valid JSON" in detail
        assert "auths/other.json is of the type 'of-the-future', which nothing here logs in with" in detail
        account(tmp_path, 3600, disabled=True)
        gateway.wait_for("auths/kimi-1.json has changed")
        gateway.wait_for("configuration reloaded")
        assert ask(gateway).status_code == 404
    assert vendor.used == []


def test_two_gateways_with_one_directory_refresh_once(kimi: tuple[Kimi, Upstream], tmp_path: Path) -> None:
    vendor, server = kimi
    account(tmp_path, 3600)
    vendor.access = "something else"
    text = configuration(server, tmp_path)
    with daemon(tmp_path, text) as one, daemon(tmp_path, text) as two:
        assert [ask(one).status_code, ask(two).status_code] == [200, 200]
    assert vendor.used == ["refresh-0"]


def test_killed_at_any_moment_of_a_renewal_the_newer_token_is_there(
    kimi: tuple[Kimi, Upstream], tmp_path: Path
) -> None:
    """Killed as soon as the gateway says that it has renewed: what it said is in the file."""
    vendor, server = kimi
    path = account(tmp_path, 20)
    path.chmod(0o600)
    (tmp_path / "aiproxy.yaml").write_text(configuration(server, tmp_path))
    for number in range(3):
        # A state of its own each: who held the lock when it was killed is waited for, for 20 seconds.
        options = ["--config", "aiproxy.yaml", "--port", "0", "--set", f"state={tmp_path}/{number}.db"]
        running = Daemon([str(BIN / "aiproxy"), *options], tmp_path, {})
        running.wait_for("token renewed")
        running.process.send_signal(signal.SIGKILL)
        running.process.wait()
        kept = json.loads(path.read_text())
        assert kept["refresh_token"] == vendor.refresh
        path.write_text(json.dumps({**kept, "expired": written(time() + 20)}))
    assert vendor.used == ["refresh-0", "refresh-1", "refresh-2"]


def test_what_a_vendor_says_of_a_quota_is_shown(tmp_path: Path) -> None:
    said = {"x-codex-primary-used-percent": "100", "x-codex-primary-reset-after-seconds": "600", "x-codex-secondary-used-percent": "45"}  # fmt: skip
    body = b'{"error": {"type": "usage_limit_reached", "message": "The usage limit has been reached", "resets_in_seconds": 600}}'
    with upstream(lambda _, wire: wire.answer(429, body, said)) as server:
        (tmp_path / "auth").mkdir()
        content = {"type": "codex", "access_token": "access-0", "refresh_token": "r", "account_id": "account-1"}
        (tmp_path / "auth" / "codex-1.json").write_text(json.dumps(content))
        text = f"auth-dir: {tmp_path}/auth\nupstreams: {{codex: {{base-url: '{server.base_url}'}}}}\n"
        with daemon(tmp_path, text) as gateway:
            body_of_call = {"model": "gpt-5.5", "messages": [{"role": "user", "content": "hi"}]}
            assert httpx2.post(f"{gateway.base_url}/chat/completions", json=body_of_call, timeout=20).status_code == 429
            checks = httpx2.get(f"{gateway.address}/readyz?verbose").json()["checks"]
            (detail,) = [each["detail"] for each in checks if each["name"] == "accounts"]
            assert detail.endswith("codex-1: 100% of primary used; codex-1: 45% of secondary used")
        assert server.received[0].headers["chatgpt-account-id"] == "account-1"
