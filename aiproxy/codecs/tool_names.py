"""Names of tools, as each target takes them, and back: a bijection made from the request alone.

Namespaces (Responses) flatten to `namespace__name` and are split again by the same map."""

import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Literal, TypeAlias

from aiproxy.neutral.parts import ToolCallPart
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.tools import FreeformTool, FunctionTool, HostedTool

NameRule: TypeAlias = Literal["openai", "gemini", "any"]
"""OpenAI and Anthropic: letters, digits, `_` and `-`, at most 64. Gemini: no digit or `-` first. Ollama takes any."""

LONGEST = 64
"""Characters: the limit of OpenAI, Bedrock and Gemini; Anthropic's own is 128."""

_HEAD = 55
"""Characters kept of a longer name: room for `_` and eight of its hash."""

_ILLEGAL = re.compile(r"[^A-Za-z0-9_-]")

Name: TypeAlias = tuple[str, str | None]
"""(name, namespace)"""


class ToolNames:
    def __init__(self, safe: Mapping[Name, str], rule: NameRule) -> None:
        self._safe = safe
        self._original = {safe_name: name for name, safe_name in safe.items()}
        self._rule = rule

    @classmethod
    def of(cls, request: GenerateRequest, rule: NameRule, *, flatten: bool = True) -> "ToolNames":
        """Of every tool the request defines or its history calls. `flatten` False: the target has namespaces itself."""
        safe: dict[Name, str] = {}
        taken: set[str] = set()
        names = list(dict.fromkeys(_names(request)))
        # Names that need no change come first: they keep their own, whatever others turn into.
        for name, namespace in sorted(
            names, key=lambda pair: _flat(pair, flatten) != _legal(_flat(pair, flatten), rule)
        ):
            flat = _flat((name, namespace), flatten)
            found = _legal(flat, rule)
            if found in taken:
                found = _hashed(found, f"{namespace}\0{name}")
            taken.add(found)
            safe[name, namespace] = found
        return cls(safe, rule)

    def safe(self, name: str, namespace: str | None = None) -> str:
        """What to call it at the target."""
        return self._safe.get((name, namespace)) or _legal(_flat((name, namespace), flatten=True), self._rule)

    def original(self, name: str) -> Name:
        """What the client calls it. A name the model invented passes through."""
        return self._original.get(name, (name, None))


def _names(request: GenerateRequest) -> Iterator[Name]:
    for tool in request.tools:
        match tool:
            case FunctionTool() | FreeformTool():
                yield tool.name, tool.namespace
            case HostedTool():
                pass  # the vendor names it
    for turn in request.turns:
        for part in turn.parts:
            if isinstance(part, ToolCallPart):
                yield part.name, part.namespace


def _flat(name: Name, flatten: bool) -> str:
    return f"{name[1]}__{name[0]}" if name[1] and flatten else name[0]


def _legal(name: str, rule: NameRule) -> str:
    if rule == "any":
        return name
    found = _ILLEGAL.sub("_", name) or "_"
    if rule == "gemini" and not (found[0].isalpha() or found[0] == "_"):
        found = f"_{found}"
    return found if len(found) <= LONGEST else _hashed(found, name)


def _hashed(head: str, name: str) -> str:
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{head[:_HEAD]}_{digest}"
