"""Token endpoints that make no sense, clocks that disagree and files of a later version: a sentence for each account, the others
unharmed."""

import json
import time
from pathlib import Path
from threading import Event
from typing import Any

import httpx2
import pytest

from aiproxy.credentials.times import moment, written
from tests.edges.test_accounts import Kimi, ask, check, configuration
from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Received, Wire, upstream

SENSELESS: list[tuple[int, bytes, str]] = [
    (200, b"<html>We are down for maintenance</html>", "(status 200)"),
    (200, b"", "(status 200)"),
    (200, b'{"error": "server_error"}', "(server_error)"),
    (200, b'{"access_token": "with a blank"}', "(status 200)"),
    (502, b"<html>Bad gateway</html>", "(status 502)"),
    (429, b"{}", "(status 429)"),
]


def put(directory: Path, name: str, **content: Any) -> None:
    (directory / "auth").mkdir(exist_ok=True)
    (directory / "auth" / f"{name}.json").write_text(json.dumps({"type": "kimi", **content}))


def lines(gateway: Daemon, words: str) -> list[str]:
    return [line for line in gateway.output if words in line]


class Senseless(Kimi):
    """One nonsense for each account."""

    def serve(self, received: Received, wire: Wire) -> None:
        if received.path.startswith("/coding"):
            super().serve(received, wire)
            return
        status, body, _ = SENSELESS[int(self.said(received)["refresh_token"].removeprefix("r-"))]
        wire.answer(status, body)


def test_a_token_endpoint_that_makes_no_sense(tmp_path: Path) -> None:
    vendor = Senseless()
    for number in range(len(SENSELESS)):
        put(
            tmp_path,
            f"kimi-{number}",
            access_token="old",
            refresh_token=f"r-{number}",
            expired=written(time.time() - 9),
        )
    put(
        tmp_path,
        "kimi-good",
        access_token=vendor.access,
        refresh_token="refresh-0",
        expired=written(time.time() + 3600),
    )
    with upstream(vendor.serve) as server, daemon(tmp_path, configuration(server, tmp_path)) as gateway:
        for _ in SENSELESS:
            gateway.wait_for("not renewed yet")
        assert ask(gateway).status_code == 200
        told = lines(gateway, "not renewed yet")
    for number, (_, _, words) in enumerate(SENSELESS):
        assert any(f"gave no token for the account 'kimi-{number}' {words}" in each for each in told)
    for number in range(len(SENSELESS)):
        kept = json.loads((tmp_path / "auth" / f"kimi-{number}.json").read_text())
        assert kept["refresh_token"] == f"r-{number}", "nothing is thought lost for that"
        assert "aiproxy_refused" not in kept


class Hesitant(Kimi):
    """Gives a token once it is let to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_for, self.goes_on = Event(), Event()

    def serve(self, received: Received, wire: Wire) -> None:
        if not received.path.startswith("/coding"):
            self.asked_for.set()
            self.goes_on.wait(20)
        super().serve(received, wire)


def test_a_token_endpoint_that_is_slow(tmp_path: Path) -> None:
    vendor = Hesitant()
    put(tmp_path, "kimi-1", access_token=vendor.access, refresh_token="r-1", expired=written(time.time() + 3600))
    put(tmp_path, "kimi-2", access_token="old", refresh_token="refresh-0", expired=written(time.time() - 9))
    with upstream(vendor.serve) as server:
        settings = f"{configuration(server, tmp_path)}routing: {{strategy: fill-first}}\n"
        with daemon(tmp_path, settings) as gateway:
            assert vendor.asked_for.wait(20)
            for _ in range(3):
                assert ask(gateway).status_code == 200, "the other account answers meanwhile"
            assert httpx2.get(f"{gateway.address}/readyz").status_code == 200
            vendor.goes_on.set()
            gateway.wait_for("account kimi-2: token renewed")
    assert json.loads((tmp_path / "auth" / "kimi-2.json").read_text())["refresh_token"] == "refresh-1"
    assert vendor.used == ["refresh-0"], "asked for once"


@pytest.mark.parametrize(
    "expired",
    [
        "1970-01-01T00:00:01Z",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        4e15,
        -1,
        "soon",
    ],
)
def test_whatever_a_file_says_of_the_end(expired: Any, tmp_path: Path) -> None:
    """One that ended long ago is renewed; one that seems to hold, by a clock that is wrong, when the vendor refuses it."""
    vendor = Kimi()
    vendor.access = "another"
    put(tmp_path, "kimi-1", access_token="access-0", refresh_token="refresh-0", expired=expired)
    with upstream(vendor.serve) as server, daemon(tmp_path, configuration(server, tmp_path)) as gateway:
        assert ask(gateway).status_code == 200
    assert vendor.used == ["refresh-0"]
    kept = json.loads((tmp_path / "auth" / "kimi-1.json").read_text())
    assert abs(time.time() + vendor.lifetime - _seconds(kept["expired"])) < 60


def _seconds(text: str) -> float:
    found = moment(text)
    assert found is not None
    return found


def test_a_file_of_a_later_version(tmp_path: Path) -> None:
    vendor = Kimi()
    put(tmp_path, "kimi-1", version=99, access_token="access-0", refresh_token="refresh-0", new={"field": [1]})
    put(tmp_path, "kimi-2", version=99, credentials={"access": "x"})
    vendor.access = "another"
    with upstream(vendor.serve) as server, daemon(tmp_path, configuration(server, tmp_path)) as gateway:
        assert ask(gateway).status_code == 200
        ok, detail = check(gateway)
        assert not ok
        assert "auths/kimi-2.json holds neither `access_token` nor `refresh_token`" in detail
        assert httpx2.get(f"{gateway.address}/readyz").status_code == 200
    kept = json.loads((tmp_path / "auth" / "kimi-1.json").read_text())
    assert (kept["version"], kept["new"], kept["refresh_token"]) == (99, {"field": [1]}, "refresh-1")
