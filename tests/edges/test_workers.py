"""Several workers behind one socket: one that dies is replaced, all hear of a reload, and a replacement refuses nobody."""

import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Queue

import httpx2
import pytest
from openai import OpenAI
from prometheus_client.parser import text_string_to_metric_families

from tests.rig.daemon import BIN, Daemon, daemon
from tests.rig.until import until
from tests.rig.upstream import Received, Upstream, Wire, begin_stream, events, says, upstream

PATIENCE = 30.0
"""Seconds before a test that waits for something gives up. No test passes by it."""


@pytest.fixture
def vendor() -> Iterator[Upstream]:
    with upstream(says("ok")) as running:
        yield running


def configuration(vendor: Upstream, model: str = "m") -> str:
    return f"""
state: state.db
openai-compatibility:
  - {{name: vendor, base-url: "{vendor.base_url}", api-key-entries: [key-0123456789abcdef], models: [{model}]}}
"""


@contextmanager
def workers(directory: Path, text: str, count: int = 2) -> Iterator[Daemon]:
    with daemon(directory, text, "--workers", str(count)) as running:
        yield running


def children(pid: int) -> list[int]:
    """Those that live."""
    return [each for each in map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()) if lives(each)]


def lives(pid: int) -> bool:
    """One that has ended counts as gone before anybody has asked for its status."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def until_gone(pids: list[int]) -> None:
    until(lambda: [pid for pid in pids if lives(pid)], lambda left: not left)


def names(gateway: Daemon) -> list[str]:
    """The models, asked for over a connection of its own."""
    return [model["id"] for model in httpx2.get(f"{gateway.base_url}/models", timeout=PATIENCE).json()["data"]]


def test_a_worker_that_dies_is_replaced(vendor: Upstream, tmp_path: Path) -> None:
    with workers(tmp_path, configuration(vendor)) as gateway:
        first, second = children(gateway.process.pid)
        os.kill(first, signal.SIGKILL)
        gateway.wait_for("is started again")
        assert names(gateway) == ["m"]
        gateway.wait_for("state is kept")
        replaced = children(gateway.process.pid)
        assert second in replaced
        assert first not in replaced
        assert len(replaced) == 2


def test_a_reload_reaches_all(vendor: Upstream, tmp_path: Path) -> None:
    with workers(tmp_path, configuration(vendor)) as gateway:
        path = tmp_path / "aiproxy.yaml"
        path.write_text(configuration(vendor, "renamed"))
        gateway.signal(signal.SIGHUP)
        for _ in range(2):
            gateway.wait_for("configuration reloaded")
        assert [names(gateway) for _ in range(20)] == [["renamed"]] * 20


@contextmanager
def stream_across(gateway: Daemon, vendor: Upstream) -> Iterator[None]:
    """A stream that has begun before the block and ends after it, and comes whole."""
    go: Queue[bytes | None] = Queue()

    def paced(_request: Received, wire: Wire) -> None:
        begin_stream(wire)
        while (data := go.get(timeout=PATIENCE)) is not None:
            wire.chunk(data)
        wire.chunk(b"")

    vendor.script.append(paced)
    head, first, *rest = events("still", " here")
    for data in (head, first):
        go.put(data)
    client = OpenAI(base_url=gateway.base_url, api_key="none", max_retries=0)
    stream = client.chat.completions.create(model="m", messages=[{"role": "user", "content": "hi"}], stream=True)
    said = [next(stream).choices[0].delta.content or ""]
    try:
        yield
    finally:
        for end in (*rest, None):
            go.put(end)
    said += [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    assert "".join(said) == "still here"


def test_a_replacement_cuts_no_stream_and_refuses_nobody(vendor: Upstream, tmp_path: Path) -> None:
    with workers(tmp_path, configuration(vendor)) as gateway:
        old = children(gateway.process.pid)
        answered: list[int] = []
        enough = threading.Event()

        def keep_asking() -> None:
            while not enough.is_set():
                answered.append(httpx2.get(f"{gateway.address}/healthz", timeout=PATIENCE).status_code)

        with stream_across(gateway, vendor):
            asking = threading.Thread(target=keep_asking)
            asking.start()
            gateway.signal(signal.SIGUSR2)
            for _ in range(2):
                gateway.wait_for("is replaced")
            enough.set()
            asking.join()
            assert set(answered) == {200}
        until_gone(old)
        assert len(children(gateway.process.pid)) == 2


def test_where_the_new_ones_cannot_start_the_old_ones_stay(vendor: Upstream, tmp_path: Path) -> None:
    with workers(tmp_path, configuration(vendor)) as gateway:
        old = children(gateway.process.pid)
        path = tmp_path / "aiproxy.yaml"
        path.write_text(configuration(vendor, "renamed") + "prot: 1\n")
        for _ in range(2):
            gateway.wait_for("configuration not reloaded")
        gateway.signal(signal.SIGUSR2)
        gateway.wait_for("what is installed now doesn't start")
        assert sorted(children(gateway.process.pid)) == sorted(old)
        assert [names(gateway) for _ in range(10)] == [["m"]] * 10
        path.write_text(configuration(vendor, "renamed"))
        gateway.signal(signal.SIGUSR2)
        for _ in range(2):
            gateway.wait_for("is replaced")
        until_gone(old)
        assert [names(gateway) for _ in range(10)] == [["renamed"]] * 10


def test_a_stop_ends_them_all(vendor: Upstream, tmp_path: Path) -> None:
    with workers(tmp_path, configuration(vendor), 3) as gateway:
        started = children(gateway.process.pid)
        assert len(started) == 3
        assert gateway.stop() == 0
        assert not any(map(lives, started))


def test_workers_end_without_their_supervisor(vendor: Upstream, tmp_path: Path) -> None:
    (tmp_path / "aiproxy.yaml").write_text(configuration(vendor))
    options = ["--config", "aiproxy.yaml", "--port", "0", "--workers", "2"]
    gateway = Daemon([str(BIN / "twistd"), "-n", "--pidfile=", "aiproxy", *options], tmp_path, {})
    started = children(gateway.process.pid)
    gateway.process.kill()
    assert gateway.stop() == -signal.SIGKILL
    until_gone(started)


@pytest.mark.parametrize("count", ["0", "65", "many"])
def test_a_number_that_makes_no_sense(count: str) -> None:
    command = [str(BIN / "twistd"), "-n", "--pidfile=", "aiproxy", "--workers", count]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert done.returncode
    assert "workers" in done.stdout + done.stderr


def counted(address: str, name: str) -> float:
    page = httpx2.get(f"{address}/metrics", timeout=20).text
    families = {family.name: family for family in text_string_to_metric_families(page)}
    return sum(sample.value for sample in families[name].samples if sample.name == f"{name}_total")


def until_counted(address: str, name: str, number: float) -> None:
    """The others' numbers may be a second old."""
    assert until(lambda: counted(address, name), lambda found: found >= number) == number


def test_one_scrape_shows_all_workers_also_one_that_has_died(vendor: Upstream, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    text = configuration(vendor) + f"metrics: {{port: {port}}}\n"
    with workers(tmp_path, text) as gateway:
        body = {"model": "m", "messages": [{"role": "user", "content": "x"}]}
        for _ in range(40):
            assert httpx2.post(f"{gateway.base_url}/chat/completions", json=body, timeout=20).status_code == 200
        alone = f"http://127.0.0.1:{port}"
        until_counted(alone, "aiproxy_requests", 40)
        assert httpx2.get(f"{gateway.address}/metrics", timeout=20).status_code == 404
        assert httpx2.get(f"{alone}/v1/models", timeout=20).status_code == 404
        assert httpx2.post(f"{alone}/metrics", timeout=20).status_code == 405
        pids = children(gateway.process.pid)
        os.kill(pids[0], signal.SIGKILL)
        gateway.wait_for("is started again")
        assert [counted(alone, "aiproxy_requests") for _ in range(10)] == [40] * 10
        gateway.wait_for("state is kept")
        gateway.signal(signal.SIGUSR2)
        for _ in range(2):
            gateway.wait_for("is replaced")
        until_gone(pids)
        until_counted(alone, "aiproxy_requests", 40)
