"""Two gateways on one PostgreSQL: what one learns the other knows, and the end of one is not the other's."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic

import psycopg
import pytest

from tests.edges.test_state_survives import call, check, configuration, until_told
from tests.rig.daemon import BIN, Daemon, daemon
from tests.rig.postgres import Postgres
from tests.rig.until import until
from tests.rig.upstream import Upstream, fails, says, upstream


@pytest.fixture
def vendor() -> Iterator[Upstream]:
    with upstream(says("ok")) as running:
        yield running


def node(directory: Path, name: str) -> Path:
    path = directory / name
    path.mkdir()
    return path


def test_nodes_share_what_they_learn_and_survive_one_another(
    vendor: Upstream, tmp_path: Path, postgres: Postgres
) -> None:
    url = postgres.new_database()
    text = f"state: '{url}'\n{configuration(vendor)}"
    path = node(tmp_path, "a") / "aiproxy.yaml"
    path.write_text(text)
    path.chmod(0o600)
    command = [str(BIN / "twistd"), "-n", "--pidfile=", "aiproxy", "--config", str(path), "--set", "port=0"]
    first = Daemon(command, path.parent, {})
    try:
        with daemon(node(tmp_path, "b"), text) as second:
            until_told(second, "bus", "postgresql")
            for gateway in (first, second):
                until_told(gateway, "state", "waiting")
                assert call(gateway) == 200

            vendor.otherwise = fails(401)
            call(first)
            known = monotonic()
            until_told(second, "accounts", "1 resting")
            assert monotonic() - known < 1.0

            first.signal(signal.SIGKILL)
            first.process.wait()
            vendor.otherwise = says("ok")
            assert call(second) == 200  # the rest is probed, and is over
            assert "0 resting" in check(second, "accounts")
            until_told(second, "state", "0 records waiting")
            assert "can't be reached" not in check(second, "state")
    finally:
        first.process.kill()
        first.process.wait()
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT outcome FROM aiproxy_state.usage ORDER BY id").fetchall()[:2] == [
            ("complete",),
            ("complete",),
        ]


def test_nodes_go_on_while_postgresql_is_away(vendor: Upstream, tmp_path: Path, postgres: Postgres) -> None:
    url = postgres.new_database()
    with daemon(tmp_path, f"state: '{url}'\n{configuration(vendor)}") as gateway:
        assert call(gateway) == 200
        until_told(gateway, "state", "written")
        postgres.stop()
        try:
            began = monotonic()
            for number in range(20):
                assert call(gateway, f"req_while_away_{number}") == 200
            assert monotonic() - began < 5
            until_told(gateway, "state", "PostgreSQL")
        finally:
            postgres.start()
        until_told(gateway, "state", "; 0 records waiting")
        until(lambda: check(gateway, "state"), lambda told: "PostgreSQL:" not in told and "can't" not in told)
    with psycopg.connect(url) as connection:
        [(count, different)] = connection.execute(
            "SELECT count(*), count(DISTINCT request_id) FROM aiproxy_state.usage WHERE request_id LIKE 'req_while_away%'"
        ).fetchall()
        assert count == different == 20


_REFRESHER = """
import os, sys
from twisted.internet import task
from aiproxy.storage.single_flight import SingleFlight
from aiproxy.storage.state.retention import Retention
from aiproxy.storage.state.state import State
from aiproxy.storage.state_address import database_of

where, kept, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])

def version():
    return int(open(kept).read())

async def main(reactor):
    state = State(reactor, database_of(where), Retention(90, 100))
    state.start()
    flight = SingleFlight(reactor, state)
    while (seen := version()) < wanted:
        async def look():
            return True if version() > seen else None
        async def refresh(held):
            await held.check()
            token = version()
            os.close(os.open(f"{kept}.used-{token}", os.O_CREAT | os.O_EXCL))  # single use
            await task.deferLater(reactor, 0.02)
            with open(f"{kept}.new-{token}", "w") as stream:
                stream.write(str(token + 1))
            os.rename(f"{kept}.new-{token}", kept)
            return True
        await flight.run("refresh/account", look, refresh)
    await state.stop()

task.react(lambda reactor: __import__("twisted.internet.defer").internet.defer.Deferred.fromCoroutine(main(reactor)))
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_single_use_token_is_used_once_by_all_processes(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    where = str(tmp_path / "state.db") if kind == "sqlite" else request.getfixturevalue("postgres").new_database()
    kept = tmp_path / "token"
    kept.write_text("0")
    program = tmp_path / "refresher.py"
    program.write_text(_REFRESHER)
    processes = [
        subprocess.Popen([sys.executable, str(program), where, str(kept), "12"], stderr=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert kept.read_text() == "12"
    assert len(list(tmp_path.glob("token.used-*"))) == 12
