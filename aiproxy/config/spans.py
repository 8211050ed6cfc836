"""Where in a YAML text each value stands, to the character: for edits that leave everything else as it is."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from ruamel.yaml import YAML
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

Kind = Literal["scalar", "items", "entries", "alias"]


@dataclass(frozen=True, slots=True)
class Span:
    """`start` and `end` are offsets; what is absent has both after the mark that it should follow (`key:`, `-`). `quote` is a
    scalar's style: "", `'`, `"`, `|` or `>`. `anchors` are the names of all anchors in it."""

    start: int
    end: int
    kind: Kind
    flow: bool = False
    text: str = ""
    quote: str = ""
    keys: tuple["Span", ...] = ()
    values: tuple["Span", ...] = ()
    anchors: frozenset[str] = frozenset()

    @property
    def empty(self) -> bool:
        return self.kind == "scalar" and self.start == self.end

    def place_of(self, key: str) -> int | None:
        """Which of its own entries (not a merged one) a mapping has under this key."""
        return next((place for place, name in enumerate(self.keys) if name.text == key), None)


@dataclass
class Spans:
    """The spans of a text that parses; `aliased` are the anchors that are used."""

    text: str
    aliased: set[str] = field(default_factory=set)

    def read(self) -> Span:
        events = YAML(typ="safe", pure=True).parse(self.text)
        root = Span(len(self.text), len(self.text), "scalar")
        for event in events:
            if not isinstance(event, StreamStartEvent | StreamEndEvent | DocumentStartEvent | DocumentEndEvent):
                root = self._span(event, events, len(self.text))
        return root

    def _span(self, event: Any, events: Iterator[Any], after: int) -> Span:
        """`after` is where an absent value would stand."""
        start, end = event.start_mark.index, event.end_mark.index
        anchors = frozenset() if event.anchor is None or isinstance(event, AliasEvent) else frozenset((event.anchor,))
        match event:
            case AliasEvent():
                self.aliased.add(event.anchor)
                return Span(start, end, "alias", text=event.anchor)
            case ScalarEvent():
                if start == end:
                    return Span(after, after, "scalar", anchors=anchors)
                if event.style in ("|", ">"):
                    end = start + len(self.text[start:end].rstrip())
                return Span(start, end, "scalar", text=event.value, quote=event.style or "", anchors=anchors)
            case SequenceStartEvent():
                return self._items(event, events, start, anchors)
            case _:
                assert isinstance(event, MappingStartEvent)
                return self._entries(event, events, start, anchors)

    def _items(self, started: Any, events: Iterator[Any], start: int, anchors: frozenset[str]) -> Span:
        values: list[Span] = []
        end = started.end_mark.index
        for event in events:
            if isinstance(event, SequenceEndEvent):
                end = event.end_mark.index if started.flow_style else end
                break
            dash = end if started.flow_style else self.token(end) + 1
            values.append(self._span(event, events, dash))
            end = values[-1].end
        anchors = anchors.union(*(value.anchors for value in values))
        return Span(start, end, "items", bool(started.flow_style), values=tuple(values), anchors=anchors)

    def _entries(self, started: Any, events: Iterator[Any], start: int, anchors: frozenset[str]) -> Span:
        keys: list[Span] = []
        values: list[Span] = []
        end = started.end_mark.index
        for event in events:
            if isinstance(event, MappingEndEvent):
                end = event.end_mark.index if started.flow_style else end
                break
            keys.append(self._span(event, events, end))
            colon = self.text.find(":", keys[-1].end) + 1 or keys[-1].end
            values.append(self._span(next(events), events, colon))
            end = values[-1].end
        anchors = anchors.union(*(span.anchors for span in (*keys, *values)))
        return Span(
            start, end, "entries", bool(started.flow_style), keys=tuple(keys), values=tuple(values), anchors=anchors
        )

    def token(self, at: int) -> int:
        """The next character that is neither blank nor in a comment."""
        while at < len(self.text):
            if self.text[at] == "#":
                at = self.line_end(at)
            elif not self.text[at].isspace():
                return at
            else:
                at += 1
        return at

    def line_start(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def line_end(self, at: int) -> int:
        """Before the line's break."""
        found = self.text.find("\n", at)
        end = len(self.text) if found < 0 else found
        return end - 1 if end > at and self.text[end - 1] == "\r" else end

    def column(self, at: int) -> int:
        return at - self.line_start(at)

    def alone_before(self, at: int) -> bool:
        """Whether nothing but blanks stands before this place on its line."""
        return not self.text[self.line_start(at) : at].strip()
