"""The items of a request's input and of an answer's output, read as parts. Messages hold several parts, every other item is one."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from aiproxy.codecs import arguments
from aiproxy.codecs.envelope import Envelope, is_envelope
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.openai_responses.content import read_content
from aiproxy.codecs.openai_responses.reading import OWN, Malformed, Taking
from aiproxy.codecs.openai_responses.table import NAME
from aiproxy.neutral.carried import Json, OpaqueKind, OpaqueState
from aiproxy.neutral.parts import (
    CompactionPart,
    HostedToolCallPart,
    Part,
    RawPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

ReadState: TypeAlias = Callable[[str, OpaqueKind, str | None], Envelope | None]
"""(value, its kind where it is native, the item's id) → the state it stands for; None when it isn't ours to read."""

ITEM: Final = "~item"
"""The note on the first part of an answer's message: what else its item says."""
CONTENT: Final = "~content"
"""The note that content or output came as "string" or as "list", where the other is usual."""
LOST: Final = "~lost"
"""The note that an item's opaque state came in an envelope that is not ours: the item can't go on."""

HOSTED: Final[Mapping[str, str]] = {
    "web_search_call": "web_search",
    "file_search_call": "file_search",
    "code_interpreter_call": "code_execution",
    "image_generation_call": "image_generation",
    "mcp_call": "mcp",
}
"""Item type → neutral kind of the vendor-run tool."""

COMPACTIONS: Final = ("compaction", "compaction_summary")


def read_message(content: Json) -> tuple[Part, ...]:
    """The parts of an output message's content. Raises `Malformed`."""
    try:
        return read_content(content, "output_text")
    except Malformed as error:
        raise error.inside("content") from error


def read_reasoning(item: Json, read_state: ReadState) -> tuple[ReasoningPart, Envelope | None]:
    """The part, and the envelope its state came in."""
    found = Taking(item)
    del found.rest["type"]
    item_id = found.maybe("id", str)
    absent = () if "summary" in found.rest else ("summary",)
    summaries, is_plain = _texts(found.rest.get("summary"), "summary_text")
    if is_plain:
        del found.rest["summary"]
    elif summaries:
        found.keep("summary")
    texts, is_plain = _texts(found.rest.get("content"), "reasoning_text")
    if is_plain and len(texts) == 1 and texts[0]:
        del found.rest["content"]
    elif texts:
        found.keep("content")
    value = found.maybe("encrypted_content", str)
    envelope = read_state(value, "encrypted_reasoning", item_id) if value else None
    notes: dict[str, Json] = {}
    if value is not None and envelope is None:
        if value:
            notes[LOST] = True
        else:
            found.rest["encrypted_content"] = value
    text = "".join(texts)
    opaque: tuple[OpaqueState, ...] = ()
    if envelope:
        opaque = (envelope.state,)
        if value and is_envelope(value) and envelope.text is not None:
            # The summary is our rendering of the same text.
            text, summaries = envelope.text, ()
    part = ReasoningPart(
        text,
        summaries,
        redacted=envelope is not None and envelope.state.kind == "redacted_thinking",
        id=item_id,
        opaque=opaque,
        extensions=found.extensions(notes, absent),
    )
    return part, envelope


def read_call(item: Json) -> ToolCallPart:
    """A call of a function or of a custom tool."""
    found = Taking(item)
    kind = found.text("type")
    freeform = kind == "custom_tool_call"
    call_id, name = found.text("call_id"), found.text("name")
    text = found.text("input" if freeform else "arguments")
    unfinished = found.rest.get("status") == "incomplete" and not freeform and not arguments.is_complete(text)
    return ToolCallPart(
        call_id,
        name,
        text,
        found.maybe("namespace", str),
        "freeform" if freeform else "json",
        not unfinished,
        id=found.maybe("id", str),
        extensions=found.extensions(),
    )


def read_result(item: Json) -> ToolResultPart:
    found = Taking(item)
    kind = found.text("type")
    call_id = found.rest.get("call_id")
    if isinstance(call_id, str) and call_id:
        del found.rest["call_id"]
    notes: dict[str, Json] = {}
    content: tuple[Part, ...] = ()
    output = found.rest.get("output")
    absent = () if "output" in found.rest else ("output",)
    if isinstance(output, str):
        del found.rest["output"]
        content = (TextPart(output),) if output else ()
    elif isinstance(output, list):
        try:
            content = read_content(output, "input_text")
        except Malformed as error:
            raise error.inside("output") from error
        del found.rest["output"]
        notes[CONTENT] = "list"
    elif output is not None:
        content = (TextPart(dump(output).decode()),)
        found.keep("output")
    return ToolResultPart(
        call_id if isinstance(call_id, str) else "",
        content,
        found.maybe("name", str),
        id=found.maybe("id", str),
        kind="freeform" if kind == "custom_tool_call_output" else "json",
        extensions=found.extensions(notes, absent),
    )


def read_compaction(item: Json, read_state: ReadState) -> CompactionPart:
    found = Taking(item)
    kind = found.text("type")
    item_id = found.maybe("id", str)
    value = found.text("encrypted_content")
    envelope = read_state(value, "compaction", item_id)
    if envelope is None and value:
        raise Malformed("encrypted_content", "this compaction was not made here, or was altered")
    notes: dict[str, Json] = {} if kind == "compaction" else {"type": kind}
    states = (envelope.state,) if envelope else ()
    text = envelope.text if envelope and is_envelope(value) else None
    return CompactionPart(text, id=item_id, opaque=states, extensions=found.extensions(notes))


def read_hosted(item: Mapping[str, Json]) -> HostedToolCallPart:
    item_id = item.get("id")
    call_id = item_id if isinstance(item_id, str) else ""
    return HostedToolCallPart(HOSTED[item["type"]], call_id, dict(item), id=call_id or None)


def read_output(item: Json, read_state: ReadState) -> tuple[Part, ...]:
    """An item of an answer: never (). Kinds that nobody else has become a `RawPart`. Raises `Malformed`."""
    match item:
        case {"type": "message", "content": [_, *_], "role": "assistant"}:
            first, *others = (_owned(part) for part in read_message(item["content"]))
            rest = {key: value for key, value in item.items() if key not in ("type", "content")}
            item_id = rest.pop("id") if isinstance(rest.get("id"), str) else None
            parts = (_noted(first, ITEM, rest), *others)
            return tuple(replace(part, id=item_id) for part in parts)
        case {"type": "reasoning"}:
            return (_owned(read_reasoning(item, read_state)[0]),)
        case {"type": "function_call" | "custom_tool_call"}:
            return (_owned(read_call(item)),)
        case {"type": "compaction" | "compaction_summary"}:
            return (_owned(read_compaction(item, read_state)),)
        case {"type": str(kind)} if kind in HOSTED:
            return (_owned(read_hosted(item)),)
        case {"type": str(kind)}:
            return (RawPart(NAME, kind, item),)
        case _:
            raise Malformed("type", "an item needs a type")


def _owned(part: Part) -> Part:
    if isinstance(part, RawPart):
        return replace(part, extensions={NAME: {CONTENT: True}})
    return _noted(part, OWN, True)


def _noted(part: Part, name: str, value: Json) -> Part:
    return replace(part, extensions={**part.extensions, NAME: {**part.extensions.get(NAME, {}), name: value}})


def _texts(found: Json, kind: str) -> tuple[tuple[str, ...], bool]:
    """The texts in a list of `{type: kind, text}`, and whether that is all it holds."""
    if not isinstance(found, list):
        return (), False
    texts = tuple(entry["text"] for entry in found if isinstance(entry, dict) and isinstance(entry.get("text"), str))
    is_plain = len(texts) == len(found) and all(entry == {"type": kind, "text": entry["text"]} for entry in found)
    return texts, is_plain


def is_content(part: Part) -> bool:
    """Whether the part of an assistant's turn belongs into a message; all others are items."""
    match part:
        case TextPart() | RefusalPart():
            return True
        case RawPart(protocol=protocol):
            return protocol == NAME and bool(part.extensions)
        case ReasoningPart() | ToolCallPart() | ToolResultPart() | HostedToolCallPart() | CompactionPart():
            return False
        case _:
            return True
