"""What the observer sees in relayed streams: the commit point, the end, usage, hidden errors."""

from typing import Any

import pytest

from aiproxy.codecs.base import Observation, Standing
from aiproxy.codecs.ollama import WIRE
from aiproxy.framing.ndjson import NdjsonFramer
from aiproxy.neutral import errors
from aiproxy.neutral.usage import Usage
from tests.codecs.ollama.exchanges import ndjson


def line(**more: Any) -> dict[str, Any]:
    return {"model": "m", "done": False, **more}


DONE = {"model": "m", "done": True, "prompt_eval_count": 9, "eval_count": 4}


@pytest.mark.parametrize(
    ("lines", "useful", "complete"),
    [
        ([], False, False),
        ([line(message={"role": "assistant", "content": ""})], False, False),
        ([line(message={"role": "assistant", "content": "hi"})], True, False),
        ([line(message={"content": "", "thinking": "hm"})], True, False),
        ([line(message={"content": "", "tool_calls": [{}]})], True, False),
        ([line(response="")], False, False),
        ([line(response="hi")], True, False),
        ([line(response="", thinking="hm")], True, False),
        ([DONE], True, True),
        ([line(response="hi"), DONE, {"error": "after the end"}], True, True),
    ],
)
def test_commit_point_and_end(lines: list[dict[str, Any]], useful: bool, complete: bool) -> None:
    observer = WIRE.observer()
    for frame in NdjsonFramer().feed(ndjson(*lines)):
        observer.feed(frame)
    assert (observer.useful, observer.standing is Standing.COMPLETE) == (useful, complete)
    if complete:
        assert observer.seen == Observation(Usage(input_uncached=9, output_visible=4), "m")


def test_an_error_line_is_raised() -> None:
    observer = WIRE.observer()
    (frame,) = NdjsonFramer().feed(ndjson({"error": "model 'x' not found", "status_code": 404}))
    with pytest.raises(errors.NotFound, match="model 'x' not found"):
        observer.feed(frame)
    assert observer.fail(errors.UpstreamTruncated("It broke off.")) == b'{"error":"It broke off."}\n'


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ({**DONE, "message": {"content": "hi"}}, Observation(Usage(input_uncached=9, output_visible=4), "m")),
        ({"model": "e", "embeddings": [[0.5]], "prompt_eval_count": 3}, Observation(Usage(input_uncached=3), "e")),
        ({"embedding": [0.5]}, Observation()),
    ],
)
def test_whole_answers(body: dict[str, Any], seen: Observation) -> None:
    assert WIRE.observe(ndjson(body)) == seen


def test_an_error_in_a_200() -> None:
    with pytest.raises(errors.UpstreamServerError, match="out of memory"):
        WIRE.observe(b'{"error":"out of memory"}')
