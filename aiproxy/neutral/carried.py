"""What neutral carries without understanding it: extensions of a codec, and a vendor's opaque state."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Json: TypeAlias = Any
"""A JSON value as `orjson.loads` gives it. Not the place to look inside."""

Extensions: TypeAlias = Mapping[str, Mapping[str, Json]]
"""Codec name → the fields of that codec's JSON object that neutral has no word for, verbatim.

Keys that start with `~` are the codec's notes to itself (which of two spellings came in) and never reach the wire."""

NO_EXTENSIONS: Extensions = {}

OpaqueKind: TypeAlias = Literal[
    "thinking_signature",
    "redacted_thinking",
    "encrypted_reasoning",
    "thought_signature",
    "reasoning_text",
    "compaction",
]


@dataclass(frozen=True, slots=True)
class OpaqueState:
    """Bytes only the vendor that made them can read; they go back to it and to no one else.

    `model` and `scope` (a route or account) narrow that further where the vendor binds them."""

    vendor: str
    kind: OpaqueKind
    data: str
    item_id: str | None = None
    model: str | None = None
    scope: str | None = None
