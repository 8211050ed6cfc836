"""Anthropic's own API, with keys. Source: Anthropic API reference, messages, versions, errors, rate limits."""

from collections.abc import Iterable

from aiproxy.codecs import anthropic_messages
from aiproxy.config.schema import Settings
from aiproxy.pools.verdict import FaultRule, Scope
from aiproxy.providers.base import Endpoint, Operation, Provider, Upstream, from_key_entries, speaking
from aiproxy.providers.faults import COMMON


def _upstreams(settings: Settings) -> Iterable[Upstream]:
    return from_key_entries(CLAUDE, settings.claude_api_key)


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


CLAUDE = Provider(
    name="claude",
    base_url="https://api.anthropic.com",
    endpoints=(
        speaking(anthropic_messages.CODEC, Operation.CHAT, "/v1/messages"),
        speaking(anthropic_messages.CODEC, Operation.COUNT_TOKENS, "/v1/messages/count_tokens"),
        Endpoint(Operation.MODELS, "/v1/models?limit=1000", anthropic_messages.WIRE),
    ),
    upstreams=_upstreams,
    vendor="anthropic",
    headers={"anthropic-version": "2023-06-01"},
    passed_on=("anthropic-version", "anthropic-beta"),
    faults=FAULTS,
    key_header="x-api-key",
    key_scheme="",
)
