"""`aiproxy-config accounts …` with the credential files in a database, a repository and a bucket, as people type it."""

import json
import time
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from aiproxy.credentials.times import written
from aiproxy.storage.documents import CONFIGURATION
from aiproxy_config.cli import main
from tests.rig.upstream import upstream
from tests.storage.places import Place
from tests.storage.test_conformance import CHANGE, bodies
from tests.vendors.logins import LoginVendor

NAME = "auths/kimi-1.json"


def test_accounts_are_listed_switched_renewed_and_removed_in_the_store(remote: Place, tmp_path: Path) -> None:
    vendor, others = LoginVendor(), remote.open()
    content = {"type": "kimi", "access_token": "access-0", "refresh_token": "refresh-0", "expired": written(time.time() + 999), "odd": "stays"}  # fmt: skip
    others.save(NAME, json.dumps(content).encode(), None, CHANGE)
    config = tmp_path / "aiproxy.yaml"

    def tool(*arguments: str, status: int = 0) -> str:
        done = CliRunner().invoke(main, ["accounts", *arguments, "--config", str(config)])
        assert done.exit_code == status, done.output
        assert "access-0" not in done.output
        return done.output

    def kept() -> Any:
        """As another gateway finds it."""
        others.sync()
        return json.loads(bodies(others)[NAME])

    with upstream(vendor.serve) as server:
        origin = server.base_url.removesuffix("/v1")
        upstreams = f"upstreams:\n  kimi: {{token-url: '{origin}/token', base-url: '{origin}/coding'}}\n"
        state = f"state: '{tmp_path}/state.db'\n"
        config.write_text(f"{upstreams}{state}store:\n  local-path: mirror\n{remote.store}")
        config.chmod(0o600)

        assert "kimi-1  kimi  good until" in tool("list")
        assert json.loads(tool("show", "kimi-1"))["file"]["refresh_token"] == "[secret]"
        assert tool("disable", "kimi-1") == "kimi-1 is disabled.\n"
        assert kept() == {**content, "disabled": True}
        assert "kimi-1  kimi  disabled" in tool("list")
        assert tool("enable", "kimi-1") == "kimi-1 is enabled.\n"
        assert kept() == {**content, "disabled": False}
        assert "kimi-1: good until" in tool("refresh", "kimi-1")
        assert vendor.used == ["refresh-0"]
        renewed = kept()
        assert (renewed["access_token"], renewed["refresh_token"], renewed["odd"]) == ("access-1", "refresh-1", "stays")
        assert tool("remove", "kimi-1", "--yes") == "kimi-1 is removed.\n"
        others.sync()
        assert bodies(others).keys() <= {CONFIGURATION}, "gone from the store, not only from the mirror"
        assert "No account is logged in" in tool("list")
        assert "there is no account 'kimi-1'" in tool("show", "kimi-1", status=1)
        assert not (tmp_path / "auths").exists(), "nothing is left beside the configuration"
