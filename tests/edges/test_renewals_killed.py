"""A gateway that is killed (`kill -9`) while it renews a login: what it was told and could not write is said to be lost, what it
wrote is used by the next one, and a store over the network loses nothing."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import httpx2
import psycopg
import pytest

from aiproxy.credentials.times import written
from aiproxy.storage.documents import CREDENTIALS
from aiproxy.storage.store import Change
from tests.edges.test_accounts import Kimi, account, ask, check, configuration
from tests.rig.daemon import BIN, Daemon, daemon
from tests.rig.postgres import Postgres
from tests.rig.until import until
from tests.rig.upstream import Received, Upstream, Wire, upstream
from tests.storage.places import Place

WITHIN = 30.0
"""Seconds, on a busy machine, for a gateway to come to where it is killed."""


class Watched(Kimi):
    """`reached`: a call came with a token that a renewal gave; while `holds` it is never answered."""

    def __init__(self) -> None:
        super().__init__()
        self.holds = False
        self.reached = Event()

    def serve(self, received: Received, wire: Wire) -> None:
        if (
            self.holds
            and received.path.startswith("/coding")
            and received.headers["authorization"] == "Bearer access-1"
        ):
            self.reached.set()
            wire.wait_for_close(WITHIN)
            return
        super().serve(received, wire)


@pytest.fixture
def kimi() -> Iterator[tuple[Watched, Upstream]]:
    vendor = Watched()
    with upstream(vendor.serve) as server:
        yield vendor, server


@contextmanager
def killed(directory: Path, text: str) -> Iterator[Daemon]:
    (directory / "aiproxy.yaml").write_text(text)
    running = Daemon([str(BIN / "aiproxy"), "--config", "aiproxy.yaml", "--port", "0"], directory, {})
    try:
        yield running
    finally:
        running.process.kill()
        running.process.wait()


def text(server: Upstream, directory: Path, number: int) -> str:
    """Each with a state of its own: who held the account's lock when it was killed is waited for, for 20 seconds."""
    return configuration(server, directory) + f"state: {directory}/state-{number}.db\n"


def test_between_the_vendors_answer_and_the_file(kimi: tuple[Watched, Upstream], tmp_path: Path) -> None:
    vendor, server = kimi
    path = account(tmp_path, 20)
    with nobody_writes(path.parent), killed(tmp_path, text(server, tmp_path, 1)):
        until(lambda: vendor.used)
    kept = json.loads(path.read_text())
    assert kept["refresh_token"] == "refresh-0", "a whole login, the last one that was written"
    with daemon(tmp_path, text(server, tmp_path, 2)) as gateway:
        refused = ask(gateway)
        assert refused.status_code == 502
        assert "invalid_grant" in refused.json()["error"]["message"]
        ok, detail = check(gateway)
        assert not ok
        assert "'kimi-1' (invalid_grant)" in detail
        assert "To log in again: `aiproxy-config login kimi`" in detail
    assert vendor.used == ["refresh-0", "refresh-0"]
    assert "invalid_grant" in json.loads(path.read_text())["aiproxy_refused"]["reason"]


@contextmanager
def nobody_writes(directory: Path) -> Iterator[None]:
    """A process that wants to, waits."""
    lock = os.open(directory / ".aiproxy.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def test_between_the_file_and_the_first_use(kimi: tuple[Watched, Upstream], tmp_path: Path) -> None:
    vendor, server = kimi
    path = account(tmp_path, 20)
    vendor.holds = True
    with ThreadPoolExecutor(1) as thread:
        with killed(tmp_path, text(server, tmp_path, 1)) as gateway:
            asked = thread.submit(ask, gateway)
            assert vendor.reached.wait(WITHIN)
        assert isinstance(asked.exception(WITHIN), httpx2.TransportError)
    assert json.loads(path.read_text())["refresh_token"] == "refresh-1"
    vendor.holds = False
    with daemon(tmp_path, text(server, tmp_path, 2)) as gateway:
        assert ask(gateway).status_code == 200
    assert vendor.used == ["refresh-0"]


def test_while_a_store_over_the_network_takes_its_time(
    kimi: tuple[Watched, Upstream], postgres: Postgres, tmp_path: Path
) -> None:
    """The mirror has the new token before the network is waited for; the next gateway gives it to the store."""
    vendor, server = kimi
    database = postgres.new_database()
    store = f"store:\n  local-path: mirror\n  type: postgres\n  postgres: {{dsn: '{database}'}}\n"
    place = Place("postgres", tmp_path, f"  type: postgres\n  postgres: {{dsn: '{database}'}}\n")
    content = {"type": "kimi", "access_token": "access-0", "refresh_token": "refresh-0", "expired": written(time.time() + 20)}  # fmt: skip
    with closing(place):
        elsewhere = place.open()
        name = f"{CREDENTIALS}kimi-1.json"
        elsewhere.save(name, json.dumps(content).encode(), None, Change("Try it"))
        with psycopg.connect(database, autocommit=True) as looking, psycopg.connect(database) as locked:
            locked.execute("LOCK TABLE store_document IN EXCLUSIVE MODE")
            with killed(tmp_path, text(server, tmp_path, 1) + store):
                until(lambda: looking.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall())
            locked.rollback()
        with daemon(tmp_path, text(server, tmp_path, 2) + store) as gateway:
            assert ask(gateway).status_code == 200
            elsewhere.sync()
            assert json.loads(elsewhere.load().entries[name].body)["refresh_token"] == "refresh-1"
    assert vendor.used == ["refresh-0"]
