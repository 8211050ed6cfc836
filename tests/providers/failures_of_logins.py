"""What back ends of logins say when they fail; the columns are those of `failures_of_keys`."""

from collections.abc import Sequence

from aiproxy.pools.verdict import Scope
from aiproxy.providers.antigravity import ANTIGRAVITY, FIRST_REST_NO_CREDITS
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
from tests.providers.failures_of_keys import (
    INVALID,
    LATER,
    LIMITED,
    ONCE,
    REFUSED,
    UNKNOWN,
    Failure,
    claude,
    failed,
    google,
    openai,
    rejected,
)

HOUR = 3600.0
MONTH_ENDS, DAY_ENDS = 5 * 86400 + 22 * HOUR, 22 * HOUR
"""Seconds from the answers' date on, in UTC."""

ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


def exhausted(reason: str, delay: str = "") -> object:
    """Code Assist's 429."""
    details: list[object] = [{"@type": ERROR_INFO, "reason": reason}]
    if delay:
        details.append({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay})
    return {"error": {"code": 429, "message": "You have exhausted your capacity on this model.",
                      "status": "RESOURCE_EXHAUSTED", "details": details}}  # fmt: skip


def code_assist(provider: Provider) -> Sequence[Failure]:
    """Gemini CLI's and Antigravity's: the plan's quotas are counted for each model."""
    return [
        (provider, 429, exhausted("RATE_LIMIT_EXCEEDED", "0.847655010s"), {}, Scope.MODEL, 0.84765501, ONCE),
        (provider, 429, exhausted("RATE_LIMIT_EXCEEDED", "400s"), {}, Scope.MODEL, 400.0, ONCE),
        (provider, 429, exhausted("RATE_LIMIT_EXCEEDED"), {}, Scope.MODEL, None, ONCE),
        (provider, 429, exhausted("QUOTA_EXHAUSTED", "1h0m0s"), {}, Scope.MODEL, HOUR, ONCE),
        (provider, 429, exhausted("QUOTA_EXHAUSTED"), {}, Scope.MODEL, None, ONCE),
        (provider, 429, google(429, "RESOURCE_EXHAUSTED", "q", reason="RATE_LIMIT_EXCEEDED", metadata={"quotaResetDelay": "373.801628ms"}),
         {}, Scope.MODEL, 0.373801628, ONCE),
        (provider, 429, google(429, "RESOURCE_EXHAUSTED", "q", reason="QUOTA_EXHAUSTED", metadata={"quotaResetDelay": "1h16m0.667s"}),
         {}, Scope.MODEL, 4560.667, ONCE),
        (provider, 429, google(429, "RESOURCE_EXHAUSTED", "Your quota will reset after 31s."), {}, Scope.MODEL, 31.0, ONCE),
        (provider, 429, google(429, "RESOURCE_EXHAUSTED", "Quota exhausted for this model."), {}, Scope.MODEL, None, ONCE),
        (provider, 400, google(400, "INVALID_ARGUMENT", "Invalid tool"), {}, Scope.REQUEST, None, None),
        (provider, 400, google(400, "INVALID_ARGUMENT", "Invalid thought signature."), {}, Scope.REQUEST, None, None),
        (provider, 400, google(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), {},
         Scope.NETWORK, None, REFUSED),
        (provider, 401, google(401, "UNAUTHENTICATED", "x"), {}, Scope.ACCOUNT, None, REFUSED),
        (provider, 403, google(403, "PERMISSION_DENIED", "x"), {}, Scope.ACCOUNT, None, REFUSED),
        (provider, 403, google(403, "PERMISSION_DENIED", "Verify your account", reason="VALIDATION_REQUIRED"), {},
         Scope.ACCOUNT, None, FIRST_REST_INELIGIBLE),
        (provider, 403, google(403, "PERMISSION_DENIED", "Your account is not eligible for it."), {},
         Scope.ACCOUNT, None, FIRST_REST_INELIGIBLE),
        (provider, 404, google(404, "NOT_FOUND", "Requested entity was not found."), {}, Scope.REQUEST, None, None),
        (provider, 500, google(500, "INTERNAL", "x"), {}, Scope.MODEL, None, ONCE),
        (provider, 503, google(503, "UNAVAILABLE", "No capacity available for model gemini-3-pro on the server"), {},
         Scope.PROVIDER, None, ONCE),
    ]  # fmt: skip


BY_ANTIGRAVITY: Sequence[Failure] = [
    (ANTIGRAVITY, 429, exhausted("INSUFFICIENT_G1_CREDITS_BALANCE"), {}, Scope.ACCOUNT, None, FIRST_REST_NO_CREDITS),
]  # fmt: skip

USED_UP = openai("The usage limit has been reached", type="usage_limit_reached", plan_type="plus", resets_at=LATER)

BY_PLANS: Sequence[Failure] = [
    *((CODEX_ACCOUNT, status, USED_UP, {}, Scope.ACCOUNT, 600.0, ONCE) for status in (403, 429)),
    (CODEX_ACCOUNT, 429, openai(type="usage_limit_reached", resets_in_seconds=90), {}, Scope.ACCOUNT, 90.0, ONCE),
    (CODEX_ACCOUNT, 503, openai("The selected model is at capacity."), {}, Scope.PROVIDER, None, ONCE),
    (CODEX_ACCOUNT, 429, openai("Model is at capacity. Please try a different model."), {}, Scope.PROVIDER, None, ONCE),
    (CODEX_ACCOUNT, 413, openai(), {}, Scope.REQUEST, None, None),
    (CODEX_ACCOUNT, 400, openai(code="context_length_exceeded"), {}, Scope.REQUEST, None, None),
    (CODEX_ACCOUNT, 400, openai(type=INVALID, code="context_too_large"), {}, Scope.REQUEST, None, None),
    (CODEX_ACCOUNT, 400, openai("Your input exceeds the context window of this model.", type=INVALID), {}, Scope.REQUEST, None, None),
    (CODEX_ACCOUNT, 400, openai("The encrypted content could not be verified.", code="invalid_encrypted_content"), {},
     Scope.REQUEST, None, None),
    (CODEX_ACCOUNT, 400, openai(code="previous_response_not_found"), {}, Scope.REQUEST, None, None),
    (CODEX_ACCOUNT, 401, openai("Provided authentication token is expired."), {}, Scope.ACCOUNT, None, REFUSED),
    (CODEX_ACCOUNT, 401, {"detail": "invalid or expired token"}, {}, Scope.ACCOUNT, None, REFUSED),
    (CODEX_ACCOUNT, 200, failed("server_is_overloaded"), {}, Scope.PROVIDER, None, ONCE),
    (CODEX_ACCOUNT, 200, failed("service_unavailable_error"), {}, Scope.PROVIDER, None, ONCE),
    (CODEX_ACCOUNT, 200, failed("authentication_error"), {}, Scope.ACCOUNT, None, REFUSED),
    (CODEX_ACCOUNT, 200, failed("permission_error"), {}, Scope.ACCOUNT, None, REFUSED),
    (CODEX_ACCOUNT, 200, failed("not_found_error"), {}, Scope.REQUEST, None, None),
    (CODEX_ACCOUNT, 200, failed("cyber_policy"), {}, Scope.REQUEST, None, None),
    (CODEX_ACCOUNT, 200, failed("invalid_request_error"), {}, Scope.REQUEST, None, None),
    (CODEX_ACCOUNT, 200, failed("rate_limit_error"), {}, Scope.MODEL, None, ONCE),
    (CODEX_ACCOUNT, 200, failed("rate_limit_exceeded"), {}, Scope.MODEL, None, ONCE),
    (CODEX_ACCOUNT, 200, {"type": "error", "status": 429, "error": {"type": "usage_limit_reached", "message": "x",
                                                                    "resets_in_seconds": 90}}, {}, Scope.ACCOUNT, 90.0, ONCE),
    (CLAUDE_ACCOUNT, 401, claude("authentication_error", "OAuth token has expired."), {}, Scope.ACCOUNT, None, REFUSED),
    (CLAUDE_ACCOUNT, 429, LIMITED, rejected("5h-", str(LATER)), Scope.ACCOUNT, 600.0, ONCE),
    (CLAUDE_ACCOUNT, 429, LIMITED, {**rejected("5h-", str(LATER)), **rejected("7d-", str(LATER + 60))}, Scope.ACCOUNT, 660.0, ONCE),
    (CLAUDE_ACCOUNT, 429, LIMITED, {**rejected(""), **rejected("7d_oi-", str(LATER)),
                                    "anthropic-ratelimit-unified-5h-status": "allowed",
                                    "anthropic-ratelimit-unified-7d-status": "allowed"}, Scope.MODEL, 600.0, ONCE),
]  # fmt: skip

BY_PORTALS: Sequence[Failure] = [
    *((QWEN, status, openai("Free allocated quota exceeded."), {}, Scope.ACCOUNT, None, FIRST_REST_EXHAUSTED) for status in (403, 429)),
    (QWEN, 429, openai(code="insufficient_quota"), {}, Scope.ACCOUNT, None, FIRST_REST_EXHAUSTED),
    (QWEN, 403, openai(type="quota_exceeded"), {}, Scope.ACCOUNT, None, FIRST_REST_EXHAUSTED),
    (QWEN, 429, openai("slow"), {"retry-after": "9"}, Scope.MODEL, 9.0, ONCE),
    (QWEN, 429, openai("slow"), {"retry-after": "Wed, 25 Nov 2026 02:01:30 GMT"}, Scope.MODEL, 90.0, ONCE),
    (QWEN, 401, openai("invalid access token or token expired"), {}, Scope.ACCOUNT, None, REFUSED),
    (IFLOW, 401, openai("x"), {}, Scope.ACCOUNT, None, REFUSED),
    (IFLOW, 429, openai("slow"), {}, Scope.MODEL, None, ONCE),
    (IFLOW, 400, openai("x"), {}, Scope.REQUEST, None, None),
    (IFLOW, 200, {"status": "439", "msg": "Your API Token has expired.", "body": None}, {}, Scope.MODEL, None, ONCE),
    (KIMI, 401, openai("x"), {}, Scope.ACCOUNT, None, REFUSED),
    (KIMI, 429, openai("slow"), {}, Scope.MODEL, None, ONCE),
    (KIMI, 429, openai("slow"), {"retry-after": "9"}, Scope.MODEL, 9.0, ONCE),
    (COPILOT, 401, "unauthorized: token expired", {}, Scope.ACCOUNT, None, REFUSED),
    *((COPILOT, status, openai(code="quota_exceeded"), {}, Scope.ACCOUNT, None, FIRST_REST_NOT_IN_PLAN) for status in (402, 403)),
    (COPILOT, 403, "feature flag chat_enabled is off", {}, Scope.ACCOUNT, None, FIRST_REST_NOT_IN_PLAN),
    (COPILOT, 403, openai("Access to this model is not enabled for your plan."), {}, Scope.ACCOUNT, None, FIRST_REST_NOT_IN_PLAN),
    (COPILOT, 400, openai(code="model_not_supported"), {}, Scope.MODEL, None, FIRST_REST_NO_MODEL),
    (COPILOT, 429, openai("slow"), {"retry-after": "9"}, Scope.MODEL, 9.0, ONCE),
    (COPILOT, 429, openai("slow"), {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(LATER)}, Scope.MODEL, 600.0, ONCE),
]  # fmt: skip


def kiro(message: str, reason: str | None = None) -> object:
    return {"message": message, "reason": reason}


BY_KIRO: Sequence[Failure] = [
    (KIRO, 400, kiro("Improperly formed request."), {}, Scope.REQUEST, None, None),
    (KIRO, 400, kiro("Input is too long."), {}, Scope.REQUEST, None, None),
    (KIRO, 500, kiro("x", "CONTENT_LENGTH_EXCEEDS_THRESHOLD"), {}, Scope.REQUEST, None, None),
    (KIRO, 400, kiro("Invalid model.", "INVALID_MODEL_ID"), {}, Scope.MODEL, None, UNKNOWN),
    (KIRO, 400, kiro("profileArn is required for this request."), {}, Scope.ACCOUNT, None, FIRST_REST_SUSPENDED),
    (KIRO, 400, kiro("Invalid profileArn."), {}, Scope.ACCOUNT, None, FIRST_REST_SUSPENDED),
    (KIRO, 401, kiro("The bearer token included in the request is invalid."), {}, Scope.ACCOUNT, None, REFUSED),
    (KIRO, 402, kiro("x"), {}, Scope.ACCOUNT, MONTH_ENDS, FIRST_REST_SUSPENDED),
    (KIRO, 402, kiro("x", "MONTHLY_REQUEST_COUNT"), {}, Scope.ACCOUNT, MONTH_ENDS, FIRST_REST_SUSPENDED),
    (KIRO, 429, kiro("x", "MONTHLY_REQUEST_COUNT"), {}, Scope.ACCOUNT, MONTH_ENDS, FIRST_REST_LIMITED),
    (KIRO, 402, kiro("x", "OVERAGE_REQUEST_LIMIT_EXCEEDED"), {}, Scope.ACCOUNT, MONTH_ENDS, FIRST_REST_SUSPENDED),
    (KIRO, 403, kiro("The security token included in the request is expired"), {}, Scope.ACCOUNT, None, REFUSED),
    (KIRO, 403, {}, {}, Scope.ACCOUNT, None, REFUSED),
    (KIRO, 403, kiro("User is not authorized to make this call."), {}, Scope.ACCOUNT, None, REFUSED),
    (KIRO, 403, kiro("x", "FEATURE_NOT_SUPPORTED"), {}, Scope.ACCOUNT, None, REFUSED),
    (KIRO, 403, kiro("x", "TEMPORARILY_SUSPENDED"), {}, Scope.ACCOUNT, None, FIRST_REST_SUSPENDED),
    *((KIRO, 403, kiro(words), {}, Scope.ACCOUNT, None, FIRST_REST_SUSPENDED)
      for words in ("Your User ID temporarily is suspended.", "Your account is temporarily suspended.", "This account is disabled.",
                    "A violation of terms was found.", "See our terms of service.", "You may appeal.", "Over the quota.",
                    "Limit exceeded.", "Payment required.", "You are not authorized to access this.", "This is not allowed.")),
    (KIRO, 409, kiro("x", "CONVERSATION_LIMIT_EXCEEDED"), {}, Scope.REQUEST, None, None),
    (KIRO, 429, kiro("x", "INSUFFICIENT_MODEL_CAPACITY"), {}, Scope.PROVIDER, None, ONCE),
    (KIRO, 500, kiro("Encountered unexpectedly high load when processing the request"), {}, Scope.PROVIDER, None, ONCE),
    (KIRO, 500, kiro("x", "MODEL_TEMPORARILY_UNAVAILABLE"), {}, Scope.PROVIDER, None, ONCE),
    (KIRO, 429, kiro("x", "DAILY_REQUEST_COUNT"), {}, Scope.ACCOUNT, DAY_ENDS, FIRST_REST_LIMITED),
    (KIRO, 429, kiro("Too many requests"), {}, Scope.ACCOUNT, None, FIRST_REST_LIMITED),
    (KIRO, 429, kiro("Too many requests"), {"retry-after": "12"}, Scope.ACCOUNT, 12.0, FIRST_REST_LIMITED),
    (KIRO, 500, kiro("x"), {}, Scope.MODEL, None, ONCE),
    (KIRO, 503, kiro("x"), {}, Scope.PROVIDER, None, ONCE),
]  # fmt: skip

FAILURES: Sequence[Failure] = [
    *code_assist(GEMINI_CLI),
    *code_assist(ANTIGRAVITY),
    *BY_ANTIGRAVITY,
    *BY_PLANS,
    *BY_PORTALS,
    *BY_KIRO,
]
