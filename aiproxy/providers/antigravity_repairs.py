"""What Antigravity's back end wants said differently from Gemini's API. Bodies are envelopes. Source: provider sheet antigravity."""

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

from aiproxy.codecs.schema import convert
from aiproxy.neutral.carried import Json
from aiproxy.providers import vertex_repairs
from aiproxy.providers.code_assist_repairs import declarations, inner, listed

LEAST_BUDGET = 1024
"""Tokens: what Claude thinks at least, if it does."""


def is_claude(body: Mapping[str, Json]) -> bool:
    return "claude" in str(body.get("model", ""))


def leave_out_safety(body: dict[str, Json]) -> bool:
    """They can't be changed here."""
    return inner(body).pop("safetySettings", None) is not None


def begin_with_user(body: dict[str, Json]) -> bool:
    return vertex_repairs.begin_with_user(inner(body))


def use_plain_schemas(body: dict[str, Json]) -> bool:
    """Parameters as Gemini's own Schema object: JSON Schema is refused."""
    changed = False
    for declared in declarations(inner(body)):
        if "parametersJsonSchema" in declared:
            schema = declared.pop("parametersJsonSchema")
            if isinstance(schema, dict) and (plain := convert(schema, "gemini").schema) is not None:
                declared["parameters"] = plain
            changed = True
    return changed


def call_with_validation(body: dict[str, Json]) -> bool:
    """Claude's calls are only well-formed in this mode. A client that wants none, or a certain one, keeps its say."""
    request = inner(body)
    if not is_claude(body) or not any(declarations(request)):
        return False
    calling = _member(_member(request, "toolConfig"), "functionCallingConfig")
    if calling.get("mode", "AUTO") not in ("AUTO", "MODE_UNSPECIFIED"):
        return False
    calling["mode"] = "VALIDATED"
    return True


def think_within_output(body: dict[str, Json]) -> bool:
    """Claude's budget is less than what it may write, or there is none."""
    config = inner(body).get("generationConfig")
    thinking = config.get("thinkingConfig") if isinstance(config, dict) else None
    if not is_claude(body) or not isinstance(config, dict) or not isinstance(thinking, dict):
        return False
    budget, most = thinking.get("thinkingBudget"), config.get("maxOutputTokens")
    if not isinstance(budget, int) or budget <= 0:
        return False
    fitted = min(budget, most - 1) if isinstance(most, int) else budget
    if fitted == budget and fitted >= LEAST_BUDGET:
        return False
    if fitted < LEAST_BUDGET:
        del config["thinkingConfig"]
    else:
        thinking["thinkingBudget"] = fitted
    return True


def name_session(body: dict[str, Json]) -> bool:
    """The same for the same conversation, which caches go by: derived from what the user said first."""
    request = inner(body)
    first = next(_user_texts(request), None)
    if request.get("sessionId") or first is None:
        return False
    number = int.from_bytes(sha256(first.encode("utf-8", "surrogatepass")).digest()[:8], "big") & 0x7FFF_FFFF_FFFF_FFFF
    request["sessionId"] = f"-{number}"
    return True


def never_taken(body: Mapping[str, Json]) -> Iterator[str]:
    """The limit of the output, except by Claude."""
    config = body.get("request", {}).get("generationConfig")
    if isinstance(config, dict) and "maxOutputTokens" in config and not is_claude(body):
        yield "request.generationConfig.maxOutputTokens"


def _member(found: dict[str, Json], name: str) -> dict[str, Any]:
    if not isinstance(found.get(name), dict):
        found[name] = {}
    member: dict[str, Any] = found[name]
    return member


def _user_texts(request: Mapping[str, Json]) -> Iterator[str]:
    for content in listed(request.get("contents")):
        if content.get("role", "user") == "user":
            yield from (part["text"] for part in listed(content.get("parts")) if isinstance(part.get("text"), str))
