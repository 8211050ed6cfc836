"""Anthropic's own API, with keys, or with the login of a Claude plan.

Source: Anthropic API reference, messages, versions, errors, rate limits; provider sheet claude. A login's requests are the
clients' own, with the documented token and beta header. Left out as disguise: everything by which others pass for Claude
Code. Anthropic means these tokens for its own clients, and may refuse what others ask."""

from collections.abc import Iterable
from dataclasses import replace

from aiproxy.codecs import anthropic_messages
from aiproxy.config.schema import Settings
from aiproxy.pools.verdict import FaultRule, Scope
from aiproxy.providers import quota_answers
from aiproxy.providers.base import Endpoint, LoggedIn, Operation, Provider, Upstream, from_key_entries, speaking
from aiproxy.providers.faults import COMMON
from aiproxy.providers.logins import account_of
from aiproxy.providers.quota_question import QuotaQuestion
from aiproxy.providers.windows import claude_windows


def _upstreams(settings: Settings) -> Iterable[Upstream]:
    return from_key_entries(CLAUDE, settings.claude_api_key)


def _accounts(login: LoggedIn) -> Iterable[Upstream]:
    found = account_of(CLAUDE_ACCOUNT, login, ("claude-*",))
    url = login.quota_url or f"{found.base_url}/api/oauth/usage"
    yield replace(found, quota=QuotaQuestion(url, quota_answers.claude))


PLAN_MODELS = (
    "claude-fable-5",
    "claude-opus-5",
    "claude-opus-4-8",
    "claude-opus-4-7",
    "claude-opus-4-6",
    "claude-opus-4-5-20251101",
    "claude-opus-4-1-20250805",
    "claude-sonnet-5",
    "claude-sonnet-4-6",
    "claude-sonnet-4-5-20250929",
    "claude-haiku-4-5-20251001",
)
"""As of August 2026: a plan's token isn't for the list of models."""


WHOLE_PLAN = tuple(
    FaultRule(
        statuses=frozenset((429,)), headers={f"anthropic-ratelimit-unified-{window}status": "rejected"}, scope=scope
    )
    for window, scope in (("5h-", Scope.ACCOUNT), ("7d-", Scope.ACCOUNT), ("7d_oi-", Scope.MODEL), ("", Scope.ACCOUNT))
)
"""A subscription's windows are the whole account's, but for the one of a model's family (`7d_oi`) when it alone is used up."""

FAULTS = (
    FaultRule(
        statuses=frozenset((429,)),
        words=("usage credits are required for fast mode", "fast request rejected"),
        scope=Scope.REQUEST,
    ),
    *WHOLE_PLAN,
    *COMMON,
)


BINDS_STATE = ("claude-*-5-5*", "claude-fable-5-1*")
"""The 5.5 generation signs thinking for the account, too; earlier signatures are good everywhere. Source: Anthropic API
reference, thinking."""

CLAUDE = Provider(
    name="claude",
    base_url="https://api.anthropic.com",
    endpoints=(
        speaking(anthropic_messages.CODEC, Operation.CHAT, "/v1/messages"),
        speaking(anthropic_messages.CODEC, Operation.COUNT_TOKENS, "/v1/messages/count_tokens"),
        Endpoint(Operation.MODELS, "/v1/models?limit=1000", anthropic_messages.WIRE),
    ),
    upstreams=_upstreams,
    accounts=_accounts,
    vendor="anthropic",
    headers={"anthropic-version": "2023-06-01"},
    passed_on=("anthropic-version", "anthropic-beta"),
    faults=FAULTS,
    binds_state=BINDS_STATE,
    key_header="x-api-key",
    key_scheme="",
)

CLAUDE_ACCOUNT = replace(
    CLAUDE,
    endpoints=tuple(each for each in CLAUDE.endpoints if each.operation is not Operation.MODELS),
    models=PLAN_MODELS,
    windows=claude_windows,
    added={"anthropic-beta": "oauth-2025-04-20"},
)
