"""Each provider's own failures, as its upstream sends them: whom they blame and for how long."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from aiproxy.pools.verdict import FIRST_REST_UNKNOWN_MODEL, Judge, Scope, Verdict
from aiproxy.providers.base import Operation, Provider
from aiproxy.providers.claude import CLAUDE
from aiproxy.providers.codex import CODEX
from aiproxy.providers.faults import FIRST_REST_CHALLENGED
from aiproxy.providers.gemini import GEMINI
from aiproxy.providers.ollama import FIRST_REST_NOT_PULLED, OLLAMA
from aiproxy.providers.openai import OPENAI
from aiproxy.providers.openai_compatible import OPENAI_COMPATIBLE

DATE = "Wed, 25 Nov 2026 02:00:00 GMT"
LATER = 1795572000 + 600
"""Ten minutes after."""


def blamed(provider: Provider, status: int, body: object, headers: Mapping[str, str]) -> tuple[Verdict, float | None]:
    endpoint = provider.endpoint(Operation.CHAT, "")
    assert endpoint is not None
    error = endpoint.wire.decode_error(status, {"date": DATE, **headers}, json.dumps(body).encode())
    return Judge((provider.faults,))(error), error.retry_after


def google(code: int, status: str, message: str, **detail: Any) -> object:
    return {"error": {"code": code, "status": status, "message": message, "details": [detail]}}


def claude(kind: str, message: str) -> object:
    return {"type": "error", "error": {"type": kind, "message": message}}


LIMITED = claude("rate_limit_error", "This request would exceed your account's rate limit.")


@pytest.mark.parametrize(
    ("provider", "status", "body", "headers", "scope", "wait"),
    [
        (CLAUDE, 429, LIMITED, {"retry-after": "30"}, Scope.MODEL, 30.0),
        (CLAUDE, 429, LIMITED, {"anthropic-ratelimit-unified-5h-status": "rejected",
                                "anthropic-ratelimit-unified-5h-reset": str(LATER),
                                "anthropic-ratelimit-unified-7d-status": "allowed",
                                "anthropic-ratelimit-unified-7d-reset": str(LATER + 9999)}, Scope.ACCOUNT, 600.0),
        (CLAUDE, 429, LIMITED, {"anthropic-ratelimit-unified-7d-status": "rejected", "retry-after": "60",
                                "anthropic-ratelimit-unified-7d-reset": f"{LATER}.5"}, Scope.ACCOUNT, 600.5),
        (CLAUDE, 429, LIMITED, {"anthropic-ratelimit-unified-status": "rejected",
                                "anthropic-ratelimit-unified-reset": "2026-11-25T02:10:00Z"}, Scope.ACCOUNT, 600.0),
        (CLAUDE, 429, LIMITED, {"anthropic-ratelimit-unified-status": "rejected",
                                "anthropic-ratelimit-unified-7d_oi-status": "rejected",
                                "anthropic-ratelimit-unified-7d_oi-reset": str(LATER)}, Scope.MODEL, 600.0),
        (CLAUDE, 429, claude("rate_limit_error", "Usage credits are required for fast mode"), {}, Scope.REQUEST, None),
        (CLAUDE, 529, claude("overloaded_error", "Overloaded"), {}, Scope.PROVIDER, None),
        (CLAUDE, 404, claude("not_found_error", "model: claude-9"), {}, Scope.MODEL, None),
        (CLAUDE, 404, claude("not_found_error", "Not found"), {}, Scope.REQUEST, None),
        (CLAUDE, 401, claude("authentication_error", "invalid x-api-key"), {}, Scope.ACCOUNT, None),
        (CLAUDE, 413, claude("request_too_large", "too large"), {}, Scope.REQUEST, None),
        (GEMINI, 429, google(429, "RESOURCE_EXHAUSTED", "quota", retryDelay="37.5s"), {}, Scope.MODEL, 37.5),
        (GEMINI, 429, google(429, "RESOURCE_EXHAUSTED", "q", metadata={"quotaResetDelay": "1h16m0.667s"}), {}, Scope.MODEL, 4560.667),
        (GEMINI, 429, google(429, "RESOURCE_EXHAUSTED", "Your quota will reset after 31s."), {}, Scope.MODEL, 31.0),
        (GEMINI, 429, google(429, "RESOURCE_EXHAUSTED", "q",
                             violations=[{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]), {}, Scope.MODEL, None),
        (GEMINI, 429, google(429, "RESOURCE_EXHAUSTED", "q", violations=[{"quotaId": "RequestsPerDayPerProject"}]), {},
         Scope.ACCOUNT, None),
        (GEMINI, 400, google(400, "INVALID_ARGUMENT", "API key not valid.", reason="API_KEY_INVALID"), {}, Scope.ACCOUNT, None),
        (GEMINI, 400, google(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), {},
         Scope.NETWORK, None),
        (GEMINI, 404, google(404, "NOT_FOUND", "models/gemini-9 is not found for API version v1beta"), {}, Scope.MODEL, None),
        (GEMINI, 503, google(503, "UNAVAILABLE", "The model is overloaded."), {}, Scope.PROVIDER, None),
        (OPENAI, 429, {"error": {"message": "Rate limit reached. Please try again in 6m0s.", "code": "rate_limit_exceeded"}}, {},
         Scope.MODEL, 360.0),
        (OPENAI, 429, {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}, {}, Scope.ACCOUNT, None),
        (OPENAI, 404, {"error": {"message": "The model `x` does not exist or you do not have access to it.",
                                 "code": "model_not_found"}}, {}, Scope.MODEL, None),
        (OPENAI, 400, {"error": {"message": "Invalid value", "type": "invalid_request_error"}}, {}, Scope.REQUEST, None),
        (OPENAI, 500, {"error": {"message": "The server had an error"}}, {}, Scope.MODEL, None),
        (CODEX, 429, {"error": {"type": "usage_limit_reached", "message": "limit", "resets_in_seconds": 4321}}, {}, Scope.ACCOUNT, 4321.0),
        (CODEX, 429, {"error": {"type": "usage_limit_reached", "message": "limit", "resets_at": LATER}}, {}, Scope.ACCOUNT, 600.0),
        (CODEX, 429, {"error": {"message": "Selected model is at capacity. Please try a different model."}}, {}, Scope.MODEL, None),
        (OPENAI_COMPATIBLE, 400, {"error": {"message": "no", "code": "model_not_supported"}}, {}, Scope.MODEL, None),
        (OPENAI_COMPATIBLE, 402, {"error": {"message": "Insufficient Balance"}}, {}, Scope.ACCOUNT, None),
        (OPENAI_COMPATIBLE, 403, {"error": "challenge"}, {"cf-mitigated": "challenge"}, Scope.NETWORK, None),
        (OLLAMA, 404, {"error": "model 'x' not found"}, {}, Scope.MODEL, None),
        (OLLAMA, 503, {"error": "server busy, please try again. maximum pending requests exceeded"}, {}, Scope.PROVIDER, None),
    ],
)  # fmt: skip
def test_whom_it_blames(
    provider: Provider, status: int, body: object, headers: Mapping[str, str], scope: Scope, wait: float | None
) -> None:
    verdict, said = blamed(provider, status, body, headers)
    assert (verdict.scope, said) == (scope, wait)
    assert verdict.stops is not verdict.cools is (scope is not Scope.REQUEST)


def test_rests_of_their_own_length() -> None:
    assert blamed(OLLAMA, 404, {"error": "model 'x' not found"}, {})[0].rest == FIRST_REST_NOT_PULLED
    assert blamed(CLAUDE, 404, claude("not_found_error", "model: x"), {})[0].rest == FIRST_REST_UNKNOWN_MODEL
    assert blamed(OPENAI, 403, {}, {"cf-mitigated": "challenge"})[0].rest == FIRST_REST_CHALLENGED
