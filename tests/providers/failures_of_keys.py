"""What upstreams with keys say when they fail, as their documentation, their SDKs and their clients' sources have it: whom it
blames, the seconds they name (None: they name none), and those of a first rest where they name none (None: nobody rests)."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiproxy.pools.verdict import FIRST_REST, FIRST_REST_REFUSED, FIRST_REST_UNKNOWN_MODEL, Scope
from aiproxy.providers.aistudio import AISTUDIO
from aiproxy.providers.base import Provider
from aiproxy.providers.claude import CLAUDE
from aiproxy.providers.codex import CODEX
from aiproxy.providers.faults import FIRST_REST_CHALLENGED
from aiproxy.providers.gemini import GEMINI
from aiproxy.providers.ollama import FIRST_REST_NOT_PULLED, OLLAMA
from aiproxy.providers.openai import OPENAI
from aiproxy.providers.openai_compatible import OPENAI_COMPATIBLE
from aiproxy.providers.vertex import VERTEX
from aiproxy.providers.xai import XAI

Failure = tuple[Provider, int, object, Mapping[str, str], Scope, float | None, float | None]
"""Provider, status (200: inside a stream), body, headers, whom it blames, the seconds that it names, those of a first rest."""

DATE = "Wed, 25 Nov 2026 02:00:00 GMT"
LATER = 1795572000 + 600
"""Ten minutes after."""

ONCE, REFUSED, UNKNOWN = FIRST_REST, FIRST_REST_REFUSED, FIRST_REST_UNKNOWN_MODEL


def google(code: int, status: str, message: str, **detail: Any) -> object:
    return {"error": {"code": code, "status": status, "message": message, "details": [detail]}}


def quota(name: str, **more: Any) -> object:
    """A full body of the Gemini API's, of this quota."""
    violation = {"quotaMetric": "generativelanguage.googleapis.com/requests", "quotaId": name, "quotaValue": "10"}
    kind = "type.googleapis.com/google.rpc."
    details: list[object] = [
        {"@type": f"{kind}QuotaFailure", "violations": [violation]},
        {"@type": f"{kind}Help", "links": [{"url": "https://ai.google.dev/gemini-api/docs/rate-limits"}]},
    ]
    if more:
        details.append({"@type": f"{kind}RetryInfo", **more})
    return {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "quota", "details": details}}


def claude(kind: str, message: str = "x") -> object:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}


def openai(message: str = "x", **more: Any) -> object:
    return {"error": {"message": message, "param": None, **more}}


def failed(code: str, message: str = "x") -> object:
    """A Responses stream that ends so."""
    return {"type": "response.failed", "response": {"status": "failed", "error": {"code": code, "message": message}}}


LIMITED = claude("rate_limit_error", "This request would exceed your account's rate limit.")


def rejected(window: str, reset: str = "") -> Mapping[str, str]:
    """Headers of a Claude plan one of whose windows is used up."""
    name = f"anthropic-ratelimit-unified-{window}"
    return {f"{name}status": "rejected", **({f"{name}reset": reset} if reset else {})}


BY_GEMINI: Sequence[Failure] = [
    (GEMINI, 400, google(400, "INVALID_ARGUMENT", "Invalid JSON payload received."), {}, Scope.REQUEST, None, None),
    (GEMINI, 400, google(400, "INVALID_ARGUMENT", "API key not valid.", reason="API_KEY_INVALID"), {}, Scope.ACCOUNT, None, REFUSED),
    (GEMINI, 400, google(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), {},
     Scope.NETWORK, None, REFUSED),
    (GEMINI, 400, google(400, "FAILED_PRECONDITION", "Gemini API free tier is not available in your country. "
                         "Please enable billing on your project in Google AI Studio."), {}, Scope.ACCOUNT, None, REFUSED),
    (GEMINI, 400, google(400, "INVALID_ARGUMENT", "Corrupted thought signature."), {}, Scope.REQUEST, None, None),
    (GEMINI, 400, google(400, "INVALID_ARGUMENT", "The input token count (1048577) exceeds the maximum number of tokens allowed "
                         "(1048576)."), {}, Scope.REQUEST, None, None),
    (GEMINI, 401, google(401, "UNAUTHENTICATED", "no"), {}, Scope.ACCOUNT, None, REFUSED),
    (GEMINI, 403, google(403, "PERMISSION_DENIED", "no"), {}, Scope.ACCOUNT, None, REFUSED),
    (GEMINI, 404, google(404, "NOT_FOUND", "models/gemini-9 is not found for API version v1beta"), {}, Scope.MODEL, None, UNKNOWN),
    (GEMINI, 404, google(404, "NOT_FOUND", "Requested entity was not found."), {}, Scope.REQUEST, None, None),
    (GEMINI, 429, quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", retryDelay="37s"), {}, Scope.MODEL, 37.0, ONCE),
    (GEMINI, 429, [quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", retryDelay="0.5s")], {}, Scope.MODEL, 0.5, ONCE),
    (GEMINI, 429, quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier"), {}, Scope.MODEL, None, ONCE),
    (GEMINI, 429, quota("RequestsPerDayPerProject"), {}, Scope.ACCOUNT, None, ONCE),
    (GEMINI, 429, google(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota. Please retry in 37.2s."), {}, Scope.MODEL, 37.2, ONCE),
    (GEMINI, 429, google(429, "RESOURCE_EXHAUSTED", "q", metadata={"quotaResetDelay": "1h16m0.667s"}), {}, Scope.MODEL, 4560.667, ONCE),
    (GEMINI, 429, google(429, "RESOURCE_EXHAUSTED", "Your quota will reset after 31s."), {}, Scope.MODEL, 31.0, ONCE),
    (GEMINI, 499, google(499, "CANCELLED", "The operation was cancelled."), {}, Scope.MODEL, None, ONCE),
    (GEMINI, 500, google(500, "INTERNAL", "An internal error has occurred."), {}, Scope.MODEL, None, ONCE),
    (GEMINI, 503, google(503, "UNAVAILABLE", "The model is overloaded."), {}, Scope.PROVIDER, None, ONCE),
    (GEMINI, 504, google(504, "DEADLINE_EXCEEDED", "Deadline expired."), {}, Scope.MODEL, None, ONCE),
    (GEMINI, 200, google(503, "UNAVAILABLE", "The model is overloaded."), {}, Scope.PROVIDER, None, ONCE),
    (GEMINI, 200, quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", retryDelay="37s"), {}, Scope.MODEL, 37.0, ONCE),
    (VERTEX, 400, google(400, "INVALID_ARGUMENT", "no"), {}, Scope.REQUEST, None, None),
    (VERTEX, 400, google(400, "FAILED_PRECONDITION", "User location is not supported for the API use."), {},
     Scope.NETWORK, None, REFUSED),
    (VERTEX, 401, google(401, "UNAUTHENTICATED", "invalid authentication credentials"), {}, Scope.ACCOUNT, None, REFUSED),
    (VERTEX, 403, google(403, "PERMISSION_DENIED", "Vertex AI API has not been used in project 1.", reason="SERVICE_DISABLED"), {},
     Scope.ACCOUNT, None, REFUSED),
    (VERTEX, 404, google(404, "NOT_FOUND", "Publisher Model `publishers/google/models/x` was not found."), {},
     Scope.MODEL, None, UNKNOWN),
    (VERTEX, 429, google(429, "RESOURCE_EXHAUSTED", "Resource exhausted. Please try again later."), {}, Scope.MODEL, None, ONCE),
    (VERTEX, 500, google(500, "INTERNAL", "no"), {}, Scope.MODEL, None, ONCE),
    (VERTEX, 503, google(503, "UNAVAILABLE", "no"), {}, Scope.PROVIDER, None, ONCE),
]  # fmt: skip

BY_CLAUDE: Sequence[Failure] = [
    (CLAUDE, 400, claude("invalid_request_error"), {}, Scope.REQUEST, None, None),
    (CLAUDE, 400, claude("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"), {}, Scope.REQUEST, None, None),
    (CLAUDE, 400, claude("invalid_request_error", "messages.1.content.0: Invalid `signature` in `thinking` block"), {},
     Scope.REQUEST, None, None),
    (CLAUDE, 401, claude("authentication_error", "invalid x-api-key"), {}, Scope.ACCOUNT, None, REFUSED),
    (CLAUDE, 402, claude("billing_error", "Your credit balance is too low"), {}, Scope.ACCOUNT, None, REFUSED),
    (CLAUDE, 403, claude("permission_error"), {}, Scope.ACCOUNT, None, REFUSED),
    (CLAUDE, 404, claude("not_found_error", "model: claude-9"), {}, Scope.MODEL, None, UNKNOWN),
    (CLAUDE, 404, claude("not_found_error", "Not found"), {}, Scope.REQUEST, None, None),
    (CLAUDE, 408, claude("timeout_error"), {}, Scope.MODEL, None, ONCE),
    (CLAUDE, 409, claude("conflict_error"), {}, Scope.REQUEST, None, None),
    (CLAUDE, 412, claude("invalid_request_error"), {}, Scope.REQUEST, None, None),
    (CLAUDE, 413, claude("request_too_large"), {}, Scope.REQUEST, None, None),
    (CLAUDE, 422, claude("invalid_request_error"), {}, Scope.REQUEST, None, None),
    (CLAUDE, 429, LIMITED, {}, Scope.MODEL, None, ONCE),
    (CLAUDE, 429, LIMITED, {"retry-after": "30"}, Scope.MODEL, 30.0, ONCE),
    (CLAUDE, 429, LIMITED, {"retry-after": "Wed, 25 Nov 2026 02:00:45 GMT"}, Scope.MODEL, 45.0, ONCE),
    (CLAUDE, 429, LIMITED, {"anthropic-ratelimit-requests-remaining": "0",
                            "anthropic-ratelimit-requests-reset": "2026-11-25T02:00:20Z",
                            "anthropic-ratelimit-tokens-remaining": "9",
                            "anthropic-ratelimit-tokens-reset": "2026-11-25T02:09:00Z"}, Scope.MODEL, 20.0, ONCE),
    (CLAUDE, 429, LIMITED, {**rejected("5h-", str(LATER)),
                            "anthropic-ratelimit-unified-7d-status": "allowed",
                            "anthropic-ratelimit-unified-7d-reset": str(LATER + 9999)}, Scope.ACCOUNT, 600.0, ONCE),
    (CLAUDE, 429, LIMITED, {**rejected("7d-", f"{LATER}.5"), "retry-after": "60"}, Scope.ACCOUNT, 600.5, ONCE),
    (CLAUDE, 429, LIMITED, rejected("", "2026-11-25T02:10:00Z"), Scope.ACCOUNT, 600.0, ONCE),
    (CLAUDE, 429, LIMITED, {**rejected(""), **rejected("7d_oi-", str(LATER))}, Scope.MODEL, 600.0, ONCE),
    (CLAUDE, 429, claude("rate_limit_error", "Usage credits are required for fast mode"), {}, Scope.REQUEST, None, None),
    (CLAUDE, 429, claude("rate_limit_error", "Fast request rejected"), {}, Scope.REQUEST, None, None),
    (CLAUDE, 500, claude("api_error", "Internal server error"), {}, Scope.MODEL, None, ONCE),
    (CLAUDE, 503, claude("api_error"), {}, Scope.PROVIDER, None, ONCE),
    (CLAUDE, 504, claude("timeout_error"), {}, Scope.MODEL, None, ONCE),
    (CLAUDE, 529, claude("overloaded_error", "Overloaded"), {}, Scope.PROVIDER, None, ONCE),
    (CLAUDE, 529, claude("overloaded_error", "Overloaded"), {"retry-after": "9"}, Scope.PROVIDER, 9.0, ONCE),
    (CLAUDE, 200, claude("overloaded_error", "Overloaded"), {}, Scope.PROVIDER, None, ONCE),
    (CLAUDE, 200, claude("rate_limit_error"), {}, Scope.MODEL, None, ONCE),
    (CLAUDE, 200, claude("api_error"), {}, Scope.MODEL, None, ONCE),
]  # fmt: skip

INVALID = "invalid_request_error"

BY_OPENAI: Sequence[Failure] = [
    *((OPENAI, 400, openai(type=INVALID, code=code), {}, Scope.REQUEST, None, None)
      for code in ("context_length_exceeded", "invalid_value", "unknown_parameter", "unsupported_parameter",
                   "unsupported_value", "content_policy_violation", None)),
    (OPENAI, 401, openai(type=INVALID, code="invalid_api_key"), {}, Scope.ACCOUNT, None, REFUSED),
    (OPENAI, 401, openai(type=INVALID, code="invalid_organization"), {}, Scope.ACCOUNT, None, REFUSED),
    (OPENAI, 401, openai(type="authentication_error", code=None), {}, Scope.ACCOUNT, None, REFUSED),
    (OPENAI, 403, openai("Country, region, or territory not supported", type="request_forbidden",
                         code="unsupported_country_region_territory"), {}, Scope.NETWORK, None, REFUSED),
    (OPENAI, 403, openai("Project does not have access to model `x`", type=INVALID, code="model_not_found"), {},
     Scope.MODEL, None, UNKNOWN),
    (OPENAI, 403, openai(type="permission_error"), {}, Scope.ACCOUNT, None, REFUSED),
    (OPENAI, 403, openai(), {"cf-mitigated": "challenge"}, Scope.NETWORK, None, FIRST_REST_CHALLENGED),
    (OPENAI, 404, openai("The model `x` does not exist or you do not have access to it.", type=INVALID,
                         code="model_not_found"), {}, Scope.MODEL, None, UNKNOWN),
    (OPENAI, 408, openai(type=INVALID), {}, Scope.MODEL, None, ONCE),
    *((OPENAI, status, openai(type=INVALID), {}, Scope.REQUEST, None, None) for status in (409, 413, 422)),
    (OPENAI, 429, openai("Rate limit reached. Please try again in 6m0s.", type="requests", code="rate_limit_exceeded"), {},
     Scope.MODEL, 360.0, ONCE),
    (OPENAI, 429, openai("Rate limit reached. Please try again in 20ms.", type="tokens", code="rate_limit_exceeded"), {},
     Scope.MODEL, 0.02, ONCE),
    (OPENAI, 429, openai(type="rate_limit_error"), {"retry-after-ms": "1500.5", "retry-after": "1"}, Scope.MODEL, 1.5005, ONCE),
    (OPENAI, 429, openai(type="rate_limit_error"), {"retry-after": "2.5"}, Scope.MODEL, 2.5, ONCE),
    (OPENAI, 429, openai(type="tokens"), {"x-ratelimit-remaining-requests": "9", "x-ratelimit-reset-requests": "8h0m0s",
                                          "x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"},
     Scope.MODEL, 360.0, ONCE),
    (OPENAI, 429, openai(type="tokens"), {"x-ratelimit-reset-tokens": "1s"}, Scope.MODEL, 1.0, ONCE),
    (OPENAI, 429, openai("You exceeded your current quota", type="insufficient_quota", code="insufficient_quota"), {},
     Scope.ACCOUNT, None, ONCE),
    (OPENAI, 429, openai(type="insufficient_quota", code="credit_balance_exhausted"), {}, Scope.ACCOUNT, None, ONCE),
    (OPENAI, 500, openai("The server had an error", type="server_error"), {}, Scope.MODEL, None, ONCE),
    (OPENAI, 502, openai(type="server_error"), {}, Scope.MODEL, None, ONCE),
    (OPENAI, 503, openai(type="service_unavailable_error", code="slow_down"), {}, Scope.PROVIDER, None, ONCE),
    (OPENAI, 503, openai(type="service_unavailable_error", code="server_is_overloaded"), {"retry-after": "3"}, Scope.PROVIDER, 3.0, ONCE),
    (OPENAI, 504, openai(type="server_error"), {}, Scope.MODEL, None, ONCE),
    (OPENAI, 200, openai(type="server_error"), {}, Scope.MODEL, None, ONCE),
    (OPENAI, 200, openai(code="rate_limit_exceeded"), {}, Scope.MODEL, None, ONCE),
    (CODEX, 400, openai(type=INVALID, code="previous_response_not_found"), {}, Scope.REQUEST, None, None),
    (CODEX, 404, openai("Previous response with id 'resp_1' not found.", type=INVALID, code="previous_response_not_found"), {},
     Scope.REQUEST, None, None),
    (CODEX, 404, openai("Response with id 'resp_1' not found.", type=INVALID), {}, Scope.REQUEST, None, None),
    (CODEX, 400, openai(type=INVALID, code="integer_below_min_value"), {}, Scope.REQUEST, None, None),
    (CODEX, 400, openai("No tool output found for function call call_1."), {}, Scope.REQUEST, None, None),
    (CODEX, 401, openai(code="invalid_api_key"), {}, Scope.ACCOUNT, None, REFUSED),
    (CODEX, 429, openai(type="usage_limit_reached", resets_in_seconds=4321), {}, Scope.ACCOUNT, 4321.0, ONCE),
    (CODEX, 429, openai(type="usage_limit_reached", resets_at=LATER), {}, Scope.ACCOUNT, 600.0, ONCE),
    (CODEX, 429, openai("Selected model is at capacity. Please try a different model."), {}, Scope.MODEL, None, ONCE),
    (CODEX, 200, failed("server_error"), {}, Scope.MODEL, None, ONCE),
    (XAI, 400, {"code": "Client specified an invalid argument", "error": "Incorrect API key provided: xa***."}, {},
     Scope.ACCOUNT, None, REFUSED),
    (XAI, 400, {"code": "Client specified an invalid argument", "error": "Each message must have at least one content."}, {},
     Scope.REQUEST, None, None),
    (XAI, 403, {"code": "unauthenticated:bad-credentials", "error": "The OAuth2 access token could not be validated."}, {},
     Scope.ACCOUNT, None, REFUSED),
    (XAI, 404, {"code": "Some requested entity was not found", "error": "The model grok-9 does not exist"}, {},
     Scope.MODEL, None, UNKNOWN),
    (XAI, 429, {"code": "Some resource has been exhausted", "error": "Too many requests"}, {}, Scope.MODEL, None, ONCE),
    (XAI, 200, failed("server_error"), {}, Scope.MODEL, None, ONCE),
    (CODEX, 200, failed("rate_limit_exceeded", "Rate limit reached. Please try again in 11.054s."), {}, Scope.MODEL, 11.054, ONCE),
    (CODEX, 200, failed("server_is_overloaded"), {}, Scope.PROVIDER, None, ONCE),
    (CODEX, 200, failed("slow_down"), {}, Scope.PROVIDER, None, ONCE),
    (CODEX, 200, failed("vector_store_timeout"), {}, Scope.MODEL, None, ONCE),
    (CODEX, 200, failed("insufficient_quota"), {}, Scope.ACCOUNT, None, ONCE),
    (CODEX, 200, failed("usage_not_included"), {}, Scope.ACCOUNT, None, ONCE),
    *((CODEX, 200, failed(code), {}, Scope.REQUEST, None, None)
      for code in ("context_length_exceeded", "invalid_prompt", "bio_policy", "misalignment_policy_violation", "cyber_policy",
                   "invalid_image_url", "image_too_large", "image_too_small", "image_parse_error",
                   "image_content_policy_violation", "data_residency_mismatch")),
    (CODEX, 200, {"type": "error", "code": "rate_limit_exceeded", "message": "x", "param": None}, {}, Scope.MODEL, None, ONCE),
    (CODEX, 200, {"type": "error", "code": "server_error", "message": "x", "param": None}, {}, Scope.MODEL, None, ONCE),
]  # fmt: skip

BY_OTHERS: Sequence[Failure] = [
    (OPENAI_COMPATIBLE, 400, openai(code="model_not_supported"), {}, Scope.MODEL, None, UNKNOWN),
    (OPENAI_COMPATIBLE, 400, openai("Missing reasoning_content field in the assistant message at message index 3"), {},
     Scope.REQUEST, None, None),
    (OPENAI_COMPATIBLE, 401, openai("Authentication Fails", type="authentication_error", code=INVALID), {}, Scope.ACCOUNT, None, REFUSED),
    (OPENAI_COMPATIBLE, 402, openai("Insufficient Balance"), {}, Scope.ACCOUNT, None, REFUSED),
    (OPENAI_COMPATIBLE, 403, openai(), {}, Scope.ACCOUNT, None, REFUSED),
    (OPENAI_COMPATIBLE, 403, {"code": "unauthenticated:bad-credentials", "error": "The access token could not be validated."}, {},
     Scope.ACCOUNT, None, REFUSED),
    (OPENAI_COMPATIBLE, 403, {"error": "challenge"}, {"cf-mitigated": "challenge"}, Scope.NETWORK, None, FIRST_REST_CHALLENGED),
    (OPENAI_COMPATIBLE, 429, openai(), {}, Scope.MODEL, None, ONCE),
    (OPENAI_COMPATIBLE, 429, openai(), {"retry-after": "7"}, Scope.MODEL, 7.0, ONCE),
    (OPENAI_COMPATIBLE, 429, {"code": "subscription:free-usage-exhausted", "error": "You have used all included free usage"}, {},
     Scope.MODEL, None, ONCE),
    (OPENAI_COMPATIBLE, 500, "<html>", {}, Scope.MODEL, None, ONCE),
    (OPENAI_COMPATIBLE, 503, {"error": "Service Unavailable"}, {}, Scope.PROVIDER, None, ONCE),
    (OPENAI_COMPATIBLE, 200, openai(code=429), {}, Scope.MODEL, None, ONCE),
    (OPENAI_COMPATIBLE, 200, openai(status=429), {}, Scope.MODEL, None, ONCE),
    (OPENAI_COMPATIBLE, 200, openai(status_code=401), {}, Scope.ACCOUNT, None, REFUSED),
    (OPENAI_COMPATIBLE, 200, {"status": 503, "error": {"message": "x"}}, {}, Scope.PROVIDER, None, ONCE),
    (OPENAI_COMPATIBLE, 200, {"code": 429, "message": "x"}, {}, Scope.MODEL, None, ONCE),
    (OPENAI_COMPATIBLE, 200, {"type": "response.failed", "response": {"error": {"message": "x", "status": 429}}}, {},
     Scope.MODEL, None, ONCE),
    (OPENAI_COMPATIBLE, 200, openai(), {}, Scope.MODEL, None, ONCE),
    (OLLAMA, 400, {"error": "missing request body"}, {}, Scope.REQUEST, None, None),
    (OLLAMA, 400, {"error": "model is required"}, {}, Scope.REQUEST, None, None),
    (OLLAMA, 400, {"error": '"x" does not support tools'}, {}, Scope.REQUEST, None, None),
    (OLLAMA, 401, {"error": "unauthorized", "signin_url": "https://ollama.com/connect"}, {}, Scope.ACCOUNT, None, REFUSED),
    (OLLAMA, 404, {"error": "model 'x' not found"}, {}, Scope.MODEL, None, FIRST_REST_NOT_PULLED),
    (OLLAMA, 429, {"error": "too many requests"}, {"retry-after": "5"}, Scope.MODEL, 5.0, ONCE),
    (OLLAMA, 500, {"error": "llama runner process has terminated"}, {}, Scope.MODEL, None, ONCE),
    (OLLAMA, 502, {"error": "bad gateway"}, {}, Scope.MODEL, None, ONCE),
    (OLLAMA, 503, {"error": "server busy, please try again. maximum pending requests exceeded"}, {}, Scope.PROVIDER, None, ONCE),
    (OLLAMA, 200, {"error": "an error was encountered while running the model"}, {}, Scope.MODEL, None, ONCE),
]  # fmt: skip

BY_RELAYS: Sequence[Failure] = [(AISTUDIO, *failure[1:]) for failure in BY_GEMINI]
"""Google's words reach us as a page got them."""

FAILURES: Sequence[Failure] = [*BY_GEMINI, *BY_RELAYS, *BY_CLAUDE, *BY_OPENAI, *BY_OTHERS]
