"""Ids of tool calls, as each target takes them. Pure functions, so that calls and results fit alike and no state is needed."""

import re
from base64 import b32encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Literal, TypeAlias

IdRule: TypeAlias = Literal["openai-chat", "openai-responses", "anthropic", "mistral", "any"]

_LEGAL: Mapping[IdRule, re.Pattern[str]] = {
    "openai-chat": re.compile(r".{1,40}", re.DOTALL),
    "openai-responses": re.compile(r".{1,64}", re.DOTALL),
    "anthropic": re.compile(r"[A-Za-z0-9_-]+"),
    "mistral": re.compile(r"[A-Za-z0-9]{9}"),
    "any": re.compile(r".*", re.DOTALL),
}


def fit(call_id: str, rule: IdRule) -> str:
    """The id itself where the target takes it, else one made from its hash: the same for the same id."""
    if _LEGAL[rule].fullmatch(call_id):
        return call_id
    digest = b32encode(sha256(call_id.encode("utf-8", "surrogatepass")).digest()).decode().lower()
    return digest[:9] if rule == "mistral" else f"call_{digest[:24]}"


def distinct(call_id: str, taken: dict[str, int]) -> str:
    """The id, with `_2`, `_3` … when this answer or history has it already. `taken` starts empty and is kept here."""
    candidate = call_id
    while candidate in taken:
        taken[call_id] += 1
        candidate = f"{call_id}_{taken[call_id]}"
    taken[candidate] = 1
    return candidate
