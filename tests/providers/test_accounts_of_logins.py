"""What becomes of a credential file at its provider: addresses, projects, headers, the operator's own keys."""

import base64
import json
from typing import Any

import pytest

from aiproxy.providers.antigravity import ANTIGRAVITY
from aiproxy.providers.base import NO_KEY, LoggedIn, Provider, Upstream
from aiproxy.providers.claude import CLAUDE
from aiproxy.providers.codex import CODEX
from aiproxy.providers.codex_account import FREE, PRO
from aiproxy.providers.copilot import COPILOT
from aiproxy.providers.gemini_cli import GEMINI_CLI
from aiproxy.providers.iflow import IFLOW
from aiproxy.providers.kimi import KIMI
from aiproxy.providers.kiro import AT_ONCE, KIRO
from aiproxy.providers.qwen import A_MINUTE, QWEN
from aiproxy.registry import load_registry
from tests.vendors.google_tokens import service_account

ARN = "arn:aws:codewhisperer:eu-central-1:123456789012:profile/ABC"


def accounts(provider: Provider, address: str = "", /, **record: Any) -> list[Upstream]:
    assert provider.accounts is not None
    return list(provider.accounts(LoggedIn("mine", record, NO_KEY, address)))


def account(provider: Provider, address: str = "", /, **record: Any) -> Upstream:
    (found,) = accounts(provider, address, **record)
    return found


def id_token(**claims: str) -> str:
    payload = base64.urlsafe_b64encode(json.dumps({"https://api.openai.com/auth": claims}).encode()).rstrip(b"=")
    return f"e30.{payload.decode()}.c2ln"


@pytest.mark.parametrize(
    ("provider", "record", "base_url", "address"),
    [
        (GEMINI_CLI, {"project_id": "p"}, "", "https://cloudcode-pa.googleapis.com"),
        (ANTIGRAVITY, {"project_id": "p"}, "", "https://daily-cloudcode-pa.googleapis.com"),
        (ANTIGRAVITY, {"project_id": "p", "base_url": "https://a.example/"}, "https://b.example", "https://a.example"),
        (ANTIGRAVITY, {"project_id": "p"}, "https://b.example/", "https://b.example"),
        (CODEX, {}, "", "https://chatgpt.com/backend-api/codex"),
        (CLAUDE, {}, "", "https://api.anthropic.com"),
        (QWEN, {}, "", "https://portal.qwen.ai/v1"),
        (QWEN, {"resource_url": "portal.example"}, "", "https://portal.example/v1"),
        (QWEN, {"resource_url": "https://portal.example/v1/"}, "", "https://portal.example/v1"),
        (QWEN, {"resource_url": "portal.example"}, "https://b.example/v1", "https://b.example/v1"),
        (IFLOW, {}, "", "https://apis.iflow.cn/v1"),
        (KIMI, {}, "", "https://api.kimi.com/coding"),
        (COPILOT, {}, "", "https://api.individual.githubcopilot.com"),
        (COPILOT, {"copilot_api_base": "https://api.business.githubcopilot.com"}, "", "https://api.business.githubcopilot.com"),
        (KIRO, {}, "", "https://q.us-east-1.amazonaws.com"),
        (KIRO, {"region": "eu-central-1", "idcRegion": "eu-north-1"}, "", "https://q.eu-central-1.amazonaws.com"),
        (KIRO, {"region": "us-east-1", "profileArn": ARN}, "", "https://q.eu-central-1.amazonaws.com"),
        (KIRO, {"profile_arn": ARN}, "https://k.{region}.example", "https://k.eu-central-1.example"),
    ],
)  # fmt: skip
def test_where_its_calls_go(provider: Provider, record: dict[str, Any], base_url: str, address: str) -> None:
    assert account(provider, base_url, **record).base_url == address


def test_projects_are_accounts_of_one_login() -> None:
    one, two = accounts(GEMINI_CLI, project_id="p-1, p-2,")
    assert (one.id, one.members, one.login) == ("mine::p-1", {"project": "p-1"}, "mine")
    assert (two.id, two.members, two.login) == ("mine::p-2", {"project": "p-2"}, "mine")
    alone = account(GEMINI_CLI, project_id="p-1")
    assert (alone.id, alone.login) == ("mine", "")


def test_antigravitys_credits_are_spent_last_and_for_claude_only() -> None:
    login = LoggedIn("mine", {"project_id": "p", "priority": -5}, NO_KEY, pays=True)
    assert ANTIGRAVITY.accounts is not None
    one, paying = ANTIGRAVITY.accounts(login)
    assert (one.id, one.members) == ("mine", {"project": "p"})
    assert (paying.id, paying.members) == ("mine::credits", {"project": "p", "enabledCreditTypes": ["GOOGLE_ONE_AI"]})
    assert paying.priority > one.priority + 1000
    assert all(name.startswith("claude-") for name in (*paying.models, *paying.accepts))
    assert "claude-sonnet-4-6" in paying.models


def test_codex_knows_its_account_and_plan() -> None:
    token = id_token(chatgpt_account_id="acct", chatgpt_plan_type="Free")
    found = account(CODEX, id_token=token)
    assert found.headers == {"chatgpt-account-id": "acct"}
    assert tuple(found.models) == FREE
    assert tuple(account(CODEX, id_token="broken", account_id="a").models) == PRO
    assert account(CODEX, account_id="a", id_token=token).headers == {"chatgpt-account-id": "a"}
    assert (found.socket, account(CODEX, websockets=True).socket) == (False, True)


def test_kiro_has_anthropics_names_and_its_own() -> None:
    found = account(KIRO, profileArn=ARN)
    assert found.members == {"profileArn": ARN}
    assert found.concurrency == AT_ONCE
    for name in ("claude-sonnet-4.5", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929"):
        assert [served.name for served in found.models[name]] == ["claude-sonnet-4.5"]
    assert account(KIRO, concurrency=7).concurrency == 7


def test_qwen_is_asked_at_a_pace() -> None:
    assert account(QWEN).per_minute == A_MINUTE
    assert account(QWEN, per_minute=7).per_minute == 7
    assert account(KIMI, **{"per-minute": 5}).per_minute == 5


def test_what_operators_write_into_a_file() -> None:
    found = account(
        CLAUDE,
        priority=20,
        weight=3,
        prefix="team",
        headers={"x-a": "b"},
        model_aliases=[{"name": "claude-x", "alias": "x"}],
        request_scoped_errors=[{"status": 400, "match-regexr": ["^Over"], "action": "continue"}],
        **{"proxy-url": "direct", "excluded-models": ["*-opus-*"], "disable-cooling": True},
    )
    assert (found.priority, found.weight, found.prefix, found.proxy_url) == (80, 3, "team", "direct")
    assert (found.excluded_models, found.cools) == (("*-opus-*",), False)
    assert found.headers == {"x-a": "b"}
    assert [served.name for served in found.models["x"]] == ["claude-x"]
    (rule,) = found.rules
    assert (rule.stops, rule.cools, rule.statuses) == (False, False, frozenset((400,)))
    assert account(CLAUDE).priority == 100


@pytest.mark.parametrize(
    ("provider", "record", "field"),
    [
        (GEMINI_CLI, {}, "project_id"),
        (GEMINI_CLI, {"project_id": " , "}, "project_id"),
        (ANTIGRAVITY, {"project_id": 7}, "project_id"),
        (KIRO, {"profileArn": "arn:aws:s3:::bucket"}, "profileArn"),
        (CLAUDE, {"priority": "high"}, "priority"),
        (CLAUDE, {"priority": True}, "priority"),
        (CLAUDE, {"headers": ["x"]}, "headers"),
        (CLAUDE, {"excluded_models": "x"}, "excluded_models"),
        (CLAUDE, {"model_aliases": [{"name": "x"}]}, "model_aliases"),
        (CLAUDE, {"model_aliases": {"name": "x"}}, "model_aliases"),
        (CLAUDE, {"base_url": 7}, "base_url"),
        (CLAUDE, {"request_scoped_errors": {"status": 400}}, "request_scoped_errors"),
        (CLAUDE, {"request_scoped_errors": [{"match": "x"}]}, "request_scoped_errors"),
        (CLAUDE, {"request_scoped_errors": [{"match_regexr": ["("]}]}, "request_scoped_errors"),
        (CLAUDE, {"request_scoped_errors": [{"action": "retry"}]}, "request_scoped_errors"),
    ],
)
def test_a_field_that_cannot_be_right_is_named(provider: Provider, record: dict[str, Any], field: str) -> None:
    with pytest.raises(ValueError, match=f"`{field}`"):
        accounts(provider, **record)


KEY_FILE = service_account("https://oauth2.googleapis.com/token")


def test_nobody_says_to_be_another() -> None:
    for provider in load_registry(()).providers:
        if provider.accounts is None:
            continue
        for found in accounts(provider, project_id="p", device_id="d", service_account=KEY_FILE):
            said = json.dumps([dict(found.provider.headers), dict(found.headers)]).lower()
            for other in (
                "vscode",
                "gemini-cli",
                "geminicli",
                "antigravity",
                "codex",
                "claude-cli",
                "kiroide",
                "qwen-code",
                "iflow-cli",
            ):
                assert other not in said.replace("x-amzn-codewhisperer-optout", "")
