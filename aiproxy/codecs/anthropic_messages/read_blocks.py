"""Content blocks → parts, for requests and answers alike. What a block says beyond its part rides in the part's extensions.

Blocks no other protocol has become a `RawPart`; those of vendor-run tools keep their JSON as the payload."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final, TypeAlias, cast

from aiproxy.codecs import arguments
from aiproxy.codecs.anthropic_messages.table import NAME
from aiproxy.codecs.envelope import Envelope, is_envelope
from aiproxy.codecs.fields import carried
from aiproxy.neutral.carried import Extensions, Json, OpaqueKind, OpaqueState
from aiproxy.neutral.media import FileIdSource, InlineSource, Source, TextSource, UrlSource
from aiproxy.neutral.parts import (
    CacheHint,
    Citation,
    CompactionPart,
    DocumentPart,
    HostedToolCallPart,
    HostedToolResultPart,
    ImagePart,
    Part,
    RawPart,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

ReadState: TypeAlias = Callable[[str, OpaqueKind], Envelope | None]
"""What a signature or other opaque value of a block stands for; None when it isn't ours to read."""

BLOCK: Final = "~block"
"""The note that holds a whole block which neutral only knows an approximation of; it goes back as it came."""
INPUT: Final = "~input"
"""The note that holds a tool call's input where it isn't the object it must be."""
SIGNATURE: Final = "~signature"
"""The note that holds what stood where a signature was due: nothing, or an empty one."""
CALLS: Final = "~calls"
"""The note, on a thinking block, that holds the states of the tool calls after it (Gemini's signatures)."""
CONTENT: Final = "~content"
"""The note that content came as one string, not as a list of blocks."""

_HOSTED_CALLS: Mapping[str, str] = {"server_tool_use": "", "mcp_tool_use": "mcp"}
_HOSTED_KINDS: Mapping[str, str] = {
    "bash_code_execution": "code_execution",
    "text_editor_code_execution": "code_execution",
    "tool_search_tool_regex": "tool_search",
    "tool_search_tool_bm25": "tool_search",
    "tool_search_tool": "tool_search",
    "mcp_tool": "mcp",
}
"""A vendor-run tool's name → neutral kind, where they differ."""

_HOSTED_RESULT = re.compile(r"(\w+?)(?:_tool)?_result")

DOCUMENT_TITLED = frozenset({"char_location", "page_location", "content_block_location"})
"""Citations whose title is the document's."""


class Malformed(Exception):
    """A block that isn't what it says it is: `where` is the path inside it."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where, self.problem = where, problem


def read_blocks(content: Json, read_state: ReadState) -> tuple[tuple[Part, ...], dict[str, Json]]:
    """Content, which is one string or a list of blocks, and the note that tells which."""
    if isinstance(content, str):
        return (TextPart(content),), {CONTENT: "string"}
    if not isinstance(content, list):
        raise Malformed("content", "must be a string or a list of blocks")
    parts = []
    for place, block in enumerate(content):
        try:
            parts.append(read_block(block, read_state))
        except Malformed as error:
            raise Malformed(f"content.{place}.{error.where}", error.problem) from error
    return tuple(parts), {}


def read_block(block: Json, read_state: ReadState) -> Part:
    if not isinstance(block, dict):
        raise Malformed("type", "every block must be an object")
    rest = taken(block)
    kind = _text(rest, "type")
    match kind:
        case "text":
            return TextPart(_text(rest, "text"), _citations(rest), cache=_cache(rest), extensions=left(rest))
        case "thinking" | "redacted_thinking":
            return _reasoning(kind, rest, read_state)
        case "tool_use":
            return _tool_call(rest)
        case "tool_result":
            return _tool_result(rest, read_state)
        case "image":
            return _image(block, rest)
        case "document":
            return _document(block, rest)
        case "search_result":
            return _search_result(block, rest)
        case "compaction":
            summary = rest.pop("content") if isinstance(rest.get("content"), str) else None
            return CompactionPart(summary, cache=_cache(rest), extensions=left(rest))
        case "server_tool_use" | "mcp_tool_use":
            name = _text(rest, "name") if kind == "server_tool_use" else "mcp"
            return HostedToolCallPart(_HOSTED_KINDS.get(name, name), _text(rest, "id"), block)
        case _:
            found = _HOSTED_RESULT.fullmatch(kind)
            if found and isinstance(block.get("tool_use_id"), str):
                name = found[1]
                return HostedToolResultPart(_HOSTED_KINDS.get(name, name), block["tool_use_id"], block)
            return RawPart(NAME, kind, block)


def read_citation(found: Json) -> Citation:
    if not isinstance(found, dict):
        raise Malformed("citations", "every citation must be an object")
    rest = taken(found)
    titled = "document_title" if str(rest.get("type")) in DOCUMENT_TITLED else "title"
    url, title, cited = (_optional(rest, name) for name in ("url", titled, "cited_text"))
    return Citation(url, title, cited, extensions={NAME: rest})


def taken(found: Mapping[str, Json]) -> dict[str, Json]:
    """A copy to take the known fields out of; keys of the sender's that look like our notes are put aside."""
    return dict(carried(NAME, found, ()).get(NAME, {}))


def left(rest: Mapping[str, Json]) -> Extensions:
    return {NAME: rest} if rest else {}


def _reasoning(kind: str, rest: dict[str, Json], read_state: ReadState) -> ReasoningPart:
    redacted = kind == "redacted_thinking"
    text = "" if redacted else _text(rest, "thinking")
    slot = "data" if redacted else "signature"
    value = rest.pop(slot, None)
    if value is not None and not isinstance(value, str):
        raise Malformed(slot, "must be a string")
    envelope = read_state(value, "redacted_thinking" if redacted else "thinking_signature") if value else None
    if envelope is None:
        if value is None or not is_envelope(value):
            rest[SIGNATURE] = value
        return ReasoningPart(text, redacted=redacted, extensions=left(rest))
    if envelope.calls:
        rest[CALLS] = [replace(envelope.state, data=signature) for _, signature in sorted(envelope.calls)]
    states = (envelope.state,) if envelope.state.data or not envelope.calls else ()
    return ReasoningPart(text or envelope.text or "", redacted=redacted, opaque=states, extensions=left(rest))


def with_call_states(parts: Iterable[Part]) -> tuple[Part, ...]:
    """States that belong to tool calls, from the thinking block that carried them to the calls that follow it."""
    done: list[Part] = []
    waiting: list[OpaqueState] = []
    for part in parts:
        if isinstance(part, ReasoningPart) and CALLS in part.extensions.get(NAME, {}):
            rest = dict(part.extensions[NAME])
            waiting = rest.pop(CALLS)
            if part.text or part.opaque:
                done.append(replace(part, extensions=left(rest)))
        elif isinstance(part, ToolCallPart) and waiting:
            done.append(replace(part, opaque=(waiting.pop(0),)))
        else:
            done.append(part)
    return tuple(done)


def _tool_call(rest: dict[str, Json]) -> ToolCallPart:
    call_id, name, found = _text(rest, "id"), _text(rest, "name"), rest.pop("input", {})
    if not isinstance(found, dict) or arguments.RAW in found:
        rest[INPUT] = found
    return ToolCallPart(call_id, name, arguments.as_text(found), cache=_cache(rest), extensions=left(rest))


def _tool_result(rest: dict[str, Json], read_state: ReadState) -> ToolResultPart:
    call_id = _text(rest, "tool_use_id")
    content: tuple[Part, ...] = ()
    if rest.get("content"):
        content, note = read_blocks(rest.pop("content"), read_state)
        rest.update(note)
    failed = rest.pop("is_error") if rest.get("is_error") is True else False
    return ToolResultPart(call_id, content, is_error=failed, cache=_cache(rest), extensions=left(rest))


def _image(block: dict[str, Json], rest: dict[str, Json]) -> ImagePart | RawPart:
    source = _source(rest)
    if source is None:
        return RawPart(NAME, "image", block)
    return ImagePart(source, cache=_cache(rest), extensions=left(rest))


def _document(block: dict[str, Json], rest: dict[str, Json]) -> Part:
    """A document of blocks is told as their text; one with pictures in it only this protocol can carry."""
    source = _source(rest)
    note: dict[str, Json] = {}
    if source is None:
        found = _texts((block.get("source") or {}).get("content"))
        if found is None:
            return RawPart(NAME, "document", block)
        source, note = TextSource(found), {BLOCK: block}
    title, context = _optional(rest, "title"), _optional(rest, "context")
    cited = rest.get("citations")
    enabled = None
    if isinstance(cited, dict) and cited.keys() == {"enabled"} and isinstance(cited["enabled"], bool):
        enabled = cited["enabled"]
        del rest["citations"]
    cache = _cache(rest)
    return DocumentPart(source, None, title, context, enabled, cache=cache, extensions=left(note or rest))


def _search_result(block: dict[str, Json], rest: dict[str, Json]) -> Part:
    found = _texts(block.get("content"))
    if found is None:
        return RawPart(NAME, "search_result", block)
    title, source = _optional(rest, "title"), _optional(rest, "source")
    return DocumentPart(
        TextSource(found), title=title, context=source, cache=_cache(rest), extensions={NAME: {BLOCK: block}}
    )


def _source(rest: dict[str, Json]) -> Source | None:
    """Takes the source out; leaves in its place what it says beyond ours. None for a kind other protocols can't have."""
    found = rest.pop("source", None)
    if not isinstance(found, dict):
        raise Malformed("source", "must be an object")
    more = dict(found)
    match more.pop("type", None):
        case "base64":
            source: Source = InlineSource(_text(more, "media_type", "source."), _text(more, "data", "source."))
        case "url":
            source = UrlSource(_text(more, "url", "source."))
        case "file":
            source = FileIdSource(NAME, _text(more, "file_id", "source."))
        case "text":
            media_type = _text(more, "media_type", "source.")
            source = TextSource(_text(more, "data", "source."), media_type)
        case _:
            return None
    if more:
        rest["source"] = more
    return source


def _texts(content: Json) -> str | None:
    """The text of content that is text only."""
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return None
    texts = [block.get("text") if isinstance(block, dict) else None for block in content]
    return "".join(cast(list[str], texts)) if all(isinstance(text, str) for text in texts) else None


def _citations(rest: dict[str, Json]) -> tuple[Citation, ...]:
    found = rest.get("citations")
    if not isinstance(found, list) or not found:
        return ()
    del rest["citations"]
    return tuple(map(read_citation, found))


def _cache(rest: dict[str, Json]) -> CacheHint | None:
    """A breakpoint that says more than its lifetime keeps the more in the rest."""
    found = rest.get("cache_control")
    if not isinstance(found, dict) or found.get("type") != "ephemeral":
        return None
    ttl = found.get("ttl")
    more = {key: value for key, value in found.items() if key != "type" and (key != "ttl" or not isinstance(ttl, str))}
    if more:
        rest["cache_control"] = more
    else:
        del rest["cache_control"]
    return CacheHint(ttl if isinstance(ttl, str) else None)


def _text(rest: dict[str, Json], name: str, prefix: str = "") -> str:
    found = rest.pop(name, None)
    if not isinstance(found, str):
        raise Malformed(f"{prefix}{name}", "must be a string")
    return found


def _optional(rest: dict[str, Json], name: str) -> str | None:
    if not isinstance(rest.get(name), str):
        return None
    found: str = rest.pop(name)
    return found
