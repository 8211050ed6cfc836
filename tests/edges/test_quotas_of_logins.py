"""A login's plan is used up, in each vendor's words: another account answers, the vendor is asked until when, and who looks sees it."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.rig.daemon import Daemon, daemon
from tests.rig.until import until
from tests.rig.upstream import Received, Wire, upstream
from tests.vendors import back_ends
from tests.vendors.kiro import KIRO
from tests.vendors.scenarios import Answer
from tests.vendors.usage import A_DAY_OF_2099, USED_UP, UsageEndpoints
from tests.vendors.vendor import Asked, Vendor

MANAGEMENT_KEY = "a-management-key-0123456789"
PLAIN = Answer(("Hello", "."))


@dataclass(frozen=True)
class Case:
    """`window` is what the vendor calls the one that is used up."""

    provider: str
    vendor: Vendor
    model: str
    record: Mapping[str, Any]
    window: str

    def __str__(self) -> str:
        return self.provider


def tokens(number: int) -> dict[str, Any]:
    return {"access_token": f"token-of-{number}", "refresh_token": "r", "expired": "2099-01-01T00:00:00Z"}


def github(number: int) -> dict[str, Any]:
    return {
        "github_token": f"token-of-{number}",
        "copilot_token": f"tid=of-{number}",
        "copilot_expire": "2099-01-01T00:00:00Z",
    }


CASES = [
    Case("gemini-cli", back_ends.GEMINI_CLI, "gemini-2.5-pro", {"type": "gemini"}, "gemini-2.5-pro"),
    Case("antigravity", back_ends.ANTIGRAVITY, "claude-sonnet-4-6", {"type": "antigravity"}, "claude-sonnet-4-6"),
    Case("codex", back_ends.CODEX, "gpt-5.5", {"type": "codex"}, "primary"),
    Case("claude", back_ends.CLAUDE, "claude-sonnet-4-6", {"type": "claude"}, "5h"),
    Case("copilot", back_ends.COPILOT, "gpt-4.1", {"type": "copilot"}, "premium_interactions"),
    Case("kiro", KIRO, "claude-sonnet-4-5", {"type": "kiro", "authMethod": "social"}, "credit"),
]


class BackEnd:
    """Refuses the account that comes first, whoever it is, and serves the other."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.usage = UsageEndpoints()
        self.used_up = ""
        self.asked: list[str] = []

    def __call__(self, received: Received, wire: Wire) -> None:
        if self.usage.serve(received, wire):
            return
        body = received.json
        token = received.headers["authorization"].rpartition(" ")[2]
        who = body.get("project") or token
        self.asked.append(who)
        self.used_up = self.used_up or who
        if who == self.used_up:
            self.usage.meters[who.replace("tid=", "token-")].used = 1.0
            USED_UP[self.case.provider].serve(wire)
            return
        asked, vendor = Asked("m", streamed=True), self.case.vendor
        if body.get("stream") is False or (self.case.provider == "copilot" and not body.get("stream")):
            wire.answer(200, vendor.whole(asked, PLAIN))
            return
        wire.head(200, {"content-type": vendor.stream_type, "connection": "close"})
        for event in vendor.events(asked, PLAIN):
            wire.send(event)
        wire.cut()


Run = Callable[[Case], tuple[Daemon, BackEnd]]


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    opened: list[Any] = []

    def start(case: Case) -> tuple[Daemon, BackEnd]:
        back_end = BackEnd(case)
        opened.append(served := upstream(back_end))
        address = served.__enter__().base_url.removesuffix("/v1")
        (tmp_path / "auth").mkdir(mode=0o700)
        for number in range(2):
            path = tmp_path / "auth" / f"{case.provider}-{number}.json"
            said = github(number) if case.provider == "copilot" else tokens(number)
            path.write_text(json.dumps({**said, **case.record, "project_id": f"p-{number}"}))
            path.chmod(0o600)
        quota = f", quota-url: {address}/copilot_internal/user" if case.provider == "copilot" else ""
        text = f"auth-dir: auth\nrequest-retry: 0\nremote-management: {{secret-key: {MANAGEMENT_KEY}}}\nupstreams:\n  {case.provider}: {{base-url: {address}{quota}}}\n"
        opened.append(running := daemon(tmp_path, text))
        return running.__enter__(), back_end

    yield start
    for each in reversed(opened):
        each.__exit__(None, None, None)


def told(gateway: Daemon) -> dict[tuple[str, str, str], float]:
    page = httpx2.get(f"{gateway.address}/metrics", timeout=20).text
    return {
        (sample.name, sample.labels["account"], sample.labels["window"]): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if "window" in sample.labels
    }


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_plan_is_used_up(case: Case, run: Run) -> None:
    gateway, back_end = run(case)
    body = {"model": case.model, "messages": [{"role": "user", "content": "hi"}]}
    for _ in range(3):
        answer = httpx2.post(f"{gateway.base_url}/chat/completions", json=body, timeout=30)
        assert answer.json()["choices"][0]["message"]["content"] == PLAIN.text
    first, *others = back_end.asked
    assert others == [others[0]] * 3, "the one whose plan is used up rests"
    assert others[0] != first
    account = f"{case.provider}-{first[-1]}"
    left = "aiproxy_quota_remaining_ratio", account, case.window
    found = until(lambda: told(gateway), lambda found: found.get(left) == 0)
    assert found["aiproxy_quota_reset_timestamp_seconds", account, case.window] == A_DAY_OF_2099
    assert len(back_end.usage.asked) == (0 if USED_UP[case.provider].headers else 1), (
        "who tells it beside the refusal isn't asked"
    )
    headers = {"authorization": f"Bearer {MANAGEMENT_KEY}"}
    managed = httpx2.get(f"{gateway.address}/v0/management/accounts", headers=headers, timeout=20).json()
    (mine,) = [each for each in managed["accounts"] if each["account"] == account]
    (window,) = [window for window in mine["quotas"] if window["name"] == case.window]
    assert (window["used"], window["ends"]) == (1.0, A_DAY_OF_2099)
    checks = httpx2.get(f"{gateway.address}/readyz?verbose", timeout=20).json()["checks"]
    assert account in json.dumps(checks)
