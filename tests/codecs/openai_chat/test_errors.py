"""OpenAI's error object both ways, and the SDK's classes as the judge of what we render."""

import httpx2
import openai
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs.openai_chat.errors import decode_error, encode_error
from aiproxy.neutral import errors
from aiproxy.neutral.errors import GatewayError

EVERY_ERROR = [
    (errors.InvalidRequest, openai.BadRequestError, 400),
    (errors.ContextLength, openai.BadRequestError, 400),
    (errors.ContentBlocked, openai.BadRequestError, 400),
    (errors.Unsupported, openai.BadRequestError, 400),
    (errors.RequestTimeout, openai.APIStatusError, 408),
    (errors.UnsupportedEncoding, openai.APIStatusError, 415),
    (errors.NotShown, openai.BadRequestError, 400),
    (errors.ForeignState, openai.BadRequestError, 400),
    (errors.ExpectationFailed, openai.APIStatusError, 417),
    (errors.UpgradeRequired, openai.APIStatusError, 426),
    (errors.VersionNotSupported, openai.InternalServerError, 505),
    (errors.Authentication, openai.AuthenticationError, 401),
    (errors.Billing, openai.RateLimitError, 429),
    (errors.Permission, openai.PermissionDeniedError, 403),
    (errors.EndedByOperator, openai.PermissionDeniedError, 403),
    (errors.NotFound, openai.NotFoundError, 404),
    (errors.MethodNotAllowed, openai.APIStatusError, 405),
    (errors.Conflict, openai.ConflictError, 409),
    (errors.TooLarge, openai.APIStatusError, 413),
    (errors.HeadersTooLarge, openai.APIStatusError, 431),
    (errors.RateLimited, openai.RateLimitError, 429),
    (errors.QuotaExhausted, openai.RateLimitError, 429),
    (errors.Internal, openai.InternalServerError, 500),
    (errors.UpstreamServerError, openai.InternalServerError, 500),
    (errors.UpstreamFailed, openai.InternalServerError, 502),
    (errors.Unreachable, openai.InternalServerError, 502),
    (errors.UpstreamTruncated, openai.InternalServerError, 502),
    (errors.CredentialRefused, openai.InternalServerError, 502),
    (errors.Overloaded, openai.InternalServerError, 503),
    (errors.Draining, openai.InternalServerError, 503),
    (errors.Timeout, openai.InternalServerError, 504),
    (errors.ConnectTimeout, openai.InternalServerError, 504),
]


def test_the_table_is_complete() -> None:
    def below(kind: type[GatewayError]) -> set[type[GatewayError]]:
        return {kind}.union(*(below(child) for child in kind.__subclasses__()))

    assert {row[0] for row in EVERY_ERROR} == below(GatewayError) - {GatewayError}


@pytest.mark.parametrize(("kind", "sdk_class", "status"), EVERY_ERROR)
def test_the_sdk_reads_it(kind: type[GatewayError], sdk_class: type[openai.APIStatusError], status: int) -> None:
    answer = encode_error(kind("What happened.", retry_after=2.2), "req_1")
    assert answer.status == status
    assert answer.headers["retry-after"] == "3"
    body = orjson.loads(answer.body)
    assert set(body["error"]) == {"message", "type", "param", "code"}
    client = openai.OpenAI(api_key="k", base_url="http://test", max_retries=0)
    response = httpx_response(answer.status, answer.body)
    raised = client._make_status_error_from_response(response)
    assert isinstance(raised, sdk_class)
    assert "What happened." in str(raised)


def httpx_response(status: int, body: bytes) -> httpx2.Response:
    """A response of the HTTP library that this SDK uses."""
    request = httpx2.Request("POST", "http://test")
    return httpx2.Response(status, content=body, headers={"content-type": "application/json"}, request=request)


def said(code: str | None = None, message: str = "m", **more: object) -> bytes:
    return orjson.dumps({"error": {"message": message, "type": "t", "code": code, **more}})


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (400, said("context_length_exceeded"), errors.ContextLength, "m"),
        (400, said(message="This model's maximum context length is 8 tokens"), errors.ContextLength, "This model's"),
        (400, said("content_policy_violation"), errors.ContentBlocked, "m"),
        (400, said("invalid_value", param="n"), errors.InvalidRequest, "m"),
        (401, said("invalid_api_key"), errors.CredentialRefused, "m"),
        (403, said(), errors.CredentialRefused, "m"),
        (402, said(), errors.Billing, "m"),
        (404, said("model_not_found"), errors.NotFound, "m"),
        (408, said(), errors.Timeout, "m"),
        (409, said(), errors.Conflict, "m"),
        (413, said(), errors.TooLarge, "m"),
        (422, said(), errors.InvalidRequest, "m"),
        (429, said("rate_limit_exceeded"), errors.RateLimited, "m"),
        (429, said("insufficient_quota"), errors.QuotaExhausted, "m"),
        (500, said(), errors.UpstreamServerError, "m"),
        (502, b"<html>bad gateway</html>", errors.UpstreamFailed, "502"),
        (503, said("slow_down"), errors.Overloaded, "m"),
        (504, b"", errors.Timeout, "504"),
        (529, said(), errors.Overloaded, "m"),
        (418, b'{"error": "just text"}', errors.InvalidRequest, "just text"),
        (400, b'{"detail": "fastapi says"}', errors.InvalidRequest, "fastapi says"),
        (400, b'[{"error": {"message": "in a list"}}]', errors.InvalidRequest, "in a list"),
        (400, b'{"message": "bare"}', errors.InvalidRequest, "bare"),
        (400, b"null", errors.InvalidRequest, "400"),
    ],
)
def test_upstream_failures(status: int, body: bytes, kind: type[GatewayError], message: str) -> None:
    error = decode_error(status, {}, body)
    assert type(error) is kind
    assert message in error.message
    assert error.upstream_status == status


@pytest.mark.parametrize(
    ("headers", "message", "seconds"),
    [
        ({}, "", None),
        ({"retry-after": "7"}, "", 7.0),
        ({"retry-after": "7", "retry-after-ms": "9000"}, "", 9.0),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": "-1"}, "", None),
        ({"retry-after": "soon"}, "Please try again in 1m30s.", 90.0),
        ({}, "Please try again in 20ms.", 0.02),
        ({"date": "Sat, 21 Nov 2026 10:00:00 GMT", "retry-after": "Sat, 21 Nov 2026 10:01:00 GMT"}, "", 60.0),
        ({"retry-after": "Sat, 21 Nov 2026 10:01:00 GMT"}, "", None),
    ],
)
def test_retry_after(headers: dict[str, str], message: str, seconds: float | None) -> None:
    error = decode_error(429, headers, said(message=message or "m"))
    assert error.retry_after == seconds


@given(st.integers(400, 599), st.binary(max_size=200))
def test_any_body_is_an_error_of_ours(status: int, body: bytes) -> None:
    answer = encode_error(decode_error(status, {}, body), "req_1")
    assert orjson.loads(answer.body)["error"]["message"]
