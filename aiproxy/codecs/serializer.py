"""Interleaved parts made strictly sequential, for protocols that show one open block at a time (Anthropic, Responses)."""

from collections import deque
from collections.abc import Iterator
from typing import assert_never

from aiproxy.neutral.events import (
    AudioDelta,
    CandidateFinished,
    CitationAdded,
    Heartbeat,
    OpaqueStateSet,
    PartDelta,
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


class Serializer:
    """Passes the oldest unfinished part through and holds every later one until its turn comes. Ends as the stream ends."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[int, int], deque[PartStarted | PartDelta | PartFinished | CandidateFinished]] = {}
        self._current: tuple[int, int] | None = None

    def feed(self, event: StreamEvent) -> Iterator[StreamEvent]:
        match event:
            case (
                PartStarted()
                | TextDelta()
                | RefusalDelta()
                | ReasoningDelta()
                | ToolCallArgumentsDelta()
                | AudioDelta()
                | CitationAdded()
                | OpaqueStateSet()
                | PartFinished()
            ):
                yield from self._part(event)
            case CandidateFinished(candidate=candidate):
                held = [queue for key, queue in self._waiting.items() if key[0] == candidate]
                if held:
                    held[-1].append(event)
                else:
                    yield event
            case ResponseStarted() | UsageUpdated() | ResponseFinished() | Heartbeat() | RawEvent():
                yield event
            case _:
                assert_never(event)

    def _part(self, event: PartStarted | PartDelta | PartFinished) -> Iterator[StreamEvent]:
        key = event.candidate, event.part_index
        if self._current is None:
            self._current = key
        if key != self._current:
            self._waiting.setdefault(key, deque()).append(event)
            return
        yield event
        if isinstance(event, PartFinished):
            yield from self._next()

    def _next(self) -> Iterator[StreamEvent]:
        """The current part is done: empty the oldest held one, and the next, as long as they are finished too."""
        self._current = None
        while self._waiting:
            self._current = next(iter(self._waiting))
            held = self._waiting.pop(self._current)
            yield from held
            if not isinstance(held[-1], PartFinished | CandidateFinished):
                return
            self._current = None
