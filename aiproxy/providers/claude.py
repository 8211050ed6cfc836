"""Anthropic's own API, with keys. Source: Anthropic API reference, messages, versions."""

from collections.abc import Iterable

from aiproxy.codecs import anthropic_messages
from aiproxy.config.schema import Settings
from aiproxy.providers.base import Endpoint, Operation, Provider, Upstream, from_key_entries, speaking


def _upstreams(settings: Settings) -> Iterable[Upstream]:
    return from_key_entries(CLAUDE, settings.claude_api_key)


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
    key_header="x-api-key",
    key_scheme="",
)
