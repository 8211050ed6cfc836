"""OpenAI's own API: Chat Completions and Responses, each relayed to clients that speak it. Source: OpenAI API reference."""

from collections.abc import Iterable
from dataclasses import replace

from aiproxy.codecs import openai_chat, openai_responses
from aiproxy.config.schema import Settings
from aiproxy.providers.base import Endpoint, Operation, Provider, Upstream, from_key_entries, speaking

CHAT = (
    speaking(openai_chat.CODEC, Operation.CHAT, "/chat/completions"),
    Endpoint(Operation.COMPLETIONS, "/completions", openai_chat.WIRE),
    speaking(openai_chat.CODEC, Operation.EMBEDDINGS, "/embeddings"),
    Endpoint(Operation.MODELS, "/models", openai_chat.WIRE),
)
"""What every endpoint that calls itself OpenAI-compatible has."""

RESPONSES = (
    replace(speaking(openai_responses.CODEC, Operation.CHAT, "/responses"), socket=True),
    speaking(openai_responses.CODEC, Operation.COUNT_TOKENS, "/responses/input_tokens"),
    speaking(openai_responses.CODEC, Operation.COMPACT, "/responses/compact"),
)

PASSED_FAMILIES = ("openai-",)
"""Beta features, the organization and the project to bill, whose end user it is."""


BINDS_STATE = ("*",)
"""Encrypted reasoning is an organization's: another one's is refused or left out (`organization_mismatch`). Which keys are of
one organization nobody says, so each counts as its own."""


def _upstreams(settings: Settings) -> Iterable[Upstream]:
    return from_key_entries(OPENAI, settings.openai_api_key)


OPENAI = Provider(
    name="openai",
    base_url="https://api.openai.com/v1",
    endpoints=(*CHAT, *RESPONSES),
    upstreams=_upstreams,
    vendor="openai",
    binds_state=BINDS_STATE,
    passed_families=PASSED_FAMILIES,
)
