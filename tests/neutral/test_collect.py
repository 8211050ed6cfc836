"""A whole answer and its stream are the same thing."""

from hypothesis import given

from aiproxy.neutral.collect import collect, explode
from aiproxy.neutral.response import GenerateResponse
from tests.neutral.strategies import responses


@given(responses())
def test_collecting_what_was_exploded_gives_the_answer_back(response: GenerateResponse) -> None:
    assert collect(explode(response)) == response
