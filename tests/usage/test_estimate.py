"""What is taken to be used where nobody says it to the end."""

import pytest

from aiproxy.neutral.usage import Usage
from aiproxy.usage.estimate import estimate


@pytest.mark.parametrize(
    ("said", "frames", "size", "expected"),
    [
        (None, 21, 20 * 230, Usage(input_uncached=100, output_visible=20)),  # a token a frame
        (None, 2, 8600, Usage(input_uncached=100, output_visible=2000)),  # large frames: their text
        (None, 0, 400, Usage(input_uncached=100, output_visible=100)),  # an answer in one piece
        (Usage(50, 9, output_visible=1), 21, 20 * 100, Usage(50, 9, output_visible=20)),  # as Anthropic begins
        (Usage(50, output_visible=40), 21, 20 * 100, Usage(50, output_visible=40)),
        (Usage(output_visible=40), 21, 20 * 100, Usage(input_uncached=100, output_visible=40)),
        (Usage(5, output_visible=0, reasoning=8), 21, 100, Usage(5, output_visible=12, reasoning=8)),
    ],
)
def test_an_estimate_adds_to_what_was_said(said: Usage | None, frames: int, size: int, expected: Usage) -> None:
    assert estimate(said, 100, frames, size) == expected
