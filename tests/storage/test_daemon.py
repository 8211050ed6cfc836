"""The gateway as users run it, with its configuration and credentials in a store away from it."""

import json
import re
import resource
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx2
import pytest

from aiproxy.storage.documents import CONFIGURATION
from aiproxy.storage.store import Change, Store
from tests.rig.daemon import BIN, Daemon, daemon
from tests.rig.until import until
from tests.storage.places import ENCRYPTED, PLACES, Place, Servers

CHANGE = Change("Try it", "a test")
A = "auths/a.json"
EX_UNAVAILABLE, EX_CONFIG = 69, 78


@pytest.fixture(params=["postgres", "git-http", "s3-moto"])
def remote(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Iterator[Place]:
    with contextmanager(PLACES[request.param])(tmp_path, servers) as made, closing(made):
        yield made


def local(place: Place, more: str = "") -> str:
    return f"store:\n  local-path: mirror\n{place.store}{more}"


def serving(model: str) -> bytes:
    return f"openai-compatibility: [{{name: v, base-url: 'http://127.0.0.1:1/v1', models: [{model}]}}]\n".encode()


def models(gateway: Daemon) -> list[str]:
    return [entry["id"] for entry in httpx2.get(f"{gateway.base_url}/models").json()["data"]]


def checks(gateway: Daemon) -> dict[str, tuple[bool, str]]:
    answer = httpx2.get(f"{gateway.address}/readyz?verbose")
    assert answer.status_code == 200
    return {check["name"]: (check["ok"], check["detail"]) for check in answer.json()["checks"]}


def logged(gateway: Daemon, words: str) -> None:
    """At some time, before or after this."""
    if not any(words in line for line in gateway.output):
        gateway.wait_for(words)


def put(store: Store, name: str, body: bytes) -> None:
    before = store.load().entries.get(name)
    store.save(name, body, before.version if before else None, CHANGE)


def test_the_stored_configuration_holds_and_is_watched(remote: Place, tmp_path: Path) -> None:
    elsewhere = remote.open()
    put(elsewhere, CONFIGURATION, serving("first"))
    with daemon(tmp_path, local(remote)) as gateway:
        assert models(gateway) == ["first"]
        put(elsewhere, CONFIGURATION, serving("second"))
        gateway.wait_for("configuration reloaded")
        assert models(gateway) == ["second"]
        put(elsewhere, CONFIGURATION, b"prot: 1\n")
        assert "prot" in gateway.wait_for("configuration not reloaded")["msg"]
        assert models(gateway) == ["second"]
        put(elsewhere, A, b'{"type": "codex", "access_token": "t-0123456789"}')
        put(elsewhere, CONFIGURATION, serving("third"))
        gateway.wait_for("configuration reloaded")
        assert "third" in models(gateway)
        found = checks(gateway)
        assert found["store"][0]
        assert "0 unpushed" in found["store"][1]
        assert metric(gateway, "aiproxy_store_unpushed_changes") == 0
        assert found["credentials"] == (True, "1 loaded")


def test_it_starts_and_serves_while_the_store_is_away(remote: Place, tmp_path: Path) -> None:
    assert remote.line is not None
    elsewhere = remote.open()
    put(elsewhere, CONFIGURATION, serving("first"))
    with daemon(tmp_path, local(remote)) as gateway:
        assert models(gateway) == ["first"]
    remote.line.cut()
    with daemon(tmp_path, local(remote)) as gateway:
        assert models(gateway) == ["first"]
        _, detail = until(lambda: checks(gateway)["store"], lambda told: not told[0])
        assert "can't be reached" in detail
        assert metric(gateway, "aiproxy_store_mirror_age_seconds") > 0
        logged(gateway, "can't be reached")
        remote.line.mend()
        put(elsewhere, CONFIGURATION, serving("second"))
        gateway.wait_for("configuration reloaded")
        logged(gateway, "is back")
        assert models(gateway) == ["second"]


def metric(gateway: Daemon, name: str) -> float:
    (value,) = re.findall(rf"^{name} (.*)$", httpx2.get(f"{gateway.address}/metrics").text, re.MULTILINE)
    return float(value)


def started(directory: Path, text: str, environ: dict[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
    (directory / "aiproxy.yaml").write_text(text)
    command = [str(BIN / "aiproxy"), "--port", "0"]
    kept = {"PATH": "/usr/bin:/bin", "HOME": str(directory)}
    return subprocess.run(
        command, cwd=directory, env=kept | (environ or {}), capture_output=True, text=True, timeout=60, check=False
    )


def test_without_a_mirror_it_says_so_and_ends(remote: Place, tmp_path: Path) -> None:
    assert remote.line is not None
    remote.line.cut()
    run = started(tmp_path, local(remote))
    assert run.returncode == EX_UNAVAILABLE
    assert "can't be reached" in run.stderr
    assert run.stderr.count("\n") == 1


def test_until_a_store_has_a_configuration_the_local_one_holds(remote: Place, tmp_path: Path) -> None:
    with daemon(tmp_path, local(remote, serving("local").decode())) as gateway:
        assert models(gateway) == ["local"]
        put(remote.open(), CONFIGURATION, serving("stored"))
        gateway.wait_for("configuration reloaded")
        assert models(gateway) == ["stored"]


def test_credentials_of_a_directory_are_watched(tmp_path: Path) -> None:
    auth = tmp_path / "auth"
    auth.mkdir()
    with daemon(tmp_path, f"auth-dir: {auth}\n") as gateway:
        assert checks(gateway)["credentials"] == (True, "0 loaded")
        (auth / "a.json").write_text('{"type": "codex", "access_token": "t-0123456789"}')
        gateway.wait_for("configuration reloaded")
        assert checks(gateway)["credentials"] == (True, "1 loaded")
        (auth / "b.json").write_text("not JSON")
        assert "auths/b.json" in gateway.wait_for("credential left out")["msg"]
        assert checks(gateway)["credentials"] == (False, "1 loaded; auths/b.json is not valid JSON")
        (auth / "a.json").unlink()
        (auth / "b.json").unlink()
        gateway.wait_for("configuration reloaded")


def test_a_wrong_encryption_key_is_one_sentence(tmp_path: Path) -> None:
    place = Place("file", tmp_path, "", environ=ENCRYPTED)
    with closing(place):
        put(place.open(), A, b'{"type": "codex", "access_token": "t-0123456789"}')
    wrong = {"AIPROXY_ENCRYPTION_KEY": "00" * 32}
    for environ, words in ((wrong, "AIPROXY_ENCRYPTION_KEY_OLD"), ({}, "set AIPROXY_ENCRYPTION_KEY")):
        run = started(tmp_path, f"auth-dir: {tmp_path}/auths\n", environ)
        assert run.returncode == EX_CONFIG
        assert words in run.stderr
        assert "Traceback" not in run.stderr


def test_ten_thousand_credentials_start_soon(tmp_path: Path, servers: Servers) -> None:
    """Seconds from the command to the first answer, with all of them; the aim is five, on a machine of its own."""
    auth = tmp_path / "auth"
    auth.mkdir()
    body = json.dumps({"type": "codex", "access_token": "t" * 1500, "refresh_token": "r" * 200})
    for number in range(10_000):
        (auth / f"codex-{number}@example.com.json").write_text(body)
    with daemon(tmp_path, f"auth-dir: {auth}\n") as gateway:
        assert checks(gateway)["credentials"] == (True, "10000 loaded")


def test_a_full_disk_costs_no_record(tmp_path: Path) -> None:
    """While the state can't be written, the gateway serves and says so; once there is room, nothing is missing."""
    settled = "openai-compatibility: [{name: v, base-url: 'http://127.0.0.1:1/v1', models: [m]}]\nstate: state.db\n"
    with daemon(tmp_path, settled) as gateway:
        ask(gateway)
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        ask(gateway)
        gateway.wait_for("records wait until it is back")
        ask(gateway)
        ok, detail = until(lambda: checks(gateway)["state"], lambda told: " 0 records waiting" not in told[1])
        assert not ok
        assert "disk I/O error" in detail
        resource.prlimit(gateway.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        gateway.wait_for("is back")
        assert checks(gateway)["state"][0]
    with closing(sqlite3.connect(tmp_path / "state.db")) as rows:
        assert rows.execute("SELECT count(*), count(DISTINCT request_id) FROM requests").fetchone() == (3, 3)


def ask(gateway: Daemon) -> None:
    """For a model that isn't there: a record of a call, and no upstream."""
    asked = {"model": "none", "messages": [{"role": "user", "content": "Hi"}]}
    assert httpx2.post(f"{gateway.base_url}/chat/completions", json=asked).status_code == 404
