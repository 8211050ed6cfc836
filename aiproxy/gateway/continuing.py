"""A plain text that breaks off goes on at another account (`continue-streams`): that one gets the text so far as the beginning
of its own answer, and the client sees one answer, of two parts. Blanks at the break are left out of that beginning (Anthropic takes
none that ends with one), and of the second answer as far as it says them again. Once a call, and never inside a tool call or after signed
thinking, which only the account that began them could end. The client's side, the lane, stays the same."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import takewhile

from aiproxy.gateway.lanes import Source, TranslateLane
from aiproxy.neutral.events import (
    CandidateFinished,
    Heartbeat,
    PartFinished,
    PartStarted,
    RawEvent,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    TextDelta,
    UsageUpdated,
)
from aiproxy.neutral.parts import TextPart
from aiproxy.neutral.usage import Usage


class ContinuedSource:
    """The events of an answer, and after `go_on` those of another one as if they were its own."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._fragments: list[str] = []
        self._usage = self._before = Usage()
        self._closing: PartFinished | None = None
        self._second = False
        self._blanks = ""
        """At the end of the first answer, which the second may say again."""
        self._again = 0
        """How many of them the second has said at its beginning."""
        self.able = True
        """Whether it is nothing but an open text, of the first account."""

    @property
    def text(self) -> str:
        return "".join(self._fragments)

    @property
    def beginning(self) -> str:
        """What another account goes on from."""
        return self.text.rstrip()

    @property
    def ended(self) -> bool:
        return self._source.ended

    def feed(self, data: bytes) -> Iterable[StreamEvent]:
        return self._joined(self._source.feed(data))

    def close(self, *, clean: bool) -> Iterable[StreamEvent]:
        return self._joined(self._source.close(clean=clean))

    def go_on(self, source: Source) -> None:
        self._source, self._second = source, True
        self._before = self._usage
        self._blanks = self.text[len(self.beginning) :]
        self._closing = PartFinished(0, TextPart(text=self.text))

    def _joined(self, events: Iterable[StreamEvent]) -> Iterator[StreamEvent]:
        for event in events:
            match event:
                case UsageUpdated(usage):
                    self._usage = self._before.plus(usage)
                    yield UsageUpdated(self._usage)
                case ResponseFinished(usage) if usage is not None:
                    yield replace(event, usage=self._before.plus(usage))
                case _ if self._second:
                    yield from self._shifted(event)
                case TextDelta(part_index=0, fragment=fragment, candidate=0):
                    self._fragments.append(fragment)
                    yield event
                case ResponseStarted() | Heartbeat() | PartStarted(0, TextPart(), 0):
                    yield event
                case _:
                    self.able = False
                    yield event

    def _shifted(self, event: StreamEvent) -> Iterator[StreamEvent]:
        """An event of the second answer, whose parts come after the text that broke off."""
        match event:
            case ResponseStarted() | RawEvent() | UsageUpdated():
                return
            case Heartbeat():
                yield event
                return
        self.able = False
        if self._closing is not None:
            yield self._closing
            self._closing = None
        match event:
            case CandidateFinished() | ResponseFinished():
                yield event
            case TextDelta(fragment=fragment) if self._blanks:
                pairs = zip(self._blanks, fragment, strict=False)
                again = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
                self._blanks = self._blanks[again:] if again == len(fragment) else ""
                self._again += again
                if again < len(fragment):
                    yield replace(event, part_index=event.part_index + 1, fragment=fragment[again:])
            case PartFinished(part=TextPart() as part):
                said, self._again, self._blanks = self._again, 0, ""
                yield replace(event, part_index=event.part_index + 1, part=replace(part, text=part.text[said:]))
            case _:
                yield replace(event, part_index=event.part_index + 1)


class Continuation:
    """Of one call. `waiting`: its stream has broken off, the client hasn't been told, and another account may go on."""

    def __init__(self) -> None:
        self.waiting = False
        self._source: ContinuedSource | None = None
        self._lane: TranslateLane | None = None

    @property
    def possible(self) -> bool:
        return self._source is not None and self._source.able and bool(self._source.beginning)

    @property
    def beginning(self) -> str:
        """What the client has got so far, but for blanks at its end."""
        assert self._source is not None
        return self._source.beginning

    @property
    def lane(self) -> TranslateLane:
        assert self._lane is not None
        return self._lane

    def begin(self, source: Source) -> ContinuedSource:
        """Around the source of an answer that may break off; then comes `keep`."""
        self._source = ContinuedSource(source)
        return self._source

    def keep(self, lane: TranslateLane) -> None:
        self._lane = lane

    def go_on(self, source: Source) -> TranslateLane:
        """The same lane, fed by another account's answer."""
        assert self._source is not None
        self._source.go_on(source)
        self.lane.error = None
        return self.lane
