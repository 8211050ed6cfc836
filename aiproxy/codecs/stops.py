"""Stop sequences done by the gateway, for upstreams that take none or fewer than the client gave."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.events import (
    CandidateFinished,
    PartFinished,
    PartStarted,
    ResponseFinished,
    StreamEvent,
    TextDelta,
    UsageUpdated,
)
from aiproxy.neutral.parts import TextPart
from aiproxy.neutral.usage import Usage

LONGEST_STOP = 4096
"""Characters of one stop sequence: what is held back is compared with it at every delta."""


class StopMatcher:
    """Searches text that comes in pieces; finds what a search of the whole would: the match that ends first, of those the longest."""

    def __init__(self, stops: Sequence[str]) -> None:
        if any(len(stop) > LONGEST_STOP for stop in stops):
            raise InvalidRequest(f"A stop sequence may have at most {LONGEST_STOP} characters.", param="stop")
        self._stops = tuple(stop for stop in stops if stop)
        self._held = ""

    def feed(self, text: str) -> tuple[str, str | None]:
        """(text that is free to go, the stop sequence that ended it). After a match feed no more."""
        text = self._held + text
        found = [(start + len(stop), start, stop) for stop in self._stops if (start := text.find(stop)) >= 0]
        if found:
            _, start, stop = min(found)
            self._held = ""
            return text[:start], stop
        held = max((self._overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - held :]
        return text[: len(text) - held], None

    def close(self) -> str:
        """What was held back for a match that never came."""
        held, self._held = self._held, ""
        return held

    @staticmethod
    def _overlap(text: str, stop: str) -> int:
        """The length of the longest end of the text that a stop sequence begins with."""
        start = text.find(stop[0], max(0, len(text) - len(stop) + 1))
        while start >= 0:
            if stop.startswith(text[start:]):
                return len(text) - start
            start = text.find(stop[0], start + 1)
        return 0


class StopSequences:
    """A stage between decoder and encoder, behind a `Serializer`: it ends a candidate at its first stop sequence in visible text.

    `ended` once every candidate was: the upstream may be cancelled, the stream is finished."""

    def __init__(self, stops: Sequence[str], candidates: int = 1) -> None:
        self._stops = stops
        self._candidates = candidates
        self._matcher = StopMatcher(stops)
        self._shown: list[str] = []
        self._stopped: set[int] = set()
        self._usage: Usage | None = None
        self.ended = False

    def feed(self, event: StreamEvent) -> Iterator[StreamEvent]:
        if self.ended or getattr(event, "candidate", None) in self._stopped:
            return
        match event:
            case PartStarted(part=TextPart()):
                self._matcher, self._shown = StopMatcher(self._stops), []
                yield event
            case TextDelta(index, fragment, candidate):
                yield from self._grow(event, index, fragment, candidate)
            case PartFinished(index, TextPart() as part, candidate):
                unseen = part.text.removeprefix("".join(self._shown))
                yield from self._finish(event, index, unseen, candidate)
            case UsageUpdated(usage):
                self._usage = usage
                yield event
            case _:
                yield event

    def _grow(self, event: TextDelta, index: int, fragment: str, candidate: int) -> Iterator[StreamEvent]:
        free, stop = self._matcher.feed(fragment)
        if free:
            self._shown.append(free)
            yield replace(event, fragment=free)
        if stop is not None:
            yield from self._stop(index, candidate, stop)

    def _finish(self, event: PartFinished, index: int, unseen: str, candidate: int) -> Iterator[StreamEvent]:
        """The whole text is known: what no delta brought is searched too, what was held is set free."""
        self._matcher.close()
        free, stop = self._matcher.feed(unseen)
        free += "" if stop else self._matcher.close()
        if free:
            self._shown.append(free)
            yield TextDelta(index, free, candidate)
        if stop is None:
            yield event
        else:
            yield from self._stop(index, candidate, stop)

    def _stop(self, index: int, candidate: int, stop: str) -> Iterator[StreamEvent]:
        yield PartFinished(index, TextPart("".join(self._shown)), candidate)
        yield CandidateFinished("stop_sequence", stop, candidate)
        self._stopped.add(candidate)
        if len(self._stopped) == self._candidates:
            self.ended = True
            yield ResponseFinished(self._usage)
