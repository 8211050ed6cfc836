"""Managed keys: made once, known by their digest only, good at all workers, rotated with overlap, revoked at once."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from time import monotonic, sleep, time

import httpx2
import pytest

from aiproxy.storage.state import client_keys
from aiproxy.storage.state.client_keys import Made
from aiproxy.storage.state.sqlite import SqliteDatabase
from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import says, upstream

PATIENCE = 30.0
CONFIGURED = "key-of-configured-0123456789"


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Daemon]:
    with upstream(says("hello")) as vendor:
        configuration = f"""
state: state.db
api-keys: [{{name: configured, key: {CONFIGURED}}}]
openai-api-key: [{{api-key: key-of-vendor-0123456789, base-url: "{vendor.base_url}", models: [m, n]}}]
"""
        with daemon(tmp_path, configuration, "--workers", "2") as running:
            yield running


def status(gateway: Daemon, key: str, model: str = "m") -> int:
    body = {"model": model, "max_tokens": 10, "messages": [{"role": "user", "content": "x"}]}
    headers = {"authorization": f"Bearer {key}"}
    return httpx2.post(f"{gateway.base_url}/chat/completions", json=body, headers=headers, timeout=20).status_code


def until_all_say(gateway: Daemon, key: str, wanted: int) -> None:
    """At every worker: each call is a connection of its own."""
    given_up = monotonic() + PATIENCE
    while {status(gateway, key) for _ in range(8)} != {wanted}:
        assert monotonic() < given_up
        sleep(0.1)


def test_a_key_lives_rotates_and_ends_on_all_workers(gateway: Daemon, tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "state.db", check=False)

    def make(**settings: object) -> Made:
        with database.transaction() as session:
            return client_keys.create(session, time(), name="team", settings=settings)

    made = make(models=["m"], limits={"requests-per-day": 1000})
    until_all_say(gateway, made.key, 200)
    assert status(gateway, made.key, "n") == 404
    assert status(gateway, CONFIGURED, "n") == 200

    with database.transaction() as session:
        rotated = client_keys.rotate(session, time(), made.row.id, overlap=3600.0)
    until_all_say(gateway, rotated.key, 200)
    assert status(gateway, made.key) == 200  # for an hour

    with database.transaction() as session:
        again = client_keys.rotate(session, time(), made.row.id, overlap=0.0)
    until_all_say(gateway, rotated.key, 401)
    assert status(gateway, again.key) == 200

    with database.transaction() as session:
        assert client_keys.revoke(session, time(), made.row.id) == 1
        with pytest.raises(client_keys.UnknownKey):
            client_keys.revoke(session, time(), made.row.id)
    until_all_say(gateway, again.key, 401)
    assert status(gateway, CONFIGURED) == 200
    database.close()

    gateway.stop()
    for key in (made.key, rotated.key, again.key):
        for path in tmp_path.rglob("*"):
            assert not path.is_file() or key.encode() not in path.read_bytes()
        assert key not in "".join(gateway.output)
    with sqlite3.connect(tmp_path / "state.db") as kept:
        owners = kept.execute("SELECT DISTINCT client FROM counters").fetchall()
        names = kept.execute("SELECT DISTINCT client FROM requests").fetchall()
    kept.close()
    assert owners == [(f"managed {made.row.id}",)]
    assert ("team",) in names
