"""What the model may call, and how free it is to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from aiproxy.neutral.carried import Extensions, Json
from aiproxy.neutral.parts import CacheHint


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolBase:
    cache: CacheHint | None = None
    extensions: Extensions = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FunctionTool(ToolBase):
    """`parameters` is a JSON Schema, None when the function takes nothing. `defer`: loaded only when searched for."""

    name: str
    description: str | None = None
    parameters: Mapping[str, Json] | None = None
    strict: bool | None = None
    namespace: str | None = None
    defer: bool | None = None


@dataclass(frozen=True, slots=True)
class Grammar:
    """What free text a freeform tool takes: `syntax` is "lark" or "regex"."""

    syntax: str
    definition: str


@dataclass(frozen=True, slots=True)
class FreeformTool(ToolBase):
    """A tool that takes one text instead of JSON (OpenAI's custom tools)."""

    name: str
    description: str | None = None
    grammar: Grammar | None = None
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class WebSearchConfig:
    """The subset of web search settings that more than one vendor has."""

    allowed_domains: tuple[str, ...] = ()
    blocked_domains: tuple[str, ...] = ()
    max_uses: int | None = None
    location: Mapping[str, str] | None = None
    context_size: str | None = None


@dataclass(frozen=True, slots=True)
class HostedTool(ToolBase):
    """A tool the vendor runs. `kind` is web_search, code_execution, mcp, …; `config` what `protocol` said of it, whole.

    `web_search` is set for that kind: what another vendor can take over."""

    kind: str
    protocol: str
    config: Mapping[str, Json] = field(default_factory=dict)
    web_search: WebSearchConfig | None = None


ToolDefinition: TypeAlias = FunctionTool | FreeformTool | HostedTool


@dataclass(frozen=True, slots=True)
class ToolChoice:
    """`names` holds the one tool of `named`, or the allowed set of `auto` and `required` (empty: all).

    `hosted_kind` forces a vendor-run tool. `allow_parallel` None: nobody said."""

    mode: Literal["auto", "none", "required", "named"] | None = None
    names: tuple[str, ...] = ()
    hosted_kind: str | None = None
    allow_parallel: bool | None = None
    extensions: Extensions = field(default_factory=dict)
