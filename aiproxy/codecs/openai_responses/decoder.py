"""An upstream's stream, read. Deltas are believed first; what an item says when it is done fills what they left out, and the last
response what no item brought.

Real streams leave out much: arguments only in the item, text only in the item, items only in the last response, no
`content_part.added`, ids that change on the way. Items are told apart by `output_index`."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.json_bytes import dump, load_object
from aiproxy.codecs.openai_responses.content import read_annotation, read_logprobs
from aiproxy.codecs.openai_responses.errors import hidden
from aiproxy.codecs.openai_responses.growing import Growing, Item, agreed, cut_off
from aiproxy.codecs.openai_responses.observer import DONE, TERMINAL
from aiproxy.codecs.openai_responses.reading import OWN
from aiproxy.codecs.openai_responses.response import ItemReader, finish_of, head, tail
from aiproxy.codecs.openai_responses.table import NAME
from aiproxy.framing import Frame
from aiproxy.framing.sse import COMMENT
from aiproxy.neutral.carried import Json
from aiproxy.neutral.collect import opening
from aiproxy.neutral.errors import UpstreamFailed, UpstreamTruncated
from aiproxy.neutral.events import (
    CandidateFinished,
    CitationAdded,
    Heartbeat,
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
)
from aiproxy.neutral.parts import Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart

_OWN: Mapping[str, Mapping[str, Json]] = {NAME: {OWN: True}}

MOST_SUMMARIES = 4096
"""Summaries of one reasoning item: a number no model comes near, so that a wrong `summary_index` can't fill the memory."""


class _LastText(NamedTuple):
    """Where the last text delta went: (output index, content index), the part's own, and what of it was seen."""

    place: tuple[int, Json]
    part_index: int
    fragments: list[str]


class ResponsesDecoder:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._reader = ItemReader(exchange)
        self._items: dict[int, Item] = {}
        self._finished: list[Part] = []
        self._next = 0
        self._last_text: _LastText | None = None
        self._started = False
        self._done = False
        self._reactions: Mapping[str, Callable[[dict[str, Any]], Iterable[StreamEvent]]] = {
            "response.output_text.delta": self._text_delta,
            "response.refusal.delta": self._refusal_delta,
            "response.reasoning_summary_text.delta": self._summary_delta,
            "response.reasoning_text.delta": self._thought_delta,
            "response.function_call_arguments.delta": self._arguments_delta,
            "response.custom_tool_call_input.delta": self._arguments_delta,
            "response.output_text.annotation.added": self._annotation,
            "response.output_item.added": self._item_added,
            "response.output_item.done": self._item_done,
            "response.created": self._alive,
            "response.in_progress": self._alive,
            "response.queued": self._alive,
            "keepalive": self._alive,
            "response.content_part.added": self._part_added,
            "response.content_part.done": _nothing,
            "response.output_text.done": _nothing,
            "response.refusal.done": _nothing,
            "response.reasoning_text.done": _nothing,
            "response.reasoning_summary_text.done": _nothing,
            "response.reasoning_summary_part.added": _nothing,
            "response.reasoning_summary_part.done": _nothing,
            "response.function_call_arguments.done": _nothing,
            "response.custom_tool_call_input.done": _nothing,
        }

    def feed(self, frame: Frame) -> Iterable[StreamEvent]:
        if self._done or not frame.data or frame.data == DONE:
            return ()
        if frame.event == COMMENT:
            return (Heartbeat(),)
        body = load_object(frame.data, exact=not frame.event.endswith(".delta"))
        kind = body.get("type") or frame.event
        reaction = self._reactions.get(kind) if isinstance(kind, str) else None
        if reaction is None:
            return self._other(kind, body, frame)
        return reaction(body) if self._started else [self._start(body), *reaction(body)]

    def close(self, *, clean: bool = True) -> Iterable[StreamEvent]:  # noqa: ARG002 - the end doesn't depend on it
        if not self._done:
            self._done = True
            raise UpstreamTruncated("The upstream's stream ended before its response was complete.")
        return ()

    def _other(self, kind: Json, body: dict[str, Any], frame: Frame) -> Iterable[StreamEvent]:
        """The end, a failure, or what only this protocol knows."""
        if not isinstance(kind, str):
            raise UpstreamFailed("The upstream sent an event whose type is not a string.")
        if kind in ("response.failed", "error") or body.get("error") is not None:
            self._done = True
            raise hidden(body, frame.data)
        begun: list[StreamEvent] = [] if self._started else [self._start(body)]
        return [*begun, *(self._end(kind, body) if kind in TERMINAL else (RawEvent(NAME, kind, body),))]

    def _start(self, body: dict[str, Any]) -> ResponseStarted:
        self._started = True
        response = body.get("response")
        return ResponseStarted(*head(response if isinstance(response, dict) else {}, self._exchange))

    def _alive(self, body: dict[str, Any]) -> Iterable[StreamEvent]:
        return () if body.get("type") == "response.created" else (Heartbeat(),)

    # Deltas

    def _part_added(self, body: dict[str, Any]) -> Iterable[StreamEvent]:
        found = body.get("part")
        match found.get("type") if isinstance(found, dict) else None:
            case "output_text":
                return self._content(body, TextPart)[0]
            case "refusal":
                return self._content(body, RefusalPart)[0]
            case _:
                return ()  # raw thinking has one of these, too

    def _text_delta(self, body: dict[str, Any]) -> Iterable[StreamEvent]:
        last, logprobs, fragment = self._last_text, body.get("logprobs"), body.get("delta")
        if (
            last is not None
            and last.place == (body.get("output_index"), body.get("content_index"))
            and isinstance(fragment, str)
            and fragment
            and not logprobs
        ):  # the same part as before: most of a stream is this
            last.fragments.append(fragment)
            return (TextDelta(last.part_index, fragment),)
        events, growing = self._content(body, TextPart)
        fragment = _text(body, "delta")
        growing.seen.setdefault(-1, []).append(fragment)
        if growing.hidden:
            return events
        self._last_text = _LastText((body["output_index"], body.get("content_index")), growing.index, growing.seen[-1])
        if not fragment:
            return events
        return [*events, TextDelta(growing.index, fragment, 0, read_logprobs(logprobs) if logprobs else None)]

    def _refusal_delta(self, body: dict[str, Any]) -> Iterable[StreamEvent]:
        events, growing = self._content(body, RefusalPart)
        fragment = _text(body, "delta")
        growing.seen.setdefault(-1, []).append(fragment)
        return [*events, RefusalDelta(growing.index, fragment)] if fragment else events

    def _summary_delta(self, body: dict[str, Any]) -> Iterable[StreamEvent]:
        section = _index(body, "summary_index")
        if section >= MOST_SUMMARIES:
            raise UpstreamFailed(f"The upstream sent a reasoning item of more than {MOST_SUMMARIES} summaries.")
        return self._thought(body, section)

    def _thought_delta(self, body: dict[str, Any]) -> Iterable[StreamEvent]:
        return self._thought(body, -1)

    def _thought(self, body: dict[str, Any], section: int) -> Iterable[StreamEvent]:
        events, growing = self._only(body, "reasoning", ReasoningPart(id=_id(body), extensions=_OWN))
        if not isinstance(growing.part, ReasoningPart):
            raise _mismatch(body)
        fragment = _text(body, "delta")
        growing.seen.setdefault(section, []).append(fragment)
        if not fragment:
            return events
        if section < 0:
            return [*events, ReasoningDelta(growing.index, fragment)]
        return [*events, ReasoningDelta(growing.index, fragment, "summary", section)]

    def _arguments_delta(self, body: dict[str, Any]) -> Iterable[StreamEvent]:
        fragment = _text(body, "delta")
        item = self._item(body, "function_call")
        growing = item.parts.get(0)
        if growing is None:
            item.early.append(fragment)
            return ()
        if not isinstance(growing.part, ToolCallPart):
            raise _mismatch(body)
        growing.seen.setdefault(-1, []).append(fragment)
        if growing.hidden or not fragment:
            return ()
        return (ToolCallArgumentsDelta(growing.index, fragment),)

    def _annotation(self, body: dict[str, Any]) -> Iterable[StreamEvent]:
        if not isinstance(body.get("annotation"), dict):
            return ()
        events, growing = self._content(body, TextPart)
        citation = read_annotation(body["annotation"])
        growing.citations.append(citation)
        return [*events, CitationAdded(growing.index, citation)]

    # Items

    def _item_added(self, body: dict[str, Any]) -> Iterable[StreamEvent]:
        found = body.get("item")
        if not isinstance(found, dict):
            return ()
        kind, place = found.get("type"), _index(body, "output_index")
        if not isinstance(kind, str):
            raise UpstreamFailed("The upstream sent an output item without a type.")
        if place in self._items:
            return ()  # it began with a delta, or comes twice
        item_id = found.get("id")
        item = Item(kind, item_id if isinstance(item_id, str) else None)
        self._items[place] = item
        match kind:
            case "message" | "compaction" | "compaction_summary":
                return ()
            case "reasoning":
                return [self._begin(item, 0, ReasoningPart(id=item.id, extensions=_OWN))]
            case "function_call" | "custom_tool_call":
                if not (found.get("call_id") and found.get("name")):
                    return ()
                field_name = "input" if kind == "custom_tool_call" else "arguments"
                parts = self._reader.read({**found, field_name: ""})
                return self._begin_call(item, parts[0])
            case _:
                parts = self._reader.read(found)
                return [self._begin(item, 0, opening(parts[0]))]

    def _begin_call(self, item: Item, part: Part) -> list[StreamEvent]:
        assert isinstance(part, ToolCallPart)
        event = self._begin(item, 0, opening(part))
        growing = item.parts[0]
        growing.hidden = self._reader.reshapes(part.name)
        growing.seen[-1] = item.early
        early = "".join(item.early)
        return [event, ToolCallArgumentsDelta(growing.index, early)] if early and not growing.hidden else [event]

    def _item_done(self, body: dict[str, Any]) -> Iterable[StreamEvent]:
        found = body.get("item")
        if not isinstance(found, dict):
            return ()
        place = _index(body, "output_index")
        item = self._items.get(place)
        if item is None:
            item = self._items[place] = Item(str(found.get("type")))
        return self._finish(item, found)

    def _finish(self, item: Item, found: dict[str, Any]) -> list[StreamEvent]:
        """The item is whole: its parts begin, where they didn't, and end."""
        if item.done:
            return []
        item.done, self._last_text = True, None
        item.key = _key(found)
        parts = self._reader.read(found) if found.get("type") != "message" or found.get("content") else ()
        if not parts and not item.parts:
            parts = self._reader.read(found)
        events: list[StreamEvent] = []
        for content_index, part in enumerate(parts):
            if content_index not in item.parts:
                events.append(self._begin(item, content_index, opening(part)))
            events.append(self._end_part(item.parts.pop(content_index), part))
        return events + self._end_all(item, "completed")

    def _end_all(self, item: Item, status: str) -> list[StreamEvent]:
        """Ends the parts of an item that did not say so itself."""
        first = min(item.parts, default=0)
        return [
            self._end_part(growing, cut_off(growing, status, is_first=content_index == first))
            for content_index, growing in item.parts.items()
        ]

    def _end_part(self, growing: Growing, part: Part) -> PartFinished:
        if type(part) is not type(growing.part):
            raise UpstreamFailed("The upstream finished an output item as another kind than it began.")
        part = agreed(growing, part)
        self._finished.append(part)
        return PartFinished(growing.index, part)

    def _begin(self, item: Item, content_index: int, part: Part) -> PartStarted:
        growing = Growing(self._next, part)
        growing.hidden = isinstance(part, TextPart) and self._reader.wraps_text
        item.parts[content_index] = growing
        self._next += 1
        return PartStarted(growing.index, part)

    def _item(self, body: dict[str, Any], kind: str) -> Item:
        place = _index(body, "output_index")
        item = self._items.get(place)
        if item is None:
            item = self._items[place] = Item(kind, _id(body))
        if item.done:
            raise UpstreamFailed("The upstream sent a delta for an output item that was done.")
        return item

    def _content(self, body: dict[str, Any], kind: type[TextPart | RefusalPart]) -> tuple[list[StreamEvent], Growing]:
        """The content part a delta belongs to, and the event of its beginning where this is it."""
        item = self._item(body, "message")
        content_index = body.get("content_index", 0)
        growing = item.parts.get(content_index) if isinstance(content_index, int) else None
        if growing is not None:
            if type(growing.part) is not kind:
                raise _mismatch(body)
            return [], growing
        if item.kind != "message":
            raise _mismatch(body)
        content_index = _index(body, "content_index") if "content_index" in body else 0
        event = self._begin(item, content_index, kind(id=item.id, extensions=_OWN))
        return [event], item.parts[content_index]

    def _only(self, body: dict[str, Any], kind: str, part: Part) -> tuple[list[StreamEvent], Growing]:
        item = self._item(body, kind)
        if 0 in item.parts:
            return [], item.parts[0]
        if item.kind != kind:
            raise _mismatch(body)
        return [self._begin(item, 0, part)], item.parts[0]

    # The end

    def _end(self, kind: str, body: dict[str, Any]) -> Iterable[StreamEvent]:
        found = body.get("response")
        response = found if isinstance(found, dict) else {}
        if response.get("error") is not None or response.get("status") == "failed":
            self._done = True
            raise hidden(body, dump(body))
        events: list[StreamEvent] = []
        output = response.get("output")
        if isinstance(output, list):
            events += self._unseen(output)
        status = "completed" if kind == "response.completed" else "incomplete"
        for begun in self._items.values():
            if not begun.done:
                begun.done = True
                events += self._end_all(begun, status)
        self._done = True
        if not isinstance(response.get("status"), str):
            response = {**response, "status": kind.removeprefix("response.")}
        finish, detail = finish_of(response, tuple(self._finished))
        usage, tier, extensions = tail(found if isinstance(found, dict) else {})
        return [*events, CandidateFinished(finish, detail), ResponseFinished(usage, tier, extensions)]

    def _unseen(self, output: list[Json]) -> list[StreamEvent]:
        """Items of the last response that did not come, or did not end, by themselves."""
        if all(item.done for item in self._items.values()) and len(output) <= len(self._items):
            return []
        known = {key: item for item in self._items.values() for key in (item.key, item.id) if key}
        events: list[StreamEvent] = []
        for place, found in enumerate(output):
            if not isinstance(found, dict):
                raise UpstreamFailed("The upstream's response holds an output item that is not an object.")
            at_place = self._items.get(place)
            item = known.get(_key(found) or "")
            if item is None and at_place and at_place.kind == found.get("type"):
                item = at_place
            events += self._finish(item or Item(str(found.get("type"))), found)
        return events


def _nothing(body: dict[str, Any]) -> Iterable[StreamEvent]:  # noqa: ARG001 - what it says comes again with the item
    return ()


def _key(found: Mapping[str, Any]) -> str | None:
    key = found.get("id") or found.get("call_id")
    return key if isinstance(key, str) else None


def _id(body: Mapping[str, Any]) -> str | None:
    item_id = body.get("item_id")
    return item_id if isinstance(item_id, str) else None


def _text(body: Mapping[str, Any], key: str) -> str:
    found = body.get(key)
    if not isinstance(found, str):
        raise UpstreamFailed(f"The upstream sent a stream event whose `{key}` is not a string.")
    return found


def _index(body: Mapping[str, Any], key: str) -> int:
    found = body.get(key)
    if not isinstance(found, int) or found < 0:
        raise UpstreamFailed(f"The upstream sent a stream event whose `{key}` is not a position.")
    return found


def _mismatch(body: Mapping[str, Any]) -> UpstreamFailed:
    return UpstreamFailed(f"The upstream sent {body.get('type')} for an output item of another kind.")
