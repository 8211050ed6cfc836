"""An answer's events → ours. Nothing ends a stream but its last byte.

Source: provider sheet kiro, sections 8 to 10."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Literal

from aiproxy.codecs.arguments import as_text, is_complete
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.json_bytes import dump, load_object
from aiproxy.codecs.kiro.encode_request import wants_thinking
from aiproxy.codecs.kiro.errors import exception
from aiproxy.codecs.kiro.open_call import OpenCall
from aiproxy.codecs.kiro.table import NAME
from aiproxy.codecs.kiro.thinking import Piece, TaggedText
from aiproxy.codecs.kiro.tools import KiroTools
from aiproxy.codecs.kiro.usage import Spent
from aiproxy.framing import Frame
from aiproxy.framing.event_stream import ERROR, EXCEPTION
from aiproxy.neutral.carried import Json, OpaqueState
from aiproxy.neutral.errors import UpstreamFailed, UpstreamTruncated
from aiproxy.neutral.events import (
    CandidateFinished,
    Heartbeat,
    OpaqueStateSet,
    PartFinished,
    PartStarted,
    ReasoningDelta,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    TextDelta,
)
from aiproxy.neutral.parts import Part, ReasoningPart, TextPart
from aiproxy.neutral.response import FinishReason

_STOPS: Final[Mapping[str, FinishReason]] = {
    "max_tokens": "length",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "refusal": "refusal",
}
"""What says more than that the answer is over."""


class KiroDecoder:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._tools = KiroTools(exchange.request)
        self._tagged = TaggedText() if wants_thinking(exchange.request) else None
        self._spent = Spent(exchange)
        self._started = False
        self._next = 0  # the index of the part to come; the open one's is one less
        self._open: Literal["", "text", "thinking"] = ""
        self._fragments: list[str] = []
        self._states: list[OpaqueState] = []
        self._call: OpenCall | None = None
        self._said_text = self._called = self._cut = False
        self._stop = ""

    def feed(self, frame: Frame) -> Iterable[StreamEvent]:
        if frame.event.startswith((EXCEPTION, ERROR)):
            raise exception(frame.event.partition(":")[2], frame.data)
        if not self._started:
            self._started = True
            yield ResponseStarted(self._exchange.fresh_id("msg_"), self._exchange.request.model)
        body = load_object(frame.data) if frame.data else {}
        inner = body.get(frame.event)
        yield from self._read(frame.event, inner if isinstance(inner, dict) else body)

    def close(self, *, clean: bool = True) -> Iterable[StreamEvent]:
        if not clean or not self._started:
            raise UpstreamTruncated("The upstream's connection broke off before its answer was whole.")
        yield from self._close_text()
        yield from self._close_call()
        yield CandidateFinished(self._why())
        yield ResponseFinished(self._spent.usage, extensions=self._spent.extensions)

    def _read(self, event: str, body: Mapping[str, Any]) -> Iterator[StreamEvent]:
        if (kind := body.get("_type") or body.get("__type")) or body.get("type") in ("error", "exception"):
            raise exception(str(kind or ""), dump(dict(body)))
        self._spent.hear(body)
        stop = body.get("stopReason") or body.get("stop_reason")
        self._stop = stop.lower() if isinstance(stop, str) else self._stop
        match event:
            case "assistantResponseEvent":
                yield from self._text(_text(body, "content"))
                calls = body.get("toolUses")
                for call in calls if isinstance(calls, list) else ():
                    yield from self._tool({**call, "stop": True} if isinstance(call, dict) else {})
            case "reasoningContentEvent":
                yield from self._thought(body)
            case "toolUseEvent":
                yield from self._tool(body)
            case "invalidStateEvent":
                raise UpstreamFailed(f"The upstream could not go on: {body.get('message') or body.get('reason')}.")
            case _:
                yield Heartbeat()

    # -- text and thinking

    def _text(self, text: str) -> Iterator[StreamEvent]:
        if not text:
            return
        yield from self._close_call()
        yield from self._pieces((("text", text),) if self._tagged is None else self._tagged.feed(text))

    def _thought(self, body: Mapping[str, Any]) -> Iterator[StreamEvent]:
        """In an event of its own, signed as a rule."""
        yield from self._close_call()
        if redacted := _text(body, "redactedContent"):
            yield from self._close_part()
            part = ReasoningPart(redacted=True, opaque=(OpaqueState(NAME, "redacted_thinking", redacted),))
            self._next += 1
            yield PartStarted(self._next - 1, ReasoningPart(redacted=True))
            yield PartFinished(self._next - 1, part)
            return
        if text := _text(body, "text"):
            yield from self._grow("thinking", text)
        if signature := _text(body, "signature"):
            if self._open != "thinking":
                yield from self._grow("thinking", "")
            self._states = [OpaqueState(NAME, "thinking_signature", signature)]
            yield OpaqueStateSet(self._next - 1, self._states[0])

    def _pieces(self, pieces: Iterable[Piece]) -> Iterator[StreamEvent]:
        for kind, text in pieces:
            yield from self._grow(kind, text)

    def _grow(self, kind: Literal["text", "thinking"], fragment: str) -> Iterator[StreamEvent]:
        if self._open != kind:
            yield from self._close_part()
            self._open = kind
            self._next += 1
            yield PartStarted(self._next - 1, TextPart() if kind == "text" else ReasoningPart())
        if not fragment:
            return
        self._fragments.append(fragment)
        if kind == "text":
            self._said_text = True
            yield TextDelta(self._next - 1, fragment)
        else:
            yield ReasoningDelta(self._next - 1, fragment)

    def _close_part(self) -> Iterator[StreamEvent]:
        if not self._open:
            return
        text = "".join(self._fragments)
        self._spent.wrote(text)
        part: Part = (
            ReasoningPart(text=text, opaque=tuple(self._states)) if self._open == "thinking" else TextPart(text)
        )
        self._open, self._fragments, self._states = "", [], []
        yield PartFinished(self._next - 1, part)

    def _close_text(self) -> Iterator[StreamEvent]:
        """All text, also what was held back because it could have become a tag."""
        if self._tagged is not None:
            yield from self._pieces(self._tagged.close())
        yield from self._close_part()

    # -- calls

    def _tool(self, body: Mapping[str, Any]) -> Iterator[StreamEvent]:
        """A piece of a call: of the open one where it doesn't say of which."""
        call_id, name = _text(body, "toolUseId"), _text(body, "name")
        if self._call is None or call_id not in ("", self._call.id):
            yield from self._close_call()
            if not call_id:
                raise UpstreamFailed("The upstream sent a piece of a tool call without saying of which.")
            yield from self._close_text()
            self._call = OpenCall(call_id, self._tools)
        given: Json = body.get("input")
        fragment = given if isinstance(given, str) else "" if given is None else as_text(given)
        if not self._call.named and name:
            self._call.index = self._next
            self._next += 1
        yield from self._call.grow(name, fragment)
        if body.get("stop") is True:
            yield from self._close_call()

    def _close_call(self) -> Iterator[StreamEvent]:
        call, self._call = self._call, None
        if call is None:
            return
        if not call.named:
            raise UpstreamFailed("The upstream sent a tool call without the tool's name.")
        self._called = True
        self._cut = not is_complete(call.arguments)
        self._spent.wrote(call.arguments)
        yield from call.finish(complete=not self._cut)

    # -- the end

    def _why(self) -> FinishReason:
        """Long arguments of tools are cut off without a word; and a model that thought and said nothing was, too."""
        if self._cut or (self._next and not self._called and not self._said_text):
            return "length"
        return _STOPS.get(self._stop, "tool_calls" if self._called else "stop")


def _text(body: Mapping[str, Any], name: str) -> str:
    found = body.get(name)
    if found is None or isinstance(found, str):
        return found or ""
    raise UpstreamFailed(f"The upstream sent an event whose {name} is not a text.")
