"""Google's Gemini API (AI Studio keys). Source: Gemini API reference, models.generateContent, troubleshooting, rate limits."""

from collections.abc import Iterable
from dataclasses import replace

from aiproxy.codecs import gemini
from aiproxy.config.schema import Settings
from aiproxy.pools.verdict import FIRST_REST_REFUSED, FaultRule, Scope
from aiproxy.providers.base import Endpoint, Operation, Provider, Upstream, from_key_entries, speaking
from aiproxy.providers.faults import COMMON

MODEL = "/v1beta/models/{model}"


def _upstreams(settings: Settings) -> Iterable[Upstream]:
    return from_key_entries(GEMINI, settings.gemini_api_key)


FAULTS = (
    # A free key's quotas are counted for each model; what is used up of one leaves the others.
    FaultRule(statuses=frozenset((429,)), words=("permodel",), scope=Scope.MODEL),
    # A free key in a country where only paid ones are served.
    FaultRule(statuses=frozenset((400,)), words=("enable billing",), scope=Scope.ACCOUNT, rest=FIRST_REST_REFUSED),
    *COMMON,
)

GEMINI = Provider(
    name="gemini",
    base_url="https://generativelanguage.googleapis.com",
    endpoints=(
        speaking(gemini.CODEC, Operation.CHAT, f"{MODEL}:generateContent", f"{MODEL}:streamGenerateContent?alt=sse"),
        speaking(gemini.CODEC, Operation.COUNT_TOKENS, f"{MODEL}:countTokens"),
        replace(speaking(gemini.CODEC, Operation.EMBEDDINGS, f"{MODEL}:batchEmbedContents"), repeats_model=True),
        replace(speaking(gemini.CODEC, Operation.EMBEDDING, f"{MODEL}:embedContent"), repeats_model=True),
        Endpoint(Operation.MODELS, "/v1beta/models?pageSize=1000", gemini.WIRE),
    ),
    upstreams=_upstreams,
    vendor="google",
    binds_state=("*",),  # signatures of another project are refused
    faults=FAULTS,
    key_header="x-goog-api-key",
    key_scheme="",
)
