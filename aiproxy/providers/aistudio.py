"""Google's AI Studio by a relay: a page or process of the user's connects to us and asks Google for us, with what it has itself.

Source: provider sheet aistudio; what the page's API refuses is CLIProxyAPI's finding."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from aiproxy.catalogue import Alias, named
from aiproxy.codecs import gemini
from aiproxy.neutral.carried import Json
from aiproxy.providers.base import NO_KEY, Operation, Provider, Upstream, speaking
from aiproxy.providers.gemini import FAULTS, MODEL
from aiproxy.providers.vertex_repairs import begin_with_user, count_bare_contents

MODELS = (
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gemini-2.5-flash-lite",
    "gemini-2.5-flash-image",
    "gemini-3-pro-preview",
    "gemini-3.1-pro-preview",
    "gemini-3-flash-preview",
    "gemini-3.1-flash-lite-preview",
    "gemini-pro-latest",
    "gemini-flash-latest",
    "gemini-flash-lite-latest",
)
"""Listed for clients; every other name that begins with `gemini-` is passed on."""

_CONFIG = ("generationConfig", "generation_config")
_REFUSED = (
    "maxOutputTokens",
    "max_output_tokens",
    "responseMimeType",
    "response_mime_type",
    "responseJsonSchema",
    "response_json_schema",
)
_NOT_COUNTED = (*_CONFIG, "tools")


def _what_pages_refuse(body: Mapping[str, Json]) -> Iterator[str]:
    if "session_id" in body:
        yield "session_id"
    for config in _CONFIG:
        found = body.get(config)
        if isinstance(found, dict):
            yield from (f"{config}.{name}" for name in _REFUSED if name in found)


def _leave_out_of_counting(body: dict[str, Json]) -> bool:
    found = [name for name in _NOT_COUNTED if name in body]
    for name in found:
        del body[name]
    return bool(found)


AISTUDIO = Provider(
    name="aistudio",
    base_url="https://generativelanguage.googleapis.com",
    endpoints=(
        replace(
            speaking(
                gemini.CODEC,
                Operation.CHAT,
                f"{MODEL}:generateContent",
                f"{MODEL}:streamGenerateContent?alt=sse",
                repairs=(begin_with_user,),
            ),
            leaves_out=_what_pages_refuse,
        ),
        speaking(
            gemini.CODEC,
            Operation.COUNT_TOKENS,
            f"{MODEL}:countTokens",
            repairs=(count_bare_contents, _leave_out_of_counting),
        ),
    ),
    vendor="google",
    binds_state=("*",),  # signatures of another project are refused
    models=MODELS,
    faults=FAULTS,
)


def account(name: str, base_url: str, concurrency: int) -> Upstream:
    """Of the relay of this name. It is reached by no way that others go."""
    return Upstream(
        name,
        AISTUDIO,
        NO_KEY,
        (base_url or AISTUDIO.base_url).rstrip("/"),
        models=named(Alias(model) for model in MODELS),
        accepts=("gemini-*",),
        concurrency=concurrency,
        apart=True,
    )
