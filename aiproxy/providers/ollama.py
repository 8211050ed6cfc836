"""Ollama servers by their native API. Source: Ollama API documentation."""

from collections.abc import Iterable

from aiproxy.codecs import ollama
from aiproxy.config.schema import Settings
from aiproxy.pools.verdict import FaultRule, Scope
from aiproxy.providers.base import Endpoint, Operation, Provider, Upstream, from_key_entries, speaking
from aiproxy.providers.faults import COMMON

FIRST_REST_NOT_PULLED = 30.0
"""Seconds. Whoever is told that a model isn't there pulls it now."""


def _upstreams(settings: Settings) -> Iterable[Upstream]:
    return from_key_entries(OLLAMA, settings.ollama)


FAULTS = (
    FaultRule(statuses=frozenset((404,)), words=("not found",), scope=Scope.MODEL, rest=FIRST_REST_NOT_PULLED),
    *COMMON,
)

OLLAMA = Provider(
    name="ollama",
    base_url="http://127.0.0.1:11434",
    endpoints=(
        speaking(ollama.CODEC, Operation.CHAT, "/api/chat"),
        speaking(ollama.CODEC, Operation.COMPLETIONS, "/api/generate"),
        speaking(ollama.CODEC, Operation.EMBEDDINGS, "/api/embed"),
        speaking(ollama.CODEC, Operation.EMBEDDING, "/api/embeddings"),
        Endpoint(Operation.MODELS, "/api/tags", ollama.WIRE),
    ),
    upstreams=_upstreams,
    faults=FAULTS,
)
