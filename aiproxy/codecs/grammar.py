"""Whether a stream of neutral events keeps its own rules, contents included. For tests and for the built-in scripted upstream.

`StreamOrder` knows the order; here also what the deltas add up to: never something else than the finished part says. Checkers
of the protocols' wire streams are theirs and stand with the tests."""

from collections.abc import Iterable

from aiproxy.neutral.events import (
    AudioDelta,
    CitationAdded,
    PartFinished,
    ReasoningDelta,
    RefusalDelta,
    StreamEvent,
    TextDelta,
    ToolCallArgumentsDelta,
)
from aiproxy.neutral.media import InlineSource
from aiproxy.neutral.order import OutOfOrder, StreamOrder
from aiproxy.neutral.parts import AudioPart, Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart


def check_events(events: Iterable[StreamEvent]) -> None:
    """Raises `OutOfOrder` for a stream no decoder may give."""
    order = StreamOrder()
    grown: dict[tuple[int, int], dict[str, list[str]]] = {}
    for event in events:
        order.feed(event)
        match event:
            case TextDelta() | RefusalDelta() | ToolCallArgumentsDelta():
                _grow(grown, event, "content")
            case ReasoningDelta(channel=channel, section=section):
                _grow(grown, event, f"{channel} {section}")
            case AudioDelta(channel=channel):
                _grow(grown, event, channel)
            case CitationAdded(_, citation):
                if citation.start is not None and citation.end is not None and citation.start > citation.end:
                    raise OutOfOrder("a citation ends before it starts")
            case PartFinished(index, part, candidate):
                _agree(grown.pop((candidate, index), {}), part)
            case _:
                pass
    if not order.complete:
        raise OutOfOrder("the stream ended before ResponseFinished")


def _grow(
    grown: dict[tuple[int, int], dict[str, list[str]]],
    event: TextDelta | RefusalDelta | ReasoningDelta | ToolCallArgumentsDelta | AudioDelta,
    channel: str,
) -> None:
    channels = grown.setdefault((event.candidate, event.part_index), {})
    channels.setdefault(channel, []).append(event.fragment)


def _agree(grown: dict[str, list[str]], part: Part) -> None:
    whole = _whole(part)
    for channel, fragments in grown.items():
        if not whole.get(channel, "").startswith("".join(fragments)):
            raise OutOfOrder(
                f"the deltas of a {type(part).__name__} ({channel}) are not the start of the finished part"
            )


def _whole(part: Part) -> dict[str, str]:
    match part:
        case TextPart(text=text) | RefusalPart(text=text) | ToolCallPart(arguments_text=text):
            return {"content": text}
        case ReasoningPart(text=text, summaries=summaries):
            return {"raw 0": text} | {f"summary {section}": summary for section, summary in enumerate(summaries)}
        case AudioPart(source=InlineSource(_, data), transcript=transcript):
            return {"data": data, "transcript": transcript or ""}
        case _:
            return {}
