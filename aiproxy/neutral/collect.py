"""A stream as a whole answer, and a whole answer as a stream: `collect(explode(answer)) == answer`."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import assert_never

from aiproxy.neutral.events import (
    AudioDelta,
    CandidateFinished,
    CitationAdded,
    OpaqueStateSet,
    PartDelta,
    PartFinished,
    PartStarted,
    ReasoningDelta,
    RefusalDelta,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    TextDelta,
    ToolCallArgumentsDelta,
)
from aiproxy.neutral.media import InlineSource
from aiproxy.neutral.order import OutOfOrder, StreamOrder
from aiproxy.neutral.parts import (
    AudioPart,
    CompactionPart,
    DocumentPart,
    HostedToolCallPart,
    HostedToolResultPart,
    ImagePart,
    Part,
    RawPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    VideoPart,
)
from aiproxy.neutral.response import Candidate, GenerateResponse


class Collector:
    """Takes events one by one; `response` is the whole answer once the stream is complete. Wrong order raises `OutOfOrder`."""

    def __init__(self) -> None:
        self._order = StreamOrder()
        self._started: ResponseStarted | None = None
        self._parts: dict[int, dict[int, Part]] = {}
        self._candidates: dict[int, Candidate] = {}
        self._response: GenerateResponse | None = None

    def feed(self, event: StreamEvent) -> None:
        self._order.feed(event)
        match event:
            case ResponseStarted():
                self._started = event
            case PartFinished(part_index, part, candidate):
                self._parts.setdefault(candidate, {})[part_index] = part
            case CandidateFinished(finish, detail, index, extensions):
                finished = self._parts.get(index, {})
                parts = tuple(part for _, part in sorted(finished.items(), key=lambda item: item[0]))
                self._candidates[index] = Candidate(index, parts, finish, detail, extensions)
            case ResponseFinished(usage, service_tier, extensions, timing):
                assert self._started is not None
                candidates = tuple(self._candidates[index] for index in sorted(self._candidates))
                self._response = GenerateResponse(
                    self._started.id,
                    self._started.model,
                    self._started.created,
                    candidates,
                    usage,
                    service_tier,
                    extensions,
                    timing,
                )
            case _:
                pass  # a finished part holds all its deltas brought

    @property
    def complete(self) -> bool:
        return self._response is not None

    @property
    def response(self) -> GenerateResponse:
        if self._response is None:
            raise OutOfOrder("the stream ended before ResponseFinished")
        return self._response


def collect(events: Iterable[StreamEvent]) -> GenerateResponse:
    collector = Collector()
    for event in events:
        collector.feed(event)
    return collector.response


def explode(response: GenerateResponse) -> Iterator[StreamEvent]:
    yield ResponseStarted(response.id, response.model, response.created)
    for candidate in response.candidates:
        for part_index, part in enumerate(candidate.parts):
            yield PartStarted(part_index, opening(part), candidate.index)
            yield from _deltas(part, part_index, candidate.index)
            yield PartFinished(part_index, part, candidate.index)
        yield CandidateFinished(candidate.finish, candidate.finish_detail, candidate.index, candidate.extensions)
    yield ResponseFinished(response.usage, response.service_tier, response.extensions, response.timing)


def opening(part: Part) -> Part:
    """The part as its `PartStarted` shows it: kind and names, without what its deltas will bring."""
    match part:
        case TextPart():
            return replace(part, text="", citations=(), logprobs=None, opaque=())
        case RefusalPart():
            return replace(part, text="", logprobs=None, opaque=())
        case ReasoningPart():
            return replace(part, text="", summaries=(), opaque=())
        case ToolCallPart():
            return replace(part, arguments_text="", opaque=())
        case AudioPart(source=InlineSource(media_type, _)):
            return replace(part, source=InlineSource(media_type, ""), transcript=None, opaque=())
        case (
            AudioPart()
            | ImagePart()
            | VideoPart()
            | DocumentPart()
            | ToolResultPart()
            | HostedToolCallPart()
            | HostedToolResultPart()
            | CompactionPart()
            | RawPart()
        ):
            return replace(part, opaque=())
        case _:
            assert_never(part)


def _deltas(part: Part, index: int, candidate: int) -> Iterator[PartDelta]:
    match part:
        case TextPart(text=text, citations=citations, logprobs=logprobs):
            if text or logprobs is not None:
                yield TextDelta(index, text, candidate, logprobs)
            for citation in citations:
                yield CitationAdded(index, citation, candidate)
        case RefusalPart(text=text, logprobs=logprobs):
            if text or logprobs is not None:
                yield RefusalDelta(index, text, candidate, logprobs)
        case ReasoningPart(text=text, summaries=summaries):
            for section, summary in enumerate(summaries):
                yield ReasoningDelta(index, summary, "summary", section, candidate)
            if text:
                yield ReasoningDelta(index, text, "raw", 0, candidate)
        case ToolCallPart(arguments_text=text):
            if text:
                yield ToolCallArgumentsDelta(index, text, candidate)
        case AudioPart(source=InlineSource(_, data), transcript=transcript):
            if data:
                yield AudioDelta(index, data, "data", candidate)
            if transcript:
                yield AudioDelta(index, transcript, "transcript", candidate)
        case _:
            pass  # the other kinds come whole with PartFinished
    for state in part.opaque:
        yield OpaqueStateSet(index, state, candidate)
