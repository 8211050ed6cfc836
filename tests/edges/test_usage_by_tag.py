"""Usage by the teams that client keys are tagged with: by the API, and by the command on the same state."""

import csv
import json
from io import StringIO
from pathlib import Path
from typing import Any

import httpx2
from click.testing import CliRunner

from aiproxy_config.cli import main
from tests.rig.daemon import daemon
from tests.rig.managing import MANAGED, Api
from tests.rig.upstream import says, upstream

KEYS = {"one": ["red"], "two": ["red", "blue"], "three": []}


def test_a_team_sees_what_its_keys_used(tmp_path: Path) -> None:
    keys = [{"name": name, "key": f"key-of-{name}-0123456789", "tags": tags} for name, tags in KEYS.items()]
    with upstream(says("hello")) as vendor:
        account = {"api-key": "key-of-vendor-0123456789", "base-url": vendor.base_url, "models": ["m"]}
        text = f"{MANAGED}state: kept.db\napi-keys: {json.dumps(keys)}\nopenai-api-key: {json.dumps([account])}\n"
        with daemon(tmp_path, text) as gateway:
            api = Api(gateway)
            for name in KEYS:
                httpx2.post(
                    f"{gateway.base_url}/chat/completions",
                    json={"model": "m", "messages": [{"role": "user", "content": "x"}]},
                    headers={"authorization": f"Bearer key-of-{name}-0123456789"},
                    timeout=20,
                ).raise_for_status()
            while api.get("/usage/sums")["usage"][0]["attempts"] < len(KEYS):
                continue

            def sums(**query: str) -> dict[str, Any]:
                return {row["tag"]: row["attempts"] for row in api.get("/usage/sums", by="tag", **query)["usage"]}

            assert sums() == {"": 1, "blue": 1, "red": 2}
            assert sums(client="two") == {"blue": 1, "red": 1}
            assert sums(tag="blue", model="m") == {"blue": 1, "red": 1}
            assert sums(tag="green") == {}
            tags = {row["tag"]: row["attempts"] for row in api.get("/usage")["tags"]}
            assert tags == {"blue": 1, "red": 2}
            assert api.get("/usage/export", tag="red")["usage"]["total_requests"] == 2
            assert api.get("/usage/export")["usage"]["total_requests"] == 3
            assert api.get("/usage", tag="blue", details="5")["usage"]["apis"].keys() == {"two"}

    def tool(*arguments: str, status: int = 0) -> str:
        done = CliRunner().invoke(main, ["usage", "--config", str(tmp_path / "aiproxy.yaml"), *arguments])
        assert done.exit_code == status, done.output
        return done.output

    assert [line.split()[:2] for line in tool("--by", "tag").splitlines()] == [
        ["tag", "attempts"],
        ["-", "1"],
        ["blue", "1"],
        ["red", "2"],
    ]
    rows = list(csv.DictReader(StringIO(tool("--by", "client,day", "--only", "tag=red", "--format", "csv"))))
    assert {row["client"] for row in rows} == {"one", "two"}
    assert len(rows[0]["day"]) == len("2026-01-01")
    assert json.loads(tool("--by", "", "--format", "json"))[0]["attempts"] == 3
    assert tool("--until", "2020-01-01") == "Nothing was used.\n"
    assert "is none of" in tool("--by", "colour", status=2)
    assert "no NAME=VALUE" in tool("--only", "colour=red", status=2)
