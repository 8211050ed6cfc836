"""What an upstream's failure is, by status first and then by what the body says. All codecs' `decode_error` share it.

Sources: the error pages of OpenAI, Anthropic and Google, their SDKs' classes, and texts seen from servers that copy them."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from aiproxy.codecs.retry_after import retry_after
from aiproxy.neutral import errors
from aiproxy.neutral.errors import GatewayError, Said

LONGEST_MESSAGE = 2048
"""Characters of an upstream's message that are passed on: enough for every real one, not for a page of HTML."""

_OF_STATUS: Mapping[int, type[GatewayError]] = {
    401: errors.CredentialRefused,
    402: errors.Billing,
    403: errors.CredentialRefused,
    404: errors.NotFound,
    408: errors.Timeout,
    409: errors.Conflict,
    413: errors.TooLarge,
    429: errors.RateLimited,
    499: errors.UpstreamFailed,
    500: errors.UpstreamServerError,
    503: errors.Overloaded,
    504: errors.Timeout,
    529: errors.Overloaded,
}

_OF_WORD: Mapping[str, type[GatewayError]] = {
    "authentication_error": errors.CredentialRefused,
    "invalid_api_key": errors.CredentialRefused,
    "api_key_invalid": errors.CredentialRefused,
    "unauthenticated": errors.CredentialRefused,
    "permission_error": errors.CredentialRefused,
    "permission_denied": errors.CredentialRefused,
    "billing_error": errors.Billing,
    "not_found_error": errors.NotFound,
    "not_found": errors.NotFound,
    "model_not_found": errors.NotFound,
    "conflict_error": errors.Conflict,
    "aborted": errors.Conflict,
    "request_too_large": errors.TooLarge,
    "insufficient_quota": errors.QuotaExhausted,
    "quota_exhausted": errors.QuotaExhausted,
    "quota_exceeded": errors.QuotaExhausted,
    "usage_limit_reached": errors.QuotaExhausted,
    "credit_balance_exhausted": errors.QuotaExhausted,
    "billing_hard_limit_reached": errors.QuotaExhausted,
    "rate_limit_error": errors.RateLimited,
    "rate_limit_exceeded": errors.RateLimited,
    "resource_exhausted": errors.RateLimited,
    "overloaded_error": errors.Overloaded,
    "server_is_overloaded": errors.Overloaded,
    "service_unavailable_error": errors.Overloaded,
    "slow_down": errors.Overloaded,
    "unavailable": errors.Overloaded,
    "timeout_error": errors.Timeout,
    "timeout": errors.Timeout,
    "deadline_exceeded": errors.Timeout,
    "context_length_exceeded": errors.ContextLength,
    "context_too_large": errors.ContextLength,
    "content_policy_violation": errors.ContentBlocked,
    "content_filter": errors.ContentBlocked,
    "invalid_request_error": errors.InvalidRequest,
    "invalid_argument": errors.InvalidRequest,
    "failed_precondition": errors.InvalidRequest,
}
"""The upstream's `code`, `type`, `status` or `reason`, in lower case. Those that don't occur say nothing."""

_CONTEXT_LENGTH = re.compile(
    r"prompt is too long|maximum context length|input token count|too many tokens|exceed(?:s|ed)? (?:the )?(?:available )?"
    r"context|context (?:length|window|limit|size)",
    re.IGNORECASE,
)

_FOREIGN_STATE = re.compile(
    r"invalid `?signature`? in `?thinking|(?:invalid|corrupted) thought signature|invalid_encrypted_content|"
    r"encrypted content .{0,80}(?:could not be|did not match)|thinking_signature_invalid|"
    r"`?thinking`? or `?redacted_thinking`? blocks .{0,80}cannot be modified",
    re.IGNORECASE | re.DOTALL,
)
"""Anthropic's, Google's and OpenAI's words for signed or encrypted thinking that they did not make for this account."""

_A_MODEL = re.compile(r"\bmodels?\b", re.IGNORECASE)
"""What a 404 speaks of that isn't about an address: Anthropic's `model: …`, Google's `models/… is not found`, Ollama's
`model '…' not found`."""

_BY_THE_DAY = re.compile(r"PerDay|Daily")
"""In a Gemini `quotaId`: a quota that no waiting within a request outlasts."""


def error_of(status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
    """Ours for an upstream's failure. `headers` in lower case; status 200 for an error that came inside a stream or a 200.

    The upstream's message is passed on, except where it speaks of our credential."""
    said = said_in(body)
    kind = _kind(status, said)
    message = said.get("message")
    sentence = message[:LONGEST_MESSAGE] if isinstance(message, str) and message.strip() else _unsaid(status)
    if issubclass(kind, errors.CredentialRefused):
        told = "The upstream refused the gateway's credential for it."
        return kind(told, upstream_status=status, said=Said(headers, body))
    when = retry_after(status, headers, sentence, _details(said), said)
    error = kind(sentence, retry_after=when, upstream_status=status, said=Said(headers, body))
    if issubclass(kind, errors.InvalidRequest | errors.NotFound | errors.Conflict | errors.RateLimited):
        error.code = said["code"] if isinstance(said.get("code"), str) else None
        error.param = said["param"] if isinstance(said.get("param"), str) else None
    if isinstance(error, errors.NotFound) and error.code is None and _A_MODEL.search(sentence):
        error.code = "model_not_found"
    return error


def said_in(body: bytes) -> Mapping[str, Any]:
    """The error object in whatever wrapping upstreams use: `{"error": {…}}`, a list of one, a bare text, `message`, `detail`."""
    try:
        found: Any = orjson.loads(body)
    except ValueError:
        return {}
    if isinstance(found, list) and found:
        found = found[0]
    if not isinstance(found, dict):
        return {"message": found} if isinstance(found, str) else {}
    response = found.get("response")
    outer = response if isinstance(response, dict) else found
    inner = outer.get("error") or found.get("detail") or found
    if isinstance(inner, str):
        return {**found, "message": inner}
    return inner if isinstance(inner, dict) else found


def context_length_numbers(message: str) -> tuple[int, int] | None:
    """(tokens of the prompt, tokens the model takes) out of any vendor's text; None when it doesn't give both."""
    for pattern in _NUMBERS:
        if found := pattern.search(message):
            asked, limit, more = (_number(found.groupdict().get(name) or "0") for name in ("asked", "limit", "more"))
            return asked + more, limit
    return None


_NUMBERS = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"too long:\s*(?P<asked>\d[\d,]{0,15})\s*tokens?\s*>\s*(?P<limit>\d[\d,]{0,15})",
        r"exceed context limit:\s*(?P<asked>\d[\d,]{0,15})\s*\+\s*(?P<more>\d[\d,]{0,15})\s*>\s*(?P<limit>\d[\d,]{0,15})",
        r"token count\s*\(?(?P<asked>\d[\d,]{0,15})\)?.{0,80}?allowed\s*\(?(?P<limit>\d[\d,]{0,15})",
        r"maximum context length(?: is| of)?\s*(?P<limit>\d[\d,]{0,15})\s*tokens?.{0,80}?(?:resulted in|requested|contains?)\s*(?:about\s*)?(?P<asked>\d[\d,]{0,15})",
        r"request \((?P<asked>\d[\d,]{0,15}) tokens\) exceeds.{0,40}?\((?P<limit>\d[\d,]{0,15})",
    )
)

_WORDING: Mapping[str, tuple[str, str]] = {
    "openai": (
        "This model's maximum context length is {limit} tokens. However, your messages resulted in {asked} tokens. "
        "Please reduce the length of the messages.",
        "This request is over the model's maximum context length: {message}",
    ),
    "anthropic": ("prompt is too long: {asked} tokens > {limit} maximum", "prompt is too long: {message}"),
    "gemini": (
        "The input token count ({asked}) exceeds the maximum number of tokens allowed ({limit}).",
        "The input token count exceeds the maximum number of tokens allowed: {message}",
    ),
}
"""Wording by vendor, with the numbers and without: agents look for these words to know that they must compact."""


def context_length_text(message: str, vendor: str) -> str:
    """A context-length message in the words of `vendor` (openai, anthropic, gemini), with the numbers of the original.

    A message that is in these words already stays."""
    with_numbers, without = _WORDING[vendor]
    if message.startswith(without.partition("{")[0]):
        return message
    if numbers := context_length_numbers(message):
        asked, limit = numbers
        return with_numbers.format(asked=asked, limit=limit)
    return without.format(message=message)


def _kind(status: int, said: Mapping[str, Any]) -> type[GatewayError]:
    message = said.get("message")
    text = message if isinstance(message, str) else ""
    words = [_OF_WORD[word] for word in _words(said) if word in _OF_WORD]
    if status < 400:
        code = said.get("code")
        if isinstance(code, int) and 400 <= code < 600:
            return _kind(code, said)
        specific = next(iter(words), errors.UpstreamServerError)
    elif status in _OF_STATUS:
        specific = _OF_STATUS[status]
        if status in (402, 403, 429) and errors.QuotaExhausted in words:
            specific = errors.QuotaExhausted
        if status == 413 and _CONTEXT_LENGTH.search(text):
            specific = errors.ContextLength
    elif status < 500:
        specific = next((word for word in words if word is not errors.InvalidRequest), errors.InvalidRequest)
    else:
        specific = errors.UpstreamFailed
    if specific is errors.InvalidRequest and _CONTEXT_LENGTH.search(text):
        return errors.ContextLength
    if specific is errors.InvalidRequest and _FOREIGN_STATE.search(f"{said.get('code')} {text}"):
        return errors.ForeignState
    if specific is errors.RateLimited and any(_BY_THE_DAY.search(quota) for quota in _quotas(said)):
        return errors.QuotaExhausted
    return specific


def _words(said: Mapping[str, Any]) -> Iterator[str]:
    """What classifies the error, the most exact word first."""
    reasons = [detail.get("reason") for detail in _details(said)]
    for word in (*reasons, said.get("code"), said.get("type"), said.get("status")):
        if isinstance(word, str):
            yield word.lower()


def _details(said: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    details = said.get("details")
    return [detail for detail in details if isinstance(detail, dict)] if isinstance(details, list) else []


def _quotas(said: Mapping[str, Any]) -> Iterator[str]:
    for detail in _details(said):
        violations = detail.get("violations")
        for violation in violations if isinstance(violations, list) else ():
            if isinstance(violation, dict) and isinstance(quota := violation.get("quotaId"), str):
                yield quota


def _unsaid(status: int) -> str:
    return (
        f"The upstream answered {status} and gave no reason."
        if status >= 400
        else "The upstream failed and gave no reason."
    )


def _number(text: str) -> int:
    return int(text.replace(",", ""))
