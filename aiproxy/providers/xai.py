"""xAI, with a key: the Responses API, and Chat Completions for clients that speak it.

Custom tools of a Responses client are refused there; those of other clients are told as functions. Not spoken: its endpoints for images
and videos. Source: provider sheet xai."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from aiproxy.codecs import openai_chat, openai_responses
from aiproxy.config.schema import Settings
from aiproxy.neutral.carried import Json
from aiproxy.pools.verdict import FIRST_REST_REFUSED, FIRST_REST_UNKNOWN_MODEL, FaultRule, Scope
from aiproxy.providers.base import Endpoint, Operation, Provider, Upstream, from_key_entries, speaking
from aiproxy.providers.faults import COMMON

REFUSED = ("prompt_cache_retention", "safety_identifier", "stream_options")

REFUSED_TO_COMPACT = (
    *REFUSED, "stream", "tools", "tool_choice", "parallel_tool_calls", "max_output_tokens", "temperature", "top_p",
)  # fmt: skip

KEY_REFUSED = FaultRule(
    statuses=frozenset((400, 403)),
    words=("bad-credentials", "access token could not be validated", "incorrect api key"),
    scope=Scope.ACCOUNT,
    rest=FIRST_REST_REFUSED,
)
"""Told as if the request were wrong."""

NO_SUCH_MODEL = FaultRule(
    statuses=frozenset((404,)), words=("the model",), scope=Scope.MODEL, rest=FIRST_REST_UNKNOWN_MODEL
)
"""In words of its own."""


def leave_out_nulls(body: dict[str, Json]) -> bool:
    """Of reasoning: what isn't there it wants left out."""
    changed = False
    for item in _listed(body.get("input")):
        for name in ("content", "encrypted_content"):
            if item.get("type") == "reasoning" and name in item and item[name] is None:
                del item[name]
                changed = True
    return changed


def search_as_it_does(body: dict[str, Json]) -> bool:
    """It knows no search that stays within what it has seen before."""
    changed = False
    for tool in _listed(body.get("tools")):
        if tool.get("type") == "web_search":
            changed |= tool.pop("external_web_access", None) is not None
    return changed


REPAIRS = (leave_out_nulls, search_as_it_does)


def _in_it(names: Iterable[str], body: Mapping[str, Json]) -> Iterator[str]:
    return (name for name in names if name in body)


def _listed(found: Json) -> list[dict[str, Json]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _upstreams(settings: Settings) -> Iterable[Upstream]:
    return from_key_entries(XAI, settings.xai_api_key)


XAI = Provider(
    name="xai",
    base_url="https://api.x.ai/v1",
    endpoints=(
        replace(
            speaking(openai_responses.CODEC, Operation.CHAT, "/responses", repairs=REPAIRS),
            leaves_out=partial(_in_it, REFUSED),
            socket=True,
        ),
        speaking(openai_chat.CODEC, Operation.CHAT, "/chat/completions"),
        replace(
            speaking(openai_responses.CODEC, Operation.COMPACT, "/responses/compact", repairs=REPAIRS),
            leaves_out=partial(_in_it, REFUSED_TO_COMPACT),
        ),
        Endpoint(Operation.MODELS, "/models", openai_chat.WIRE),
    ),
    upstreams=_upstreams,
    vendor="xai",
    abilities={"developer_role": False, "freeform_tools": False},
    passed_on=("x-grok-conv-id",),
    faults=(KEY_REFUSED, NO_SUCH_MODEL, *COMMON),
)
