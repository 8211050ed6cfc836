"""The order rules of a stream of events (see `events`), checked. A stream that breaks them is a bug of its decoder."""

from typing import assert_never

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
    AudioPart,
    Part,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
)


class OutOfOrder(Exception):
    """An event came where the order rules don't allow it."""


class StreamOrder:
    """Feed it every event; it raises at the first one out of order. `complete` after `ResponseFinished`."""

    def __init__(self) -> None:
        self._started = False
        self._open: dict[tuple[int, int], type[Part]] = {}
        self._next: dict[int, int] = {}
        self._finished: set[int] = set()
        self.complete = False

    def feed(self, event: StreamEvent) -> None:
        if self.complete:
            raise OutOfOrder(f"{type(event).__name__} after ResponseFinished")
        if not self._started and not isinstance(event, ResponseStarted | Heartbeat):
            raise OutOfOrder(f"{type(event).__name__} before ResponseStarted")
        match event:
            case ResponseStarted():
                if self._started:
                    raise OutOfOrder("ResponseStarted twice")
                self._started = True
            case PartStarted(index, part, candidate):
                self._start(index, part, candidate)
            case PartFinished(index, part, candidate):
                if self._open.pop((candidate, index), None) is not type(part):
                    raise OutOfOrder(
                        f"part {index} of candidate {candidate} finished as {type(part).__name__}: not open so"
                    )
            case TextDelta(index, _, candidate) | CitationAdded(index, _, candidate):
                self._grow(event, (candidate, index), TextPart)
            case RefusalDelta(index, _, candidate):
                self._grow(event, (candidate, index), RefusalPart)
            case ReasoningDelta(index, candidate=candidate):
                self._grow(event, (candidate, index), ReasoningPart)
            case ToolCallArgumentsDelta(index, _, candidate):
                self._grow(event, (candidate, index), ToolCallPart)
            case AudioDelta(index, candidate=candidate):
                self._grow(event, (candidate, index), AudioPart)
            case OpaqueStateSet(index, _, candidate):
                self._grow(event, (candidate, index), None)
            case CandidateFinished(candidate=candidate):
                self._finish(candidate)
            case ResponseFinished():
                if self._open or self._next.keys() - self._finished:
                    raise OutOfOrder("ResponseFinished before every candidate finished")
                self.complete = True
            case UsageUpdated() | Heartbeat() | RawEvent():
                pass
            case _:
                assert_never(event)

    def _start(self, index: int, part: Part, candidate: int) -> None:
        expected = self._next.get(candidate, 0)
        if candidate in self._finished or index != expected:
            raise OutOfOrder(f"part {index} of candidate {candidate} started, {expected} was next")
        if isinstance(part, ToolCallPart) and not part.name:
            raise OutOfOrder("a tool call started before its name was known")
        self._next[candidate] = index + 1
        self._open[candidate, index] = type(part)

    def _grow(self, event: StreamEvent, key: tuple[int, int], kind: type[Part] | None) -> None:
        found = self._open.get(key)
        if found is None or (kind is not None and found is not kind):
            raise OutOfOrder(f"{type(event).__name__} for part {key[1]} of candidate {key[0]}: no such part is open")

    def _finish(self, candidate: int) -> None:
        if candidate in self._finished or any(owner == candidate for owner, _ in self._open):
            raise OutOfOrder(f"candidate {candidate} finished twice, or with parts open")
        self._finished.add(candidate)
