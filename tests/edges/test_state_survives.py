"""What the gateway has learnt outlives it, however it ends."""

import os
import random
import signal
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from time import monotonic, sleep

import httpx2
import pytest

from tests.rig.daemon import BIN, Daemon, daemon
from tests.rig.until import until
from tests.rig.upstream import Upstream, fails, says, upstream

BODY = {"model": "m", "messages": [{"role": "user", "content": "x"}]}

LOST_SECONDS = 1.0
"""Of records that a kill may cost."""


@pytest.fixture
def vendor() -> Iterator[Upstream]:
    with upstream(says("ok")) as running:
        yield running


def configuration(vendor: Upstream) -> str:
    return (
        "openai-compatibility:\n"
        f"  - {{name: v, base-url: '{vendor.base_url}', models: [m], api-key-entries: [a-key-of-the-upstream]}}\n"
    )


def call(gateway: Daemon, request_id: str = "req_some_call") -> int:
    url = f"{gateway.base_url}/chat/completions"
    return httpx2.post(url, json=BODY, headers={"x-request-id": request_id}, timeout=20).status_code


def check(gateway: Daemon, name: str) -> str:
    answer = httpx2.get(f"{gateway.address}/readyz?verbose").json()
    return str(next(found["detail"] for found in answer["checks"] if found["name"] == name))


def until_told(gateway: Daemon, name: str, words: str) -> None:
    until(lambda: check(gateway, name), lambda told: words in told)


def rows(path: Path, sql: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_every_call_is_recorded_with_each_of_its_attempts(vendor: Upstream, tmp_path: Path) -> None:
    vendor.script.append(fails(500))
    with daemon(tmp_path, configuration(vendor)) as gateway:
        assert call(gateway, "req_with_two_attempts") == 200
        assert httpx2.post(f"{gateway.base_url}/chat/completions", json={**BODY, "model": "nope"}).status_code == 404
        assert "state.db" in check(gateway, "state")
    path = tmp_path / ".aiproxy" / "state.db"
    assert rows(path, "SELECT request_id, model, outcome, attempts FROM requests ORDER BY id")[0] == (
        "req_with_two_attempts",
        "m",
        "complete",
        2,
    )
    assert rows(path, "SELECT model, outcome, error FROM requests ORDER BY id")[1] == ("nope", "failed", "not_found")
    found = rows(path, "SELECT attempt, outcome, upstream_status, output_visible FROM usage ORDER BY id")
    assert found == [(1, "failed", 500, None), (2, "complete", None, 2)]


def test_the_demo_writes_nothing_to_disk(tmp_path: Path) -> None:
    with daemon(tmp_path) as gateway:
        assert httpx2.post(f"{gateway.base_url}/chat/completions", json={**BODY, "model": "demo"}).status_code == 200
        until_told(gateway, "state", "written")
        assert "memory" in check(gateway, "state")
    assert not (tmp_path / ".aiproxy").exists()


@pytest.mark.parametrize("state", ["memory", ":memory:"])
def test_state_in_memory_makes_no_file(vendor: Upstream, tmp_path: Path, state: str) -> None:
    with daemon(tmp_path, f"state: '{state}'\n{configuration(vendor)}") as gateway:
        assert call(gateway) == 200
        until_told(gateway, "state", "written")
        assert check(gateway, "state").startswith("sqlite (memory)")
    assert [path.name for path in tmp_path.iterdir()] == ["aiproxy.yaml"]


def test_what_rests_is_told_by_what_it_is(vendor: Upstream, tmp_path: Path) -> None:
    """A limit is one model's at its account: the account's others are ready."""
    with daemon(tmp_path, "request-retry: 0\nmax-retry-interval: 1\n" + configuration(vendor)) as gateway:
        assert check(gateway, "accounts") == "1 configured, 0 resting"
        vendor.otherwise = fails(429, headers={"retry-after": "20"})
        assert call(gateway) == 429
        assert check(gateway, "accounts") == "1 configured, 0 resting, 1 model at an account resting"
        gateway.wait_for("v-1 m rests for 20 s: rate_limit")
        vendor.otherwise = fails(401)
        assert call(gateway) == 502
        gateway.wait_for("v-1 rests for 6")
        assert check(gateway, "accounts") == "1 configured, 1 resting, 1 model at an account resting"
        metrics = httpx2.get(f"{gateway.address}/metrics").text
        assert 'aiproxy_resting{scope="account"} 1.0' in metrics
        assert 'aiproxy_resting{scope="model"} 1.0' in metrics


def test_a_rest_outlives_a_restart(vendor: Upstream, tmp_path: Path) -> None:
    vendor.otherwise = fails(401)
    with daemon(tmp_path, configuration(vendor)) as gateway:
        call(gateway)
        assert "1 resting" in check(gateway, "accounts")
    asked = len(vendor.received)
    with daemon(tmp_path, configuration(vendor)) as again:
        until_told(again, "accounts", "1 resting")
    with daemon(tmp_path, configuration(vendor).replace("a-key-of", "another-key-of")) as anew:
        until_told(anew, "state", "waiting")
        assert "0 resting" in check(anew, "accounts")
    assert len(vendor.received) == asked


@pytest.mark.parametrize("seed", [1, 2])
def test_a_kill_costs_a_second_of_records_and_doubles_none(vendor: Upstream, tmp_path: Path, seed: int) -> None:
    answered: dict[str, float] = {}
    path = tmp_path / "aiproxy.yaml"
    path.write_text(f"state: {tmp_path / 'state.db'}\n{configuration(vendor)}")
    path.chmod(0o600)
    command = [str(BIN / "twistd"), "-n", "--pidfile=", "aiproxy", "--config", str(path), "--set", "port=0"]
    gateway = Daemon(command, tmp_path, {})

    def calls(worker: int) -> None:
        with httpx2.Client(timeout=20) as client:
            for number in range(100_000):
                request_id = f"req_{worker}_{number:05}"
                try:
                    client.post(
                        f"{gateway.base_url}/chat/completions", json=BODY, headers={"x-request-id": request_id}
                    ).raise_for_status()
                except httpx2.TransportError:
                    return
                answered[request_id] = monotonic()

    workers = [Thread(target=calls, args=(number,)) for number in range(3)]
    for worker in workers:
        worker.start()
    sleep(random.Random(seed).uniform(1.2, 2.0))
    gateway.process.send_signal(signal.SIGKILL)
    killed = monotonic()
    gateway.process.wait()
    for worker in workers:
        worker.join()
    with daemon(tmp_path, path.read_text()) as again:  # also checks the file
        until_told(again, "state", "waiting")
        assert "damaged" not in check(again, "state")
    kept = Counter(str(row[0]) for row in rows(tmp_path / "state.db", "SELECT request_id FROM usage"))
    assert max(kept.values()) == 1
    certain = {request_id for request_id, at in answered.items() if at < killed - LOST_SECONDS}
    assert certain
    assert certain <= kept.keys()


def test_a_damaged_file_is_put_aside_and_said(vendor: Upstream, tmp_path: Path) -> None:
    state = tmp_path / ".aiproxy" / "state.db"
    state.parent.mkdir()
    state.write_bytes(b"SQLite format 3\0" + bytes(range(256)) * 40)
    with daemon(tmp_path, configuration(vendor)) as gateway:
        assert call(gateway) == 200
        until_told(gateway, "state", "written")
        assert "the damaged file is" in check(gateway, "state")
    assert list(state.parent.glob("state.db.damaged-*"))


def test_a_state_of_a_newer_version_ends_the_start(vendor: Upstream, tmp_path: Path) -> None:
    with daemon(tmp_path, configuration(vendor)) as gateway:
        assert call(gateway) == 200
    state = tmp_path / ".aiproxy" / "state.db"
    connection = sqlite3.connect(state)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = state.read_bytes()
    command = [str(BIN / "twistd"), "-n", "--pidfile=", "aiproxy", "--config", str(tmp_path / "aiproxy.yaml")]
    environ = {**os.environ, "HOME": str(tmp_path), "AIPROXY__PORT": "0"}
    ended = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30, check=False)
    assert ended.returncode == 1
    assert "written by a newer aiproxy (its version is 99" in ended.stderr + ended.stdout
    assert state.read_bytes() == before
