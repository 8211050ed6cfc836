"""Endpoints that speak OpenAI's Responses API and nothing else: with a key, or a ChatGPT plan's login (`codex_account`).

Source: OpenAI API reference, responses."""

from collections.abc import Iterable

from aiproxy.codecs import openai_chat
from aiproxy.config.schema import Settings
from aiproxy.providers.base import Endpoint, Operation, Provider, Upstream, from_key_entries
from aiproxy.providers.codex_account import accounts
from aiproxy.providers.openai import BINDS_STATE, PASSED_FAMILIES, RESPONSES


def _upstreams(settings: Settings) -> Iterable[Upstream]:
    return from_key_entries(CODEX, settings.codex_api_key)


CODEX = Provider(
    name="codex",
    base_url="https://api.openai.com/v1",
    endpoints=(*RESPONSES, Endpoint(Operation.MODELS, "/models", openai_chat.WIRE)),
    upstreams=_upstreams,
    accounts=accounts,
    vendor="openai",
    binds_state=BINDS_STATE,
    passed_families=PASSED_FAMILIES,
)
