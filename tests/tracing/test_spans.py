"""From a record to spans, by the names of the conventions."""

import pytest

from aiproxy.config.schema import Conventions
from aiproxy.neutral.usage import Usage
from aiproxy.tracing.otlp import encode, rejected
from aiproxy.tracing.spans import Kind, spans
from aiproxy.usage import Attempt, CallRecord, Outcome
from aiproxy.usage.trace import Trace

TRACE = Trace("a" * 32, "b" * 16, 1, span="c" * 16)
USED = Usage(input_uncached=5, cache_read=3, cache_write=2, cache_write_1h=1, output_visible=7, reasoning=4)


def record(outcome: Outcome = Outcome.COMPLETE, error: str = "") -> CallRecord:
    failed = Attempt("a-1", "claude", "opus", 10.0, 11.0, Outcome.FAILED, "rate_limit", 429)
    last = Attempt("a-2", "claude", "opus", 11.0, 13.0, outcome, error, None, USED, cost=0.5)
    return CallRecord(
        "req_1",
        10.0,
        client="team",
        protocol="anthropic",
        operation="chat",
        model="fast",
        session="s",
        attempts=[failed, last],
        first_byte=12.0,
        ended=13.0,
        outcome=outcome,
        error=error,
    )


def test_a_call_and_its_attempts() -> None:
    call, first, second = spans(record(), TRACE, 1000.0, Conventions.V1_41, lambda _: ("api.example", 443))
    assert (call.id, call.parent, call.kind, call.name) == (TRACE.span, TRACE.parent, Kind.SERVER, "chat fast")
    assert (call.began, call.ended, call.error) == (1010.0, 1013.0, "")
    assert [each.parent for each in (first, second)] == [TRACE.span] * 2
    assert [each.id for each in (first, second)] == [TRACE.attempt(1), TRACE.attempt(2)]
    assert (first.kind, first.name, first.error) == (Kind.CLIENT, "chat opus", "rate_limit")
    assert first.attributes["error.type"] == "rate_limit"
    assert first.attributes["http.response.status_code"] == 429
    told = second.attributes
    assert told["gen_ai.provider.name"] == "anthropic"
    assert (told["server.address"], told["server.port"]) == ("api.example", 443)
    assert told["gen_ai.usage.input_tokens"] == 11
    assert told["gen_ai.usage.output_tokens"] == 11
    assert told["gen_ai.usage.cache_read.input_tokens"] == 3
    assert told["gen_ai.usage.reasoning.output_tokens"] == 4
    assert call.attributes["gen_ai.request.model"] == "fast"
    assert call.attributes["gen_ai.response.model"] == "opus"
    assert call.attributes["aiproxy.cost_usd"] == 0.5
    assert call.attributes["aiproxy.first_byte_seconds"] == 2.0


@pytest.mark.parametrize(
    ("names", "told"),
    [(Conventions.V1_41, {"creation"}), (Conventions.NEXT, {"write"}), (Conventions.BOTH, {"creation", "write"})],
)
def test_each_convention_has_its_word_for_what_is_written_to_a_cache(names: Conventions, told: set[str]) -> None:
    *_, second = spans(record(), TRACE, 0.0, names, lambda _: None)
    found = {name: value for name, value in second.attributes.items() if ".cache_" in name and "read" not in name}
    assert found == {f"gen_ai.usage.cache_{word}.input_tokens": 3 for word in told}


@pytest.mark.parametrize(
    ("outcome", "error", "told"),
    [(Outcome.CUT, "timeout", "timeout"), (Outcome.FAILED, "", "failed"), (Outcome.CANCELLED, "", "")],
)
def test_a_client_that_leaves_is_no_error(outcome: Outcome, error: str, told: str) -> None:
    call, *_ = spans(record(outcome, error), TRACE, 0.0, Conventions.V1_41, lambda _: None)
    assert call.error == told


def test_whatever_a_client_chose_can_be_encoded() -> None:
    odd = record()
    odd.model, odd.session = "x" * 10_000, "half \ud800 a pair"
    odd.attempts[-1] = Attempt("a", "p", "m", 5.0, 1.0, Outcome.COMPLETE, usage=Usage(input_uncached=2**80))
    told = list(spans(odd, TRACE, 0.0, Conventions.BOTH, lambda _: None))
    assert len(encode([(TRACE, told)], {"service.name": "ü"})) < 5_000


def test_an_answer_that_is_none_is_told_from_one() -> None:
    assert rejected(b"") == 0
    with pytest.raises(ValueError, match="not an Export"):
        rejected(b"<html>")
