"""The configuration's history of a gateway whose configuration is in files, a database, a repository and a bucket: by the API and
by the command, and no secret in either."""

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aiproxy.storage.documents import CONFIGURATION
from aiproxy.storage.store import Change, Store
from aiproxy_config.cli import main
from tests.rig.daemon import Daemon, daemon
from tests.rig.managing import KEY, MANAGED, Api
from tests.rig.until import until
from tests.storage.places import PLACES, Place, Servers

FIRST, SECOND = "canary-key-0123456789", "canary-key-9876543210"


def text(key: str, retries: int) -> str:
    return f"{MANAGED}# ours\napi-keys:\n  - {key}   # was {FIRST}\nrequest-retry: {retries}\n"


@pytest.fixture(params=["file", "postgres", "git", "s3-moto"])
def any_place(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Iterator[Place]:
    with contextmanager(PLACES[request.param])(tmp_path, servers) as made, closing(made):
        yield made


def put(store: Store, body: str) -> None:
    store.sync()
    before = store.load().entries.get(CONFIGURATION)
    store.save(CONFIGURATION, body.encode(), before.version if before else None, Change("By hand", "someone"))


def tool(directory: Path, *arguments: str, status: int = 0) -> str:
    config = directory / "aiproxy.yaml"
    done = CliRunner().invoke(main, [*arguments, "--config", str(config)], env={"HOME": str(directory)})
    assert done.exit_code == status, done.output
    assert FIRST not in done.output
    assert SECOND not in done.output
    return done.output


def settled(gateway: Daemon) -> None:
    gateway.wait_for("configuration reloaded")


def told(api: Api, count: int) -> list[dict[str, Any]]:
    """It is noted behind a change, which nobody waits for."""

    def look() -> list[dict[str, Any]]:
        answer = api.ask("GET", "/config/history")
        assert FIRST not in answer.text
        versions: list[dict[str, Any]] = answer.json()["versions"]
        return versions

    return until(look, lambda versions: len(versions) == count)


def test_what_was_in_use_is_told_and_brought_back(any_place: Place, tmp_path: Path) -> None:
    state = f"state: {tmp_path}/state.db\n"
    if any_place.kind == "file":
        local = text(FIRST, 1) + state
    else:
        local = f"store:\n  local-path: mirror\n{any_place.store}"
        put(any_place.open(), text(FIRST, 1) + state)
    with daemon(tmp_path, local) as gateway:
        api = Api(gateway)
        (first,) = told(api, 1)
        assert first["kept"]
        assert first["bytes"] == len(text(FIRST, 1) + state)
        api.put("/request-retry", {"value": 2})
        settled(gateway)
        second, _ = told(api, 2)
        assert (second["author"], second["reason"]) == ("management API from 127.0.0.1", "Set request-retry")
        changed = api.get(f"/config/history/{second['id']}")
        assert [line for line in changed["lines"] if line[0] in "+-" and line[1] not in "+-"] == [
            "-request-retry: 1",
            "+request-retry: 2",
        ]
        assert changed["against"] == first["id"]
        tool(tmp_path, "set", "api-keys[0]", SECOND)
        settled(gateway)
        third, *_ = told(api, 3)
        assert (third["author"], third["reason"]) == ("aiproxy-config", "Set api-keys[0]")
        shown = api.ask("GET", f"/config/history/{third['id']}")
        assert FIRST not in shown.text, "also in the comment, where the version before says that it is a secret"
        assert SECOND not in shown.text
        assert len(re.findall("secret-[0-9a-f]{20}", shown.json()["text"])) == 3
        read = api.ask("GET", "/config.yaml")
        text_now = read.text
        assert FIRST not in text_now, "the key that was stands in the comment alone"
        draft = text_now.replace("request-retry: 2", "request-retry: 3")
        assert FIRST not in api.ask("POST", "/config/diff", content=draft).text
        assert api.ask("PUT", "/config.yaml", content=text_now).headers["etag"] == read.headers["etag"], "it came back"
        if any_place.kind == "file":
            file = tmp_path / "aiproxy.yaml"
            file.write_text(file.read_text() + "# by hand\n")
        else:
            put(any_place.open(), text(SECOND, 2) + state + "# by hand\n")
        settled(gateway)
        by_hand = told(api, 4)[0]
        assert by_hand["author"] == ("someone" if any_place.kind == "git" else "")

        listed = json.loads(tool(tmp_path, "history", "list", "--json"))
        assert [each["id"] for each in listed] == [each["id"] for each in told(api, 4)]
        assert [each["kept"] for each in listed] == [True, False, False, False]
        assert "+request-retry: 2" in tool(tmp_path, "history", "show", second["id"])
        assert "-# by hand" in tool(tmp_path, "history", "show", third["id"], "--against", "kept")

        assert api.refused("POST", "/config/history/none/restore")[0] == 404
        stale = api.refused("POST", f"/config/history/{first['id']}/restore", headers={"if-match": '"old"'})
        assert (stale[0], stale[1]["code"]) == (412, "changed")
        etag = api.ask("GET", "/config.yaml").headers["etag"]
        done = api.ask("POST", f"/config/history/{first['id']}/restore", headers={"if-match": etag})
        assert done.json() == {"status": "ok"}
        assert api.ask("GET", "/config.yaml").headers["etag"] == done.headers["etag"]
        assert api.get("/request-retry") == {"request-retry": 1}
        restored = told(api, 5)[0]
        assert restored["version"] == first["version"]
        tool(tmp_path, "history", "restore", by_hand["id"])
        while api.get("/request-retry") != {"request-retry": 2}:
            settled(gateway)
        output = "".join(gateway.output)
        assert not [secret for secret in (FIRST, SECOND, KEY) if secret in output]
        assert FIRST not in json.dumps(api.get("/audit"))


def test_a_file_that_no_gateway_would_take_is_mended_by_its_history(tmp_path: Path) -> None:
    file = tmp_path / "aiproxy.yaml"
    good = text(FIRST, 1) + "state: kept.db\n"
    with daemon(tmp_path, good) as gateway:
        (version,) = told(Api(gateway), 1)
    assert (tmp_path / "kept.db").stat().st_mode & 0o777 == 0o600
    file.write_text(good.replace("request-retry", "request-rety"))
    assert "Found when the gateway started" in tool(tmp_path, "history", "list")
    assert "request-retry" in tool(tmp_path, "history", "show", "--text", version["id"])
    file.write_text(f"state: kept.db\napi-keys: [{SECOND}\n")
    assert "can't be told" in tool(tmp_path, "history", "show", version["id"], "--against", "kept", status=1)
    file.write_text(good.replace("request-retry", "request-rety"))
    assert "version 1 is restored" in tool(tmp_path, "history", "restore", version["id"])
    assert file.read_text() == good
    assert "there is no version" in tool(tmp_path, "history", "restore", "77", status=1)


def test_a_version_that_would_not_do_any_more_is_refused(tmp_path: Path) -> None:
    (tmp_path / "prompt.txt").write_text("Be kind.")
    with daemon(tmp_path, f"{MANAGED}system-prompt: {{file: prompt.txt}}\n") as gateway:
        api = Api(gateway)
        (version,) = told(api, 1)
        assert api.ask("PUT", "/config.yaml", content=f"{MANAGED}\nrequest-retry: 1\n").status_code == 200
        (tmp_path / "prompt.txt").unlink()
        status, refused = api.refused("POST", f"/config/history/{version['id']}/restore")
        assert (status, refused["code"]) == (422, "invalid_config")
        assert refused["findings"][0]["path"] == "system-prompt.file"


def test_where_no_gateway_has_run_there_is_no_history_and_no_state_is_made(tmp_path: Path) -> None:
    (tmp_path / "aiproxy.yaml").write_text("state: kept.db\n")
    tool(tmp_path, "set", "request-retry", "2")
    assert "No version is known yet" in tool(tmp_path, "history", "list")
    assert not (tmp_path / "kept.db").exists()
