"""Vendors that keep `aiproxy-config` waiting, by silence or a byte at a time: a sentence after its deadline, and nothing harmed."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from click.testing import CliRunner

from aiproxy.credentials.times import written
from aiproxy.storage.state.locks import HELD_SECONDS
from aiproxy_config import terminal
from aiproxy_config.cli import main
from tests.rig.upstream import Received, Upstream, Wire, upstream
from tests.vendors.logins import LoginVendor

DEADLINE = 0.3
"""Seconds, here, where nothing is answered in time."""

FOR_ANSWERS = 1.0
"""Seconds, here, where something is: long enough for a busy machine."""


def silent(_: Received, wire: Wire) -> None:
    wire.wait_for_close()


def trickling(_: Received, wire: Wire) -> None:
    """No wait for a byte is long, and the end never comes."""
    wire.head(200, {"content-type": "application/json", "content-length": "100000"})
    with suppress(OSError):
        while not wire.closed_by_peer.wait(DEADLINE / 6):
            wire.send(b" ")


async def no_pause(_: terminal.Terminal, _seconds: float) -> None: ...


def configured(directory: Path, server: Upstream) -> str:
    origin = server.base_url.removesuffix("/v1")
    urls = f"token-url: '{origin}/token', device-url: '{origin}/device_authorization', base-url: '{origin}/coding'"
    path = directory / "aiproxy.yaml"
    path.write_text(f"auth-dir: auth\nstate: {directory}/state.db\nupstreams:\n  kimi: {{{urls}}}\n")
    path.chmod(0o600)
    return str(path)


def test_the_lock_on_a_renewal_outlasts_the_wait() -> None:
    assert terminal.ANSWER_SECONDS < HELD_SECONDS


@pytest.mark.parametrize("late", [silent, trickling])
def test_a_refresh_and_a_login_end_at_their_deadline(
    late: Callable[[Received, Wire], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor = LoginVendor(pending=0)
    (tmp_path / "auth").mkdir()
    file = tmp_path / "auth" / "kimi-1.json"
    file.write_text(json.dumps({"type": "kimi", "access_token": "access-0", "refresh_token": "refresh-0", "expired": written(time.time() - 9)}))  # fmt: skip
    before = file.read_bytes()
    with upstream(vendor.serve) as server:
        config = configured(tmp_path, server)
        told = f"Error: {server.base_url.removesuffix('/v1')} gave no answer within {DEADLINE:g} s.\n"

        def tool(*arguments: str, status: int) -> str:
            done = CliRunner().invoke(main, [*arguments, "--config", config])
            assert done.exit_code == status, done.output
            return done.output

        with monkeypatch.context() as patched:
            patched.setattr(terminal, "ANSWER_SECONDS", DEADLINE)
            server.script.append(late)
            assert tool("accounts", "refresh", "kimi-1", status=1) == told
            assert file.read_bytes() == before
            server.script.append(late)
            assert tool("login", "kimi", "--device", status=1) == told
            assert [each.name for each in file.parent.iterdir()] == [file.name]
        assert "kimi-1: good until" in tool("accounts", "refresh", "kimi-1", status=0), "nothing stays locked"
        assert vendor.used == ["refresh-0"]


def test_a_slow_answer_to_whether_a_code_was_typed_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    vendor = LoginVendor(pending=0)
    monkeypatch.setattr(terminal, "ANSWER_SECONDS", FOR_ANSWERS)
    monkeypatch.setattr(terminal.Terminal, "pause", no_pause)
    with upstream(vendor.serve) as server:
        server.script.extend([vendor.serve, silent])
        done = CliRunner().invoke(main, ["login", "kimi", "--device", "--config", configured(tmp_path, server)])
    assert done.exit_code == 0, done.output
    assert f"within {FOR_ANSWERS:g} s. Trying again.\nkimi-" in done.output
