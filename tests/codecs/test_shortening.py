"""A history too long for a model: what gives way, and what doesn't."""

from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.shortening import ANSWER_SHARE, LEFT_OUT, shortened
from aiproxy.codecs.tokens import estimate
from aiproxy.neutral.parts import TextPart, ToolCallPart, ToolResultPart
from aiproxy.neutral.request import GenerateRequest, Turn

SHORT = (TextPart(LEFT_OUT),)


def asked(*sizes: int) -> GenerateRequest:
    """A history of calls whose results have these sizes, in characters."""
    turns = [Turn("user", (TextPart("go"),))]
    for number, size in enumerate(sizes):
        turns.append(Turn("assistant", (ToolCallPart(str(number), "f"),)))
        turns.append(Turn("tool", (ToolResultPart(str(number), (TextPart("x" * size),)),)))
    return GenerateRequest("m", tuple(turns))


def left_out(request: GenerateRequest) -> list[bool]:
    return [part.content == SHORT for turn in request.turns for part in turn.parts if isinstance(part, ToolResultPart)]


def test_the_oldest_result_gives_way() -> None:
    request = asked(4000, 4000, 4000)
    assert left_out(shortened(request, Capabilities(context_tokens=2000))) == [True, True, False]
    assert left_out(shortened(request, Capabilities(context_tokens=3200))) == [True, False, False]


def test_what_fits_or_may_fit_stays() -> None:
    request = asked(4000)
    assert shortened(request, Capabilities()) == request
    assert shortened(request, Capabilities(context_tokens=100_000)) == request


def test_a_result_that_is_shorter_than_its_stand_in_stays() -> None:
    assert left_out(shortened(asked(4, 4000), Capabilities(context_tokens=500))) == [False, True]


@given(st.lists(st.integers(0, 3000), max_size=6), st.integers(1, 5000))
def test_no_more_gives_way_than_must(sizes: list[int], context: int) -> None:
    request, room = asked(*sizes), int(context * (1 - ANSWER_SHARE))
    gone = left_out(shortened(request, Capabilities(context_tokens=context)))
    long = [len(LEFT_OUT) < size - 4 for size in sizes]  # by a token at least
    if any(gone):
        last = max(place for place, is_gone in enumerate(gone) if is_gone)
        restored = [
            len(LEFT_OUT) if is_gone and place != last else size
            for place, (size, is_gone) in enumerate(zip(sizes, gone, strict=True))
        ]
        assert estimate(asked(*restored)) > room
        assert all(gone[place] for place in range(last) if long[place])
    if any(is_long and not is_gone for is_long, is_gone in zip(long, gone, strict=True)):
        assert estimate(shortened(request, Capabilities(context_tokens=context))) <= room
