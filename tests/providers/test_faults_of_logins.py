"""Failures of back ends of logins, as they send them: whom they blame, and for how long."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from aiproxy.pools.verdict import FIRST_REST_REFUSED, FIRST_REST_UNKNOWN_MODEL, Scope
from aiproxy.providers.antigravity import ANTIGRAVITY
from aiproxy.providers.base import Provider
from aiproxy.providers.claude import CLAUDE_ACCOUNT
from aiproxy.providers.code_assist_faults import FIRST_REST_INELIGIBLE
from aiproxy.providers.codex_account import CODEX_ACCOUNT
from aiproxy.providers.copilot import COPILOT, FIRST_REST_NO_MODEL, FIRST_REST_NOT_IN_PLAN
from aiproxy.providers.gemini_cli import GEMINI_CLI
from aiproxy.providers.iflow import IFLOW
from aiproxy.providers.kimi import KIMI
from aiproxy.providers.kiro import FIRST_REST_LIMITED, FIRST_REST_SUSPENDED, KIRO
from aiproxy.providers.qwen import FIRST_REST_EXHAUSTED, QWEN
from tests.providers.test_faults import LATER, blamed, google

HOUR = 3600.0


def openai(message: str, **more: Any) -> object:
    return {"error": {"message": message, **more}}


def kiro(message: str, reason: str | None = None) -> object:
    return {"message": message, "reason": reason}


EXHAUSTED = google(429, "RESOURCE_EXHAUSTED", "q", reason="QUOTA_EXHAUSTED", metadata={"quotaResetDelay": "1h"})
LIMITED = google(429, "RESOURCE_EXHAUSTED", "Your quota will reset after 31s.", reason="RATE_LIMIT_EXCEEDED")
USED_UP = openai("The usage limit has been reached", type="usage_limit_reached", resets_at=LATER)


@pytest.mark.parametrize(
    ("provider", "status", "body", "headers", "scope", "wait", "rest"),
    [
        (GEMINI_CLI, 429, LIMITED, {}, Scope.MODEL, 31.0, None),
        (GEMINI_CLI, 429, EXHAUSTED, {}, Scope.MODEL, HOUR, None),
        (ANTIGRAVITY, 429, EXHAUSTED, {}, Scope.MODEL, HOUR, None),
        (ANTIGRAVITY, 503, google(503, "UNAVAILABLE", "No capacity available for model"), {}, Scope.PROVIDER, None, None),
        (ANTIGRAVITY, 403, google(403, "PERMISSION_DENIED", "Verify your account", reason="VALIDATION_REQUIRED"), {},
         Scope.ACCOUNT, None, FIRST_REST_INELIGIBLE),
        (ANTIGRAVITY, 400, google(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), {},
         Scope.NETWORK, None, FIRST_REST_REFUSED),
        (ANTIGRAVITY, 400, google(400, "INVALID_ARGUMENT", "Invalid tool"), {}, Scope.REQUEST, None, None),
        (CODEX_ACCOUNT, 429, USED_UP, {}, Scope.ACCOUNT, 600.0, None),
        (CODEX_ACCOUNT, 403, USED_UP, {}, Scope.ACCOUNT, None, None),
        (CODEX_ACCOUNT, 429, openai("u", type="usage_limit_reached", resets_in_seconds=90), {}, Scope.ACCOUNT, 90.0, None),
        (CODEX_ACCOUNT, 503, openai("The selected model is at capacity."), {}, Scope.PROVIDER, None, None),
        (CODEX_ACCOUNT, 400, openai("x", code="context_length_exceeded"), {}, Scope.REQUEST, None, None),
        (CODEX_ACCOUNT, 401, openai("Provided authentication token is expired."), {}, Scope.ACCOUNT, None, None),
        (CLAUDE_ACCOUNT, 429, openai("x"), {"anthropic-ratelimit-unified-5h-status": "rejected",
                                            "anthropic-ratelimit-unified-5h-reset": str(LATER)}, Scope.ACCOUNT, 600.0, None),
        (QWEN, 429, openai("Free allocated quota exceeded.", code="insufficient_quota"), {}, Scope.ACCOUNT, None, FIRST_REST_EXHAUSTED),
        (QWEN, 403, openai("x", type="quota_exceeded"), {}, Scope.ACCOUNT, None, FIRST_REST_EXHAUSTED),
        (QWEN, 429, openai("slow"), {"retry-after": "9"}, Scope.MODEL, 9.0, None),
        (IFLOW, 429, openai("slow"), {}, Scope.MODEL, None, None),
        (KIMI, 429, openai("slow"), {"retry-after": "9"}, Scope.MODEL, 9.0, None),
        (COPILOT, 403, openai("x", code="quota_exceeded"), {}, Scope.ACCOUNT, None, FIRST_REST_NOT_IN_PLAN),
        (COPILOT, 400, openai("x", code="model_not_supported"), {}, Scope.MODEL, None, FIRST_REST_NO_MODEL),
        (COPILOT, 429, openai("slow"), {"retry-after": "9"}, Scope.MODEL, 9.0, None),
        (CODEX_ACCOUNT, 429, openai("Model is at capacity. Please try a different model."), {}, Scope.PROVIDER, None, None),
        (CODEX_ACCOUNT, 413, openai("x"), {}, Scope.REQUEST, None, None),
        (CODEX_ACCOUNT, 400, openai("x", code="previous_response_not_found"), {}, Scope.REQUEST, None, None),
        (KIMI, 401, openai("x"), {}, Scope.ACCOUNT, None, FIRST_REST_REFUSED),
        (COPILOT, 402, openai("x", code="quota_exceeded"), {}, Scope.ACCOUNT, None, FIRST_REST_NOT_IN_PLAN),
        (KIRO, 402, kiro("x"), {}, Scope.ACCOUNT, None, FIRST_REST_SUSPENDED),
        (KIRO, 400, kiro("x", "CONTENT_LENGTH_EXCEEDS_THRESHOLD"), {}, Scope.REQUEST, None, None),
        (KIRO, 403, kiro("User is not authorized", "FEATURE_NOT_SUPPORTED"), {}, Scope.ACCOUNT, None, FIRST_REST_REFUSED),
        (KIRO, 401, kiro("The bearer token included in the request is invalid."), {}, Scope.ACCOUNT, None, FIRST_REST_REFUSED),
        (KIRO, 400, kiro("profileArn is required for this request."), {}, Scope.ACCOUNT, None, FIRST_REST_SUSPENDED),
        (KIRO, 429, kiro("Too many requests"), {}, Scope.ACCOUNT, None, FIRST_REST_LIMITED),
        (KIRO, 429, kiro("x", "INSUFFICIENT_MODEL_CAPACITY"), {}, Scope.PROVIDER, None, None),
        (KIRO, 500, kiro("Encountered unexpectedly high load when processing the request"), {}, Scope.PROVIDER, None, None),
        (KIRO, 402, kiro("x", "MONTHLY_REQUEST_COUNT"), {}, Scope.ACCOUNT, 5 * 86400 + 22 * HOUR, None),
        (KIRO, 429, kiro("x", "DAILY_REQUEST_COUNT"), {}, Scope.ACCOUNT, 22 * HOUR, None),
        (KIRO, 403, kiro("Your User ID temporarily is suspended.", "TEMPORARILY_SUSPENDED"), {}, Scope.ACCOUNT, None, FIRST_REST_SUSPENDED),
        (KIRO, 403, kiro("User is not authorized to make this call."), {}, Scope.ACCOUNT, None, FIRST_REST_REFUSED),
        (KIRO, 400, kiro("Invalid model.", "INVALID_MODEL_ID"), {}, Scope.MODEL, None, FIRST_REST_UNKNOWN_MODEL),
        (KIRO, 400, kiro("Improperly formed request."), {}, Scope.REQUEST, None, None),
        (KIRO, 400, kiro("Input is too long."), {}, Scope.REQUEST, None, None),
    ],
)  # fmt: skip
def test_whom_it_blames(
    provider: Provider,
    status: int,
    body: object,
    headers: Mapping[str, str],
    scope: Scope,
    wait: float | None,
    rest: float | None,
) -> None:
    verdict, said = blamed(provider, status, body, headers)
    assert verdict.scope is scope, json.dumps(body)
    if wait is not None:
        assert said == wait
    if rest is not None:
        assert verdict.rest == rest
