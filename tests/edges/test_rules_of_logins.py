"""What the configuration says of all accounts of a provider that log in: models left out, failures that mean something else."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.rig.daemon import Daemon, daemon
from tests.rig.managing import MANAGED, Api
from tests.rig.upstream import Upstream, fails, says, upstream

RECORD = {"type": "kimi", "access_token": "access-of-mine-0123456789", "expired": "2099-01-01T00:00:00Z"}


@contextmanager
def login_and_key(tmp_path: Path, more: str) -> Iterator[tuple[Daemon, Upstream, Upstream]]:
    """A login at Kimi, and an account with a key that has the same models and is asked second."""
    (tmp_path / "auth").mkdir()
    (tmp_path / "auth" / "kimi-1.json").write_text(json.dumps(RECORD))
    with upstream(says("of the login")) as login, upstream(says("of the key")) as key:
        configuration = f"""{MANAGED}
auth-dir: {tmp_path}/auth
request-retry: 0
upstreams: {{kimi: {{base-url: "{login.base_url.removesuffix("/v1")}"}}}}
openai-compatibility:
  - {{name: other, base-url: "{key.base_url}", priority: 200, api-key-entries: [key-of-vendor-0123456789], models: [kimi-k2, kimi-k2.5]}}
{more}
"""
        with daemon(tmp_path, configuration) as running:
            yield running, login, key


def said(gateway: Daemon, model: str = "kimi-k2") -> Any:
    body = {"model": model, "messages": [{"role": "user", "content": "x"}]}
    answer = httpx2.post(f"{gateway.base_url}/chat/completions", json=body, timeout=20)
    return answer.status_code, answer.json()["choices"][0]["message"]["content"] if answer.is_success else ""


def test_a_model_that_logins_leave_out_goes_to_who_has_a_key(tmp_path: Path) -> None:
    with login_and_key(tmp_path, "oauth-excluded-models: {Kimi: ['*k2']}") as (gateway, _, _key):
        assert said(gateway) == (200, "of the key")
        assert said(gateway, "kimi-k2.5") == (200, "of the login")
        Api(gateway).delete("/oauth-excluded-models", channel="Kimi")
        assert said(gateway) == (200, "of the login")


@pytest.mark.parametrize(
    ("action", "status", "rests"),
    [("stop", 429, 0), ("continue", 200, 0), ("continue-and-cooldown", 200, 1), ("stop-and-cooldown", 429, 1)],
)
def test_a_failure_of_logins_means_what_the_operator_says(tmp_path: Path, action: str, status: int, rests: int) -> None:
    rules = f"oauth-request-scoped-errors: {{kimi: [{{status: 429, match: [Broken], action: {action}}}]}}"
    with login_and_key(tmp_path, rules) as (gateway, login, key):
        login.script.append(fails(429, "this is broken"))
        assert said(gateway)[0] == status
        assert len(key.received) == (status == 200)
        assert len(Api(gateway).get("/accounts/kimi-1")["rests"]) == rests
