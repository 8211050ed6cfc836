"""Events → a client's stream. Source: Anthropic API reference, streaming messages.

    stream = message_start ping { ping | block } message_delta message_stop
    block  = content_block_start { content_block_delta } content_block_stop        one open at a time, index 0, 1, 2 …

A block opens with the first thing it shows, so that empty ones never appear. A tool call waits for its second piece: a call that
comes whole (Gemini's) brings state that must stand in a thinking block before it."""

from collections.abc import Mapping, Sequence
from typing import assert_never

from aiproxy.codecs import arguments, freeform
from aiproxy.codecs.anthropic_messages import response
from aiproxy.codecs.anthropic_messages.answer_blocks import SECTIONS, AnswerWriter
from aiproxy.codecs.anthropic_messages.errors import error_event
from aiproxy.codecs.anthropic_messages.read_blocks import SIGNATURE
from aiproxy.codecs.anthropic_messages.table import NAME
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.fields import restore
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.serializer import Serializer
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.events import (
    AudioDelta,
    CandidateFinished,
    CitationAdded,
    Heartbeat,
    OpaqueStateSet,
    PartFinished,
    PartStarted,
    RawEvent,
    ReasoningDelta,
    RefusalDelta,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    TextDelta,
    ToolCallArgumentsDelta,
    UsageUpdated,
)
from aiproxy.neutral.parts import (
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)

PING = b'event: ping\ndata: {"type":"ping"}\n\n'
KEEP_ALIVE = b": keep-alive\n\n"
"""Before `message_start` no event may come, a ping neither."""

_DELTA_END = b"}}\n\n"

_INPUT = (("input", ("input_json_delta", "partial_json")),)

_GROWING: Mapping[str, Sequence[tuple[str, tuple[str, str]]]] = {
    "text": (("text", ("text_delta", "text")),),
    "thinking": (("thinking", ("thinking_delta", "thinking")), ("signature", ("signature_delta", "signature"))),
    "server_tool_use": _INPUT,
    "mcp_tool_use": _INPUT,
}
"""Kind of block → what of it comes in deltas: its field, the delta's type and field."""


class MessagesEncoder:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._writer = AnswerWriter(exchange)
        self._serializer = Serializer()
        self._begun = self._ended = self._refused = False
        self._index = -1  # of the block that is open, or was last
        self._end: CandidateFinished | None = None
        self._reset()

    def _reset(self) -> None:
        """No part is current, no block open."""
        self._part: Part | None = None
        self._part_index = -1
        self._open = False
        self._prefix = b""  # of the open block's deltas, up to the text itself
        self._sent = 0  # characters of the current part's text that were shown
        self._cited = 0
        self._held: str | None = None  # the first piece of a tool call's arguments
        self._section: tuple[str, int] | None = None

    def feed(self, event: StreamEvent) -> bytes:
        if isinstance(event, (TextDelta, ToolCallArgumentsDelta, ReasoningDelta)) and self._open and not self._ended:
            # Most of every stream: it goes on in the block that is open.
            fragment = event.fragment
            if event.part_index == self._part_index and not event.candidate and fragment and self._goes_on(event):
                self._sent += len(fragment)
                return self._prefix + dump(fragment) + _DELTA_END
        if self._ended or getattr(event, "candidate", None):
            return b""  # candidates beyond the first were not asked for and have no place
        return b"".join(map(self._write, self._serializer.feed(event)))

    def fail(self, error: GatewayError) -> bytes:
        self._ended = True
        return error_event(error, self._exchange.request_id)

    def _write(self, event: StreamEvent) -> bytes:
        match event:
            case ResponseStarted():
                return self._start(event)
            case PartStarted(index, part):
                self._part, self._part_index = part, index
                self._refused = self._refused or isinstance(part, RefusalPart)
                return b""
            case TextDelta(fragment=fragment) | RefusalDelta(fragment=fragment):
                return self._grow("text", fragment)
            case ReasoningDelta():
                return self._think(event)
            case ToolCallArgumentsDelta(fragment=fragment):
                return self._call(fragment)
            case CitationAdded(_, citation):
                self._cited += 1
                return self._cite(self._writer.citation(citation))
            case PartFinished(_, part):
                written = self._finish(part)
                self._reset()
                return written
            case CandidateFinished():
                self._end = event
                return b""
            case ResponseFinished():
                return self._close(event)
            case Heartbeat():
                return PING if self._begun else KEEP_ALIVE
            case RawEvent(protocol, name, found):
                return _event(name, found) if protocol == NAME and name.isidentifier() else b""
            case OpaqueStateSet() | UsageUpdated() | AudioDelta():
                return b""  # the finished part and the end of the stream say it
            case _:
                assert_never(event)

    def _start(self, event: ResponseStarted) -> bytes:
        self._begun = True
        counts = response.usage(event.usage, None, self._exchange)
        message = {
            **response.envelope(event.id, self._exchange),
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": counts,
        }
        return _event("message_start", {"type": "message_start", "message": message}) + PING

    def _goes_on(self, event: TextDelta | ToolCallArgumentsDelta | ReasoningDelta) -> bool:
        return not isinstance(event, ReasoningDelta) or self._section == (event.channel, event.section)

    # -- the current part

    def _opened(self, kind: str) -> bytes:
        """Starts the block of the current part, unless it is open."""
        if self._open:
            return b""
        part = self._part
        block: dict[str, Json]
        if isinstance(part, ToolCallPart):
            block, delta = self._writer.opened_call(part), b'"input_json_delta","partial_json":'
        elif kind == "thinking":
            block = {"type": "thinking", "thinking": "", "signature": ""}
            delta = b'"thinking_delta","thinking":'
        else:
            block = {"type": "text", "text": ""}
            delta = b'"text_delta","text":'
        if part is not None and not isinstance(part, ToolCallPart):
            restore(part.extensions, NAME, block)
        return self._begin(block, delta)

    def _begin(self, block: dict[str, Json], delta: bytes) -> bytes:
        self._open = True
        self._index += 1
        start = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":'
        self._prefix = start % self._index + delta
        return _event(
            "content_block_start", {"type": "content_block_start", "index": self._index, "content_block": block}
        )

    def _grow(self, kind: str, fragment: str) -> bytes:
        if not fragment:
            return b""
        opened = self._opened(kind)
        self._sent += len(fragment)
        return opened + self._prefix + dump(fragment) + _DELTA_END

    def _think(self, event: ReasoningDelta) -> bytes:
        """Summaries, where the first thing that comes is one, else the thinking itself: the same text is not shown twice."""
        if not self._writer.shows_thinking or (self._section and self._section[0] != event.channel):
            return b""
        before, self._section = self._section, (event.channel, event.section)
        parted = SECTIONS if before and before[1] != event.section and event.channel == "summary" else ""
        return self._grow("thinking", parted + event.fragment)

    def _call(self, fragment: str) -> bytes:
        part = self._part
        if not fragment or not isinstance(part, ToolCallPart) or part.arguments_kind == "freeform":
            return b""
        if self._open:
            return self._grow("tool_use", fragment)
        if self._held is None:
            self._held = fragment
            return b""
        held, self._held = self._held, None
        return self._grow("tool_use", held) + self._grow("tool_use", fragment)

    def _cite(self, citation: dict[str, Json] | None) -> bytes:
        if citation is None:
            return b""
        return self._opened("text") + self._delta({"type": "citations_delta", "citation": citation})

    def _finish(self, part: Part) -> bytes:
        """What the finished part says beyond its deltas, and the end of its block."""
        match part:
            case TextPart(text=text, citations=citations):
                cited = map(self._writer.citation, citations[self._cited :])
                return self._grow("text", text[self._sent :]) + b"".join(map(self._cite, cited)) + self._stop()
            case RefusalPart(text=text):
                return self._grow("text", text[self._sent :]) + self._stop()
            case ReasoningPart():
                return self._finish_thinking(part)
            case ToolCallPart():
                return self._finish_call(part)
            case _:
                return b"".join(map(self._whole, self._writer.blocks(part)))

    def _finish_thinking(self, part: ReasoningPart) -> bytes:
        blocks = self._writer.blocks(part)
        if not self._open and (not blocks or blocks[0]["type"] != "thinking"):
            return b"".join(map(self._whole, blocks))
        told = part.text if self._section and self._section[0] == "raw" else self._writer.thinking(part)
        written = self._opened("thinking") + self._grow("thinking", told[self._sent :])
        if part.opaque or SIGNATURE not in part.extensions.get(NAME, {}):
            written += self._delta({"type": "signature_delta", "signature": self._writer.signature(part)})
        return written + self._stop()

    def _finish_call(self, part: ToolCallPart) -> bytes:
        text = freeform.wrap(part.arguments_text) if part.arguments_kind == "freeform" else part.arguments_text
        written = b""
        if not self._open:
            written = b"".join(map(self._whole, self._writer.carriers(part.opaque)))
            self._part, self._open = part, False
            written += self._opened("tool_use")
            if not arguments.as_object(text)[1] and not text.lstrip().startswith("{"):
                text = dump({arguments.RAW: text}).decode()  # clients stop at what can't be the beginning of an object
        return written + self._grow("tool_use", text[self._sent :]) + self._stop()

    def _whole(self, block: dict[str, Json]) -> bytes:
        """A block that is known at once, shown as if it had grown: clients read what grows in the deltas."""
        grown = [(name, delta) for name, delta in _GROWING.get(block["type"], ()) if block.get(name)]
        empty: dict[str, Json] = {name: {} if name == "input" else "" for name, _ in grown}
        written = self._begin({**block, **empty}, b"")
        for name, (kind, slot) in grown:
            value = dump(block[name]).decode() if name == "input" else block[name]
            written += self._delta({"type": kind, slot: value})
        return written + self._stop()

    def _delta(self, delta: dict[str, Json]) -> bytes:
        return _event("content_block_delta", {"type": "content_block_delta", "index": self._index, "delta": delta})

    def _stop(self) -> bytes:
        if not self._open:
            return b""
        self._open = False
        return b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n' % self._index

    # -- the end

    def _close(self, event: ResponseFinished) -> bytes:
        end = self._end or CandidateFinished("stop")
        try:
            delta = response.stop(end.finish, end.detail, end.extensions, refused=self._refused)
        except GatewayError as error:
            return self.fail(error)
        self._ended = True
        rest = dict(event.extensions.get(NAME, {}))
        if "container" in rest:
            delta["container"] = rest.pop("container")
        body = {
            "type": "message_delta",
            "delta": delta,
            "usage": response.usage(event.usage, event.service_tier, self._exchange),
        }
        restore({NAME: rest}, NAME, body)
        return _event("message_delta", body) + b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def _event(name: str, body: Json) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), dump(body))
