"""Sources that listen to another one: for what is to be remembered of an answer and where its state is at home, for a
summary, for its time."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from aiproxy.codecs.opaque import within
from aiproxy.gateway.lanes import Source
from aiproxy.gateway.stopwatch import Stopwatch
from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.neutral.events import (
    CandidateFinished,
    Heartbeat,
    OpaqueStateSet,
    PartFinished,
    PartStarted,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    UsageUpdated,
)
from aiproxy.neutral.parts import CompactionPart, Part, TextPart, ToolCallPart


class RememberedSource:
    """Another source's events; `remember` is handed the first candidate's parts before its end is told."""

    def __init__(self, source: Source, remember: Callable[[Sequence[Part]], None]) -> None:
        self._source = source
        self._remember = remember
        self._parts: dict[int, Part] = {}

    @property
    def ended(self) -> bool:
        return self._source.ended

    def feed(self, data: bytes) -> Iterable[StreamEvent]:
        return self._heard(self._source.feed(data))

    def close(self, *, clean: bool) -> Iterable[StreamEvent]:
        return self._heard(self._source.close(clean=clean))

    def _heard(self, events: Iterable[StreamEvent]) -> Iterator[StreamEvent]:
        for event in events:
            if type(event) is PartFinished and not event.candidate:
                self._parts[event.part_index] = event.part
            elif type(event) is ResponseFinished:
                self._remember([self._parts[index] for index in sorted(self._parts)])
            yield event


class ScopedSource:
    """Another source's events, with opaque state that is good in this scope only."""

    def __init__(self, source: Source, scope: str) -> None:
        self._source = source
        self._scope = scope

    @property
    def ended(self) -> bool:
        return self._source.ended

    def feed(self, data: bytes) -> Iterable[StreamEvent]:
        return map(self._scoped, self._source.feed(data))

    def close(self, *, clean: bool) -> Iterable[StreamEvent]:
        return map(self._scoped, self._source.close(clean=clean))

    def _scoped(self, event: StreamEvent) -> StreamEvent:
        match event:
            case OpaqueStateSet():
                return replace(event, state=replace(event.state, scope=self._scope))
            case PartStarted() | PartFinished():
                return replace(event, part=within(self._scope, event.part)) if event.part.opaque else event
            case _:
                return event


class TimedSource:
    """Another source's events, with how long they took at their end."""

    def __init__(self, source: Source, stopwatch: Stopwatch) -> None:
        self._source = source
        self._stopwatch = stopwatch

    @property
    def ended(self) -> bool:
        return self._source.ended

    def feed(self, data: bytes) -> Iterable[StreamEvent]:
        return self._timed(self._source.feed(data))

    def close(self, *, clean: bool) -> Iterable[StreamEvent]:
        return self._timed(self._source.close(clean=clean))

    def _timed(self, events: Iterable[StreamEvent]) -> Iterator[StreamEvent]:
        for event in events:
            match event:
                case ResponseStarted() | UsageUpdated() | Heartbeat():
                    yield event
                case ResponseFinished():
                    yield replace(event, timing=self._stopwatch.read())
                case _:
                    self._stopwatch.first_word()
                    yield event


class SummarySource:
    """Another source's answer as the one part that stands for the history it was asked to sum up. Raises `UpstreamFailed`
    for an answer that is no whole summary: none is invented."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._summary = ""
        self._fault = ""

    @property
    def ended(self) -> bool:
        return self._source.ended

    def feed(self, data: bytes) -> Iterable[StreamEvent]:
        return self._told(self._source.feed(data))

    def close(self, *, clean: bool) -> Iterable[StreamEvent]:
        return self._told(self._source.close(clean=clean))

    def _told(self, events: Iterable[StreamEvent]) -> Iterator[StreamEvent]:
        for event in events:
            match event:
                case ResponseStarted() | UsageUpdated() | Heartbeat():
                    yield event
                case PartFinished(_, TextPart(text=text), 0):
                    self._summary += text
                case PartFinished(_, ToolCallPart(), 0):
                    self._fault = "called a tool"
                case CandidateFinished(finish=finish, candidate=0) if finish not in ("stop", "stop_sequence"):
                    self._fault = self._fault or f"ended with {finish!r}"
                case ResponseFinished():
                    yield from self._finished(event)
                case _:
                    pass

    def _finished(self, event: ResponseFinished) -> Iterator[StreamEvent]:
        fault = self._fault or ("" if self._summary.strip() else "said nothing")
        if fault:
            told = f"The model was asked to sum up the conversation and {fault} instead. Try again."
            raise UpstreamFailed(told, upstream_status=200)
        part = CompactionPart(self._summary)
        yield PartStarted(0, CompactionPart())
        yield PartFinished(0, part)
        yield CandidateFinished("compaction")
        yield ResponseFinished(event.usage, event.service_tier)
