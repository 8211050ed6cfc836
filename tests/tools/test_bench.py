"""The benchmark measures what it says: every event counted, everything missing told. How fast is not this test's affair."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from socket import create_server
from typing import Any

import pytest

from bench.answers import on_the_wire, openai_request, openai_stream
from bench.native import build, load, stub
from bench.processes import cpu_seconds, family, memory, peak_memory
from bench.systems import CannotRun, load_system
from bench.workloads import WORKLOADS

needs_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
CORES = os.sched_getaffinity(0)
EVENTS = 5


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("native")
    build(directory)
    return directory


@pytest.fixture
def upstream(native: Path) -> Iterator[int]:
    (native / "bulk.sse").write_text("".join(openai_stream("bulk", EVENTS)))
    (native / "whole.json").write_text("{}")
    answers = [f"bulk={native}/bulk.sse", f"paced={native}/bulk.sse@5", f"whole={native}/whole.json"]
    with create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    with stub(native, port, answers, CORES):
        yield port


def ask(directory: Path, port: int, model: str, *options: str) -> dict[str, Any]:
    request = directory / "request.http"
    request.write_bytes(on_the_wire("/v1/chat/completions", openai_request(model, stream=True), {}))
    return load(
        directory, port, [str(request), "--requests", "8", "--connections", "8", *options], CORES, lambda _: None
    )


def wrong(counted: dict[str, Any]) -> dict[str, int]:
    return {name: counted[name] for name in ("failed", "refused", "lost", "out_of_order") if counted[name]}


@needs_compiler
@pytest.mark.parametrize("model", ["bulk", "paced"])
def test_every_event_is_counted(native: Path, upstream: int, model: str) -> None:
    counted = ask(native, upstream, model, "--events", str(EVENTS))
    assert counted["requests"] == 8
    assert counted["events"] == 8 * EVENTS
    assert not wrong(counted)
    assert bool(counted["delay_ms"]) is (model == "paced")


@needs_compiler
def test_bodies_are_counted_to_the_byte(native: Path, upstream: int) -> None:
    assert ask(native, upstream, "bulk")["body_bytes"] == 8 * (native / "bulk.sse").stat().st_size
    assert ask(native, upstream, "whole")["body_bytes"] == 8 * len("{}")


@needs_compiler
@pytest.mark.parametrize(
    ("model", "expected"),
    [("whole", {"lost": 8 * EVENTS}), ("nobody", {"refused": 8, "lost": 8 * EVENTS})],
    ids=["without events", "refused"],
)
def test_what_is_missing_is_told(native: Path, upstream: int, model: str, expected: dict[str, int]) -> None:
    assert wrong(ask(native, upstream, model, "--events", str(EVENTS))) == expected


@needs_compiler
def test_a_gateway_is_measured(tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    options = ["--systems", "aiproxy", "--work", "W1,W3,W7", "--seconds", "0.3", "--rounds", "1", "--json", str(report)]
    done = subprocess.run([sys.executable, "-m", "bench", *options], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    results = {result["workload"]: result for result in json.loads(report.read_text())["results"]}
    assert list(results) == ["W1", "W3", "W7"]
    assert all(result["middle"]["cpu"] > 0 and result["middle"]["wrong"] == 0 for result in results.values()), results
    assert "| W1 " in done.stdout


def test_this_process_has_a_cost() -> None:
    with subprocess.Popen(["sleep", "10"]) as child:
        assert set(family(os.getpid())) >= {os.getpid(), child.pid}
        child.kill()
    assert cpu_seconds(os.getpid()) > 0
    assert peak_memory(os.getpid()) >= memory(os.getpid()) / 2 > 0


def test_an_unknown_system_is_told_with_the_known_ones() -> None:
    with pytest.raises(CannotRun, match="known are aiproxy, nginx"):
        load_system("nothing")


def test_an_adapter_with_a_key_too_many_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('needs = "x"\ncommand = ["x"]\nready = "/"\ntranslates = true\nspeed = 9\n')
    with pytest.raises(CannotRun, match="speed"):
        load_system(str(tmp_path / "a.toml"))


def test_workloads_are_named_once() -> None:
    assert len({workload.id for workload in WORKLOADS}) == len(WORKLOADS)
