"""OpenAI's own API. Source: OpenAI API reference."""

from collections.abc import Iterable

from aiproxy.codecs import openai_chat
from aiproxy.config.schema import Settings
from aiproxy.providers.base import Endpoint, Operation, Provider, Upstream, from_key_entries

ENDPOINTS = (
    Endpoint(openai_chat.WIRE, Operation.CHAT, "/chat/completions"),
    Endpoint(openai_chat.WIRE, Operation.COMPLETIONS, "/completions"),
    Endpoint(openai_chat.WIRE, Operation.EMBEDDINGS, "/embeddings"),
    Endpoint(openai_chat.WIRE, Operation.MODELS, "/models"),
)


def _upstreams(settings: Settings) -> Iterable[Upstream]:
    return from_key_entries(OPENAI, settings.openai_api_key)


OPENAI = Provider(name="openai", base_url="https://api.openai.com/v1", endpoints=ENDPOINTS, upstreams=_upstreams)
