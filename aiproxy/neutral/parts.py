"""What a turn is made of. A part kind no protocol shares is a `RawPart`: passed on within its protocol, reported elsewhere."""

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from aiproxy.neutral.carried import Extensions, Json, OpaqueState
from aiproxy.neutral.media import Source


@dataclass(frozen=True, slots=True)
class CacheHint:
    """A cache breakpoint after this part. `ttl` in the words of Anthropic ("5m", "1h")."""

    ttl: str | None = None


@dataclass(frozen=True, slots=True)
class Citation:
    """A source the text leans on. `start` and `end` are character offsets into the part's text, end exclusive."""

    url: str | None = None
    title: str | None = None
    cited_text: str | None = None
    start: int | None = None
    end: int | None = None
    extensions: Extensions = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TokenLogprob:
    """`token_bytes` is the token in UTF-8 bytes, since a token may be half a character; `top` the alternatives."""

    token: str
    logprob: float
    token_bytes: tuple[int, ...] | None = None
    top: tuple["TokenLogprob", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PartBase:
    """What every part may carry besides its content. `id` is the upstream's name of the item, not a tool call's id."""

    id: str | None = None
    cache: CacheHint | None = None
    opaque: tuple[OpaqueState, ...] = ()
    extensions: Extensions = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TextPart(PartBase):
    text: str = ""
    citations: tuple[Citation, ...] = ()
    logprobs: tuple[TokenLogprob, ...] | None = None


@dataclass(frozen=True, slots=True)
class RefusalPart(PartBase):
    text: str = ""
    logprobs: tuple[TokenLogprob, ...] | None = None


@dataclass(frozen=True, slots=True)
class ImagePart(PartBase):
    source: Source
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class AudioPart(PartBase):
    """`transcript` is the text of a sound the model spoke."""

    source: Source
    transcript: str | None = None


@dataclass(frozen=True, slots=True)
class VideoPart(PartBase):
    source: Source


@dataclass(frozen=True, slots=True)
class DocumentPart(PartBase):
    source: Source
    filename: str | None = None
    title: str | None = None
    context: str | None = None
    citations_enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class ReasoningPart(PartBase):
    """One upstream reasoning item, even when it has many summary sections. `text` is the raw thinking, `summaries` what the
    vendor tells of it; `redacted` when only its opaque state came."""

    text: str = ""
    summaries: tuple[str, ...] = ()
    redacted: bool = False


@dataclass(frozen=True, slots=True)
class ToolCallPart(PartBase):
    """`arguments_text` is the JSON text as it came ("" when none did), or the free text of a freeform tool.

    `complete` is False when the model was cut off inside the arguments."""

    call_id: str
    name: str
    arguments_text: str = ""
    namespace: str | None = None
    arguments_kind: Literal["json", "freeform"] = "json"
    complete: bool = True


@dataclass(frozen=True, slots=True)
class ToolResultPart(PartBase):
    """`name` is set where the protocol names results by tool; `content` holds no tool parts."""

    call_id: str
    content: tuple["Part", ...] = ()
    name: str | None = None
    is_error: bool = False
    kind: Literal["json", "freeform"] = "json"


@dataclass(frozen=True, slots=True)
class HostedToolCallPart(PartBase):
    """A tool the vendor runs itself: `kind` is web_search, code_execution, mcp, …; `payload` the vendor's own JSON."""

    kind: str
    call_id: str
    payload: Json = None


@dataclass(frozen=True, slots=True)
class HostedToolResultPart(PartBase):
    kind: str
    call_id: str
    payload: Json = None


@dataclass(frozen=True, slots=True)
class CompactionPart(PartBase):
    """Stands for history that was summarised. `text` is the summary where it can be read, else the opaque state holds it."""

    text: str | None = None


@dataclass(frozen=True, slots=True)
class RawPart(PartBase):
    """A part only codec `protocol` knows: `type` is its own name for it, `json` the whole object."""

    protocol: str
    type: str
    json: Json


Part: TypeAlias = (
    TextPart
    | RefusalPart
    | ImagePart
    | AudioPart
    | VideoPart
    | DocumentPart
    | ReasoningPart
    | ToolCallPart
    | ToolResultPart
    | HostedToolCallPart
    | HostedToolResultPart
    | CompactionPart
    | RawPart
)
