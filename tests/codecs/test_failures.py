"""What an upstream's failure is, whatever shape it comes in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.failures import context_length_numbers, context_length_text, error_of
from aiproxy.codecs.retry_after import duration, retry_after
from aiproxy.neutral import errors


def kind(status: int, body: object) -> str:
    return error_of(status, {}, json.dumps(body).encode()).kind


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, {"error": {"message": "no", "type": "invalid_request_error", "code": None}}, "invalid_request"),
        (400, {"error": {"message": "x", "code": "context_length_exceeded"}}, "context_length"),
        (400, {"error": {"message": "x", "code": "context_too_large"}}, "context_length"),
        (400, {"error": {"type": "invalid_request_error", "message": "prompt is too long: 9 tokens > 8 maximum"}}, "context_length"),
        (400, {"error": {"message": "x", "code": "content_policy_violation"}}, "content_blocked"),
        (400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "API key not valid.",
                         "details": [{"reason": "API_KEY_INVALID"}]}}, "credential_refused"),
        (401, {"error": {"message": "Incorrect API key provided: sk-12"}}, "credential_refused"),
        (403, {}, "credential_refused"),
        (403, {"error": {"type": "usage_limit_reached"}}, "quota_exhausted"),
        (402, {"error": {"code": "quota_exceeded"}}, "quota_exhausted"),
        (499, {"error": {"status": "CANCELLED"}}, "upstream_failed"),
        (402, {"type": "error", "error": {"type": "billing_error", "message": "pay"}}, "billing"),
        (404, {"error": {"message": "no model"}}, "not_found"),
        (409, {}, "conflict"),
        (413, {"error": {"type": "request_too_large"}}, "too_large"),
        (422, {"detail": [{"msg": "bad"}]}, "invalid_request"),
        (429, {"error": {"code": "insufficient_quota"}}, "quota_exhausted"),
        (429, {"error": {"code": "rate_limit_exceeded"}}, "rate_limit"),
        (429, [{"error": {"status": "RESOURCE_EXHAUSTED", "details": [{"violations": [{"quotaId": "RequestsPerDayPerProject"}]}]}}],
         "quota_exhausted"),
        (500, {}, "server_error"),
        (502, "<html>", "upstream_failed"),
        (503, {"error": {"status": "UNAVAILABLE"}}, "overloaded"),
        (504, {}, "timeout"),
        (529, {"error": {"type": "overloaded_error"}}, "overloaded"),
        (200, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}, "overloaded"),
        (200, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED"}}, "rate_limit"),
        (200, {"error": "model not loaded"}, "server_error"),
        (200, {"type": "response.failed", "response": {"error": {"code": "context_length_exceeded", "message": "m"}}}, "context_length"),
    ],
)  # fmt: skip
def test_kinds(status: int, body: object, expected: str) -> None:
    assert kind(status, body) == expected


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"error":{"message":"said"}}', "said"),
        (b'{"error":"said"}', "said"),
        (b'{"message":"said"}', "said"),
        (b'{"detail":"said"}', "said"),
        (b'[{"error":{"message":"said"}}]', "said"),
        (b'"said"', "said"),
        (b"<html>no</html>", "The upstream answered 400 and gave no reason."),
        (b"", "The upstream answered 400 and gave no reason."),
        (b'{"error":{"message":null}}', "The upstream answered 400 and gave no reason."),
    ],
)
def test_messages(body: bytes, message: str) -> None:
    assert error_of(400, {}, body).message == message


def test_a_refused_credential_is_not_quoted() -> None:
    error = error_of(401, {}, b'{"error":{"message":"Incorrect API key provided: sk-secret"}}')
    assert "sk-secret" not in error.message
    assert (error.status, error.upstream_status) == (502, 401)


def test_a_message_has_an_end() -> None:
    assert len(error_of(400, {}, json.dumps({"error": "x" * 9000}).encode()).message) == 2048


@given(st.integers(100, 599), st.binary() | st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(
    st.sampled_from(["error", "message", "details", "code", "type", "status", "violations", "response", "detail", "retryDelay"]), inner)).map(
        lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_body_is_an_error_of_ours(status: int, body: bytes) -> None:
    error = error_of(status, {}, body)
    assert isinstance(error, errors.GatewayError)
    assert error.message


@pytest.mark.parametrize(
    ("message", "numbers"),
    [
        ("prompt is too long: 210,000 tokens > 200000 maximum", (210000, 200000)),
        ("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).", (1200000, 1048576)),
        (
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens.",
            (9000, 8192),
        ),
        (
            "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (8000 in the messages)",
            (9000, 8192),
        ),
        ("the request (5000 tokens) exceeds the available context size (4096 tokens)", (5000, 4096)),
        ("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000", (210000, 200000)),
        ("prompt is too long: , tokens > , maximum", None),
        ("too many tokens", None),
    ],
)
def test_context_length_in_numbers_and_in_every_vendors_words(message: str, numbers: tuple[int, int] | None) -> None:
    assert context_length_numbers(message) == numbers
    for vendor in ("openai", "anthropic", "gemini"):
        told = context_length_text(message, vendor)
        assert context_length_numbers(told) == numbers
        assert context_length_text(told, vendor) == told


def test_anthropics_words_start_as_agents_expect_them() -> None:
    assert context_length_text("too many tokens", "anthropic").startswith("prompt is too long")


DATE = "Sat, 21 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("status", "headers", "message", "details", "seconds"),
    [
        (429, {}, "", [], None),
        (429, {"retry-after": "7"}, "", [], 7),
        (429, {"retry-after": "7", "retry-after-ms": "7500"}, "", [], 7.5),
        (503, {"retry-after": "Sat, 21 Nov 2026 10:00:30 GMT", "date": DATE}, "", [], 30),
        (503, {"retry-after": "Sat, 21 Nov 2026 10:00:30 GMT"}, "", [], None),
        (429, {"anthropic-ratelimit-tokens-reset": "2026-11-21T10:01:00Z", "anthropic-ratelimit-tokens-remaining": "0", "date": DATE}, "", [], 60),
        (429, {"anthropic-ratelimit-tokens-reset": "2026-11-21T10:01:00Z", "anthropic-ratelimit-tokens-remaining": "5", "date": DATE}, "", [], None),
        (429, {"x-ratelimit-reset-requests": "6m0s", "x-ratelimit-remaining-requests": "0"}, "", [], 360),
        (400, {"x-ratelimit-reset-requests": "6m0s"}, "", [], None),
        (429, {}, "Please try again in 20ms.", [], 0.02),
        (429, {}, "Please try again in 1m2.5s. Visit", [], 62.5),
        (429, {}, "Please retry in 37.2s.", [], 37.2),
        (429, {}, "try again in 3 minutes", [], 180),
        (429, {}, "", [{"retryDelay": "0.5s"}, {"retryDelay": 4}], 0.5),
        (429, {"retry-after": "1e400"}, "", [], None),
        (429, {"retry-after": "-3"}, "", [], None),
    ],
)  # fmt: skip
def test_when_to_try_again(
    status: int, headers: dict[str, str], message: str, details: list[dict[str, object]], seconds: float | None
) -> None:
    assert retry_after(status, headers, message, details) == seconds


@given(st.text(), st.text(), st.text())
def test_junk_is_no_time(value: str, date: str, message: str) -> None:
    headers = {"retry-after": value, "date": date, "x-ratelimit-reset-tokens": value}
    found = retry_after(429, headers, f"try again in {message}")
    assert found is None or found >= 0


@pytest.mark.parametrize(("text", "seconds"), [("1h2m3s", 3723), ("20ms", 0.02), ("", None), ("5", None), ("s", None)])
def test_durations(text: str, seconds: float | None) -> None:
    assert duration(text) == seconds
