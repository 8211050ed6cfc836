"""`aiproxy-config accounts disable` and `enable` of an account with a key: the gateway that runs notices, and the next one knows."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from aiproxy_config.cli import main
from tests.rig.daemon import daemon
from tests.rig.managing import MANAGED, Api

TEXT = f"""{MANAGED}
state: kept.db
openai-api-key:
  - {{api-key: key-of-vendor-0123456789, name: one, base-url: "http://127.0.0.1:9/v1", models: [m]}}
  - {{api-key: key-of-vendor-9876543210, name: two, base-url: "http://127.0.0.1:9/v1", models: [m]}}
"""


def tool(directory: Path, *arguments: str, status: int = 0) -> str:
    done = CliRunner().invoke(main, ["accounts", *arguments, "--config", str(directory / "aiproxy.yaml")])
    assert done.exit_code == status, done.output
    return done.output


def states(api: Api) -> dict[str, Any]:
    return {each["account"]: each["state"] for each in api.get("/accounts")["accounts"]}


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_gateway_that_runs_notices_and_the_next_one_knows(tmp_path: Path, workers: str) -> None:
    with daemon(tmp_path, TEXT, "--workers", workers) as gateway:
        api = Api(gateway)
        while not states(api):
            continue
        assert tool(tmp_path, "disable", "one") == "one is disabled.\n"
        for _ in range(int(workers)):
            gateway.wait_for("one is disabled")
        assert states(api) == {"one": "disabled", "two": "ready"}
    with daemon(tmp_path, TEXT) as gateway:
        api = Api(gateway)
        while states(api)["one"] != "disabled":
            continue  # what is kept is read behind the start
        api.post("/accounts/two/disable")
        assert tool(tmp_path, "enable", "one") == "one is enabled.\n"
        gateway.wait_for("one is enabled")
        assert states(api)["one"] == "ready"
        assert states(api)["two"] == "disabled"
        tool(tmp_path, "enable", "two")
        gateway.wait_for("two is enabled")
        assert states(api)["two"] == "ready"
    assert "there is no account" in tool(tmp_path, "disable", "three", status=1)
