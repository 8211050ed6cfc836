"""Thinking, in the dialects of Chat Completions: OpenAI itself shows none, everyone else has a field of its own.

- `reasoning_content` (DeepSeek, Kimi, GLM, Qwen, xAI, vLLM), `reasoning` (newer vLLM, Groq, Ollama, OpenRouter): a string;
- `reasoning_details` (OpenRouter): a list of texts with signatures, summaries and encrypted blocks;
- `thinking_blocks` (LiteLLM): Anthropic's blocks; a content part `thinking` (Mistral).

Where a list and a string come together they say the same; the list also holds the state, so it is the one that counts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.envelope import Envelope, Sealer, is_envelope
from aiproxy.codecs.opaque import read_slot, returnable
from aiproxy.neutral.carried import Json, OpaqueKind, OpaqueState
from aiproxy.neutral.parts import ReasoningPart

FIELDS = frozenset({"reasoning_content", "reasoning", "reasoning_details", "thinking_blocks"})


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of thinking as one entry of a message or delta has it. `index` tells blocks apart where a list is streamed."""

    channel: Literal["raw", "summary"] = "raw"
    text: str = ""
    kind: OpaqueKind | None = None
    state: str = ""
    id: str | None = None
    vendor: str = ""
    index: int | None = None


def thoughts(found: Mapping[str, Any]) -> Iterator[Thought]:
    """Of a message, or of a delta."""
    texts = False
    for name, read in (("reasoning_details", _detail), ("thinking_blocks", _block)):
        entries = found.get(name)
        if isinstance(entries, list) and not texts:
            for entry in entries:
                if isinstance(entry, dict) and (thought := read(entry)):
                    texts = texts or bool(thought.text)
                    yield thought
    if texts:
        return
    for name in ("reasoning_content", "reasoning"):
        if isinstance(text := found.get(name), str) and text:
            yield Thought(text=text)
            return


def is_whole_block(content: Any) -> bool:
    """Mistral's content part that holds thinking."""
    return isinstance(content, dict) and content.get("type") == "thinking"


def block_text(content: Mapping[str, Any]) -> str:
    inner = content.get("thinking")
    if isinstance(inner, str):
        return inner
    pieces = inner if isinstance(inner, list) else []
    return "".join(piece["text"] for piece in pieces if isinstance(piece, dict) and isinstance(piece.get("text"), str))


def _detail(entry: Mapping[str, Any]) -> Thought | None:
    said = entry.get("index")
    index = said if isinstance(said, int) else None
    item = entry.get("id") if isinstance(entry.get("id"), str) else None
    vendor = _vendor(entry.get("format"))
    match entry:
        case {"type": "reasoning.text"}:
            signature = entry.get("signature")
            state = signature if isinstance(signature, str) else ""
            text = entry.get("text")
            kind: OpaqueKind | None = "thinking_signature" if state else None
            return Thought("raw", text if isinstance(text, str) else "", kind, state, item, vendor, index)
        case {"type": "reasoning.summary", "summary": str(summary)}:
            return Thought("summary", summary, id=item, vendor=vendor, index=index)
        case {"type": "reasoning.encrypted", "data": str(data)}:
            return Thought(kind="encrypted_reasoning", state=data, id=item, vendor=vendor, index=index)
        case _:
            return None


def _block(entry: Mapping[str, Any]) -> Thought | None:
    match entry:
        case {"type": "thinking"}:
            text, signature = entry.get("thinking"), entry.get("signature")
            state = signature if isinstance(signature, str) else ""
            kind: OpaqueKind | None = "thinking_signature" if state else None
            return Thought("raw", text if isinstance(text, str) else "", kind, state)
        case {"type": "redacted_thinking", "data": str(data)}:
            return Thought(kind="redacted_thinking", state=data)
        case _:
            return None


def _vendor(name: Any) -> str:
    """OpenRouter's `format` starts with the vendor: `anthropic-claude-v1`, `openai-responses-v1`, `google-gemini-v1`."""
    return name.partition("-")[0] if isinstance(name, str) and name != "unknown" else ""


def opens_part(thought: Thought, *, redacted: bool, has_state: bool, last_index: int | None) -> bool:
    """Whether a thought begins a part of its own, after one like this: another block's text, or state after a part that has
    its own already."""
    if not thought.text:
        return redacted if thought.kind == "thinking_signature" else has_state
    return has_state or (thought.index is not None and last_index is not None and thought.index != last_index)


def history(found: Mapping[str, Any], sealer: Sealer) -> list[ReasoningPart]:
    """The parts of a message that a client sends back."""
    parts: list[ReasoningPart] = []
    last_index: int | None = None
    for thought in thoughts(found):
        state = opened(thought, sealer)
        if thought.state and state is None and not thought.text:
            continue  # sealed by someone else
        if not parts or opens_part(
            thought, redacted=parts[-1].redacted, has_state=bool(parts[-1].opaque), last_index=last_index
        ):
            parts.append(ReasoningPart(redacted=not thought.text))
        last = parts[-1]
        if thought.channel == "summary":
            last = replace(last, summaries=(*last.summaries, thought.text))
        else:
            last = replace(last, text=last.text + thought.text)
        parts[-1] = replace(last, redacted=last.redacted and not thought.text, opaque=last.opaque + tuple(state or ()))
        last_index = thought.index
    return parts


def opened(thought: Thought, sealer: Sealer) -> tuple[OpaqueState, ...] | None:
    """The state a client's thought holds; None for an envelope that isn't ours to open."""
    if thought.kind is None:
        return ()
    envelope = read_slot(sealer, thought.state, thought.vendor, thought.kind, thought.id)
    return None if envelope is None else (envelope.state,)


def has_envelope(found: Mapping[str, Any]) -> bool:
    return any(is_envelope(thought.state) for thought in thoughts(found))


def text_of(part: ReasoningPart) -> str:
    """All there is to read, summaries first, a blank line between sections."""
    return "\n\n".join(text for text in (*part.summaries, part.text) if text)


def shown(part: ReasoningPart, sealer: Sealer, index: int, *, visible: bool) -> Iterator[dict[str, Json]]:
    """The entries of `reasoning_details` that carry a part's state to a client, numbered from `index`."""
    for number, state in enumerate(part.opaque):
        value = sealer.seal(Envelope(state))
        entry: dict[str, Json] = {"type": "reasoning.encrypted", "data": value}
        if state.kind == "thinking_signature" and visible:
            entry = {"type": "reasoning.text", "text": text_of(part), "signature": value}
        if state.item_id:
            entry["id"] = state.item_id
        yield {**entry, "format": "unknown", "index": index + number}


def sent_back(parts: Sequence[ReasoningPart], can: Capabilities, model: str, *, calls: bool) -> dict[str, Json]:
    """The fields that give an upstream its own thinking back. Another vendor's stays here, and so does all of OpenAI's.

    Thinking without state came from a server that shows it in clear; it may be needed in a loop of tool calls."""
    texts: list[str] = []
    details: list[Json] = []
    for part in parts:
        own = returnable(part.opaque, can.vendor, model)
        clear = not part.opaque or any(
            state.kind == "reasoning_text" and state.vendor in ("", can.vendor) for state in part.opaque
        )
        if text := text_of(part) if own or clear else "":
            texts.append(text)
        details += [_returned(part, state, len(details) + i) for i, state in enumerate(_stateful(own))]
    found: dict[str, Json] = {}
    if can.vendor != "openai" and texts:
        found["reasoning_content"] = "\n\n".join(texts)
    elif can.thinking_placeholder and calls:
        found["reasoning_content"] = " "
    if details:
        found["reasoning_details"] = details
    return found


def _stateful(states: Iterable[OpaqueState]) -> Iterator[OpaqueState]:
    return (state for state in states if state.kind != "reasoning_text")


def _returned(part: ReasoningPart, state: OpaqueState, index: int) -> dict[str, Json]:
    entry: dict[str, Json] = {"type": "reasoning.encrypted", "data": state.data, "index": index}
    if state.kind == "thinking_signature":
        entry = {"type": "reasoning.text", "text": text_of(part), "signature": state.data, "index": index}
    if state.item_id:
        entry["id"] = state.item_id
    return entry
