"""An upstream's stream → events. Source: Anthropic API reference, streaming messages.

Order that can't be meant raises; what only a careless server leaves out (event names, block ends before the message's end) is
supplied. Blocks get part indices of their own, so gaps and interleaving upstream do no harm."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from aiproxy.codecs import arguments
from aiproxy.codecs.anthropic_messages.answer import AnswerReader, ending
from aiproxy.codecs.anthropic_messages.continuation import Continuation, continuation
from aiproxy.codecs.anthropic_messages.errors import hidden
from aiproxy.codecs.anthropic_messages.read_blocks import Malformed, read_block, read_citation
from aiproxy.codecs.anthropic_messages.table import NAME
from aiproxy.codecs.anthropic_messages.usage import read_usage
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.json_bytes import load_object
from aiproxy.framing import Frame
from aiproxy.framing.sse import COMMENT
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import UpstreamFailed, UpstreamTruncated
from aiproxy.neutral.events import (
    CandidateFinished,
    CitationAdded,
    Heartbeat,
    OpaqueStateSet,
    PartFinished,
    PartStarted,
    RawEvent,
    ReasoningDelta,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    TextDelta,
    ToolCallArgumentsDelta,
    UsageUpdated,
)
from aiproxy.neutral.parts import HostedToolCallPart, Part, ReasoningPart, TextPart, ToolCallPart

_HEARTBEAT = (Heartbeat(),)
_DONE = b"[DONE]"
"""What some servers put at the end of every stream, after OpenAI's fashion."""

_DELTAS = {"text": ("text_delta", "text"), "thinking": ("thinking_delta", "thinking")}
"""Kind of block → the delta it grows by and where that has its text; all others take JSON."""

_EVENTS: Mapping[type[Part], type[TextDelta | ReasoningDelta | ToolCallArgumentsDelta]] = {
    TextPart: TextDelta,
    ReasoningPart: ReasoningDelta,
}

_GROWING = frozenset({"text_delta", "thinking_delta", "input_json_delta"})


@dataclass(slots=True)
class _Block:
    """An open block: its object as it started, and what its deltas brought. `part` is how it was opened."""

    index: int
    kind: str
    found: dict[str, Json]
    part: Part
    silent: bool
    event: type[TextDelta | ReasoningDelta | ToolCallArgumentsDelta]
    fragments: list[str] = field(default_factory=list)
    grows: str = ""
    slot: str = ""

    def __post_init__(self) -> None:
        self.grows, self.slot = _DELTAS.get(self.kind, ("input_json_delta", "partial_json"))


class MessagesDecoder:
    def __init__(self, exchange: Exchange) -> None:
        self._reader = AnswerReader.of(exchange)
        self._message: dict[str, Json] | None = None
        self._blocks: dict[int, _Block] = {}
        self._parts: list[Part] = []
        self._started = 0
        self._stopped = False
        self._done = False

    def feed(self, frame: Frame) -> Iterable[StreamEvent]:
        if frame.event == "content_block_delta" and not self._done:
            more = continuation(frame.data)
            events = self._continued(more) if more is not None else None
            return self._grow(load_object(frame.data, exact=False)) if events is None else events
        if self._done or not frame.data or frame.data == _DONE:
            return ()
        if frame.event == COMMENT:
            return _HEARTBEAT
        body = load_object(frame.data)
        kind = body.get("type") or frame.event
        if kind == "content_block_delta":
            return self._grow(body)
        try:
            return self._other(kind, body, frame.data)
        except Malformed as error:
            raise UpstreamFailed(f"The upstream sent a block that can't be read: {error}.") from error

    def close(self, *, clean: bool = True) -> Iterable[StreamEvent]:  # noqa: ARG002 - the end doesn't depend on it
        """The reason for stopping is as good an end as `message_stop`."""
        if self._done:
            return ()
        if not self._stopped:
            raise UpstreamTruncated("The upstream's stream broke off before its end.")
        return self._finish()

    def _other(self, kind: Any, body: dict[str, Json], data: bytes) -> Iterable[StreamEvent]:
        match kind:
            case "ping":
                return _HEARTBEAT
            case "error":
                raise hidden(body, data)
            case "message_start":
                return (self._start(body),)
            case "content_block_start":
                return self._open(body)
            case "content_block_stop":
                return self._stop(body)
            case "message_delta":
                return self._update(body)
            case "message_stop":
                return self._finish()
            case _:
                if body.get("error") is not None:
                    raise hidden(body, data)
                self._begun()
                return (RawEvent(NAME, str(kind), body),)

    def _start(self, body: dict[str, Json]) -> ResponseStarted:
        message = body.get("message")
        if not isinstance(message, dict) or self._message is not None:
            raise UpstreamFailed("The upstream sent a message_start that is no start of a message.")
        self._message = dict(message)
        usage = message.get("usage")
        self._message["usage"] = dict(usage) if isinstance(usage, dict) else {}
        said = [value if isinstance(value := message.get(name), str) else "" for name in ("id", "model")]
        return ResponseStarted(said[0], said[1], usage=read_usage(usage))

    def _begun(self) -> dict[str, Json]:
        if self._message is None:
            raise UpstreamFailed("The upstream's stream does not begin with message_start.")
        return self._message

    # -- blocks

    def _open(self, body: dict[str, Json]) -> Iterator[StreamEvent]:
        self._begun()
        place, found = body.get("index", self._started), body.get("content_block")
        if not isinstance(found, dict) or not isinstance(place, int) or place in self._blocks or self._stopped:
            raise UpstreamFailed("The upstream started a content block where none can start.")
        kind = found.get("type")
        found = dict(found)
        early = ""
        if kind in ("text", "thinking"):
            early = found.get(kind) or ""
            found[kind] = ""
        part = read_block(found, self._reader.read_state)
        if isinstance(part, ToolCallPart) and not part.name:
            raise UpstreamFailed("The upstream started a tool call without a name.")
        silent = not isinstance(part, TextPart | ReasoningPart | ToolCallPart)
        if isinstance(part, ToolCallPart):
            silent = self._reader.buffers(part)
            part = replace(part, arguments_text="")
        opened = self._reader.opened(part)
        opened = replace(opened, opaque=()) if opened.opaque else opened
        if isinstance(opened, TextPart) and opened.citations:
            opened = replace(opened, citations=())
        block = _Block(
            self._started, str(kind), found, opened, silent, _EVENTS.get(type(opened), ToolCallArgumentsDelta)
        )
        self._blocks[place] = block
        self._started += 1
        return self._opening(block, part, early)

    def _opening(self, block: _Block, part: Part, early: str) -> Iterator[StreamEvent]:
        yield PartStarted(block.index, block.part)
        if not isinstance(early, str):
            raise UpstreamFailed("The upstream started a content block whose text is not a string.")
        if early:
            block.fragments.append(early)
            yield block.event(block.index, early)
        for citation in part.citations if isinstance(part, TextPart) else ():
            yield CitationAdded(block.index, citation)

    def _continued(self, more: Continuation) -> Iterable[StreamEvent] | None:
        block, delta = self._blocks.get(more.index), more.delta
        if block is None or delta.type != block.grows or (text := getattr(delta, block.slot)) is None:
            return None
        block.fragments.append(text)
        return (block.event(block.index, text),) if text and not block.silent else ()

    def _grow(self, body: dict[str, Json]) -> Iterable[StreamEvent]:
        try:
            block, delta = self._blocks[body["index"]], body["delta"]
            kind, text = delta["type"], delta.get(block.slot)
        except (LookupError, TypeError, AttributeError) as error:
            raise UpstreamFailed("The upstream sent a delta for a content block that is not open.") from error
        if kind == block.grows and type(text) is str:
            block.fragments.append(text)
            return (block.event(block.index, text),) if text and not block.silent else ()
        if not isinstance(kind, str) or kind in _GROWING:
            raise UpstreamFailed(f"The upstream sent a {kind} that does not fit a block of type {block.kind}.")
        return self._mark(block, kind, delta)

    def _mark(self, block: _Block, kind: str, delta: dict[str, Json]) -> Iterable[StreamEvent]:
        """Deltas that come once: a signature, a citation, and whatever a newer kind of block brings."""
        match kind:
            case "signature_delta" if block.kind == "thinking" and isinstance(delta.get("signature"), str):
                block.found["signature"] = delta["signature"]
                if not delta["signature"]:
                    return ()
                state = self._reader.read_state(delta["signature"], "thinking_signature").state
                return (OpaqueStateSet(block.index, state),)
            case "citations_delta" if block.kind == "text":
                try:
                    citation = read_citation(delta.get("citation"))
                except Malformed as error:
                    raise UpstreamFailed(f"The upstream sent a citation that can't be read: {error}.") from error
                block.found["citations"] = [*(block.found.get("citations") or ()), delta["citation"]]
                return (CitationAdded(block.index, citation),)
        for name, value in delta.items():
            if name != "type":
                before = block.found.get(name)
                joins = isinstance(before, str) and isinstance(value, str)
                block.found[name] = before + value if joins else value
        return _HEARTBEAT

    def _stop(self, body: dict[str, Json]) -> Iterable[StreamEvent]:
        place = body.get("index")
        block = self._blocks.pop(place, None) if isinstance(place, int) else None
        if block is None:
            raise UpstreamFailed("The upstream ended a content block that is not open.")
        return (self._closed(block),)

    def _closed(self, block: _Block) -> PartFinished:
        found, text = block.found, "".join(block.fragments)
        if block.kind in ("text", "thinking"):
            found[block.kind] = text
        elif isinstance(block.part, HostedToolCallPart) and text:
            found["input"] = arguments.as_object(text)[0]
        elif text:
            found["input"] = {}
        try:
            part = read_block(found, self._reader.read_state)
        except Malformed as error:
            raise UpstreamFailed(f"The upstream sent a block that can't be read: {error}.") from error
        if isinstance(part, ToolCallPart) and text:
            part = replace(part, arguments_text=text, complete=arguments.is_complete(text))
        part = self._reader.closed(part)
        if type(part) is not type(block.part):
            raise UpstreamFailed(
                f"The upstream made something else of a block of type {block.kind} that it had started."
            )
        self._parts.append(part)
        return PartFinished(block.index, part)

    # -- the end

    def _update(self, body: dict[str, Json]) -> Iterable[StreamEvent]:
        """Cumulative: what comes later overwrites, what is left out or null stays."""
        message = self._begun()
        delta, usage = body.get("delta"), body.get("usage")
        more = {name: value for name, value in body.items() if name not in ("type", "delta", "usage")}
        for name, value in {**more, **(delta if isinstance(delta, dict) else {})}.items():
            if value is not None or name not in message:
                message[name] = value
        self._stopped = self._stopped or bool(message.get("stop_reason"))
        if not isinstance(usage, dict):
            return ()
        counts = message["usage"]
        counts.update({name: count for name, count in usage.items() if count is not None or name not in counts})
        found = read_usage(counts)
        return (UsageUpdated(found),) if found else ()

    def _finish(self) -> Iterator[StreamEvent]:
        message = self._begun()
        self._done = True
        for block in list(self._blocks.values()):
            yield self._closed(block)
        self._blocks.clear()
        if not message["usage"]:
            del message["usage"]
        end = ending(message, self._parts)
        yield CandidateFinished(end.finish, end.detail, extensions=end.notes)
        yield ResponseFinished(end.usage, end.service_tier, end.extensions)
