"""Kiro's failures → ours: by the `reason` and the words of an error body, of an exception in a stream, or of an event that is one.

Source: provider sheet kiro, section 11."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

from aiproxy.codecs.failures import error_of, said_in
from aiproxy.codecs.json_bytes import dump
from aiproxy.neutral import errors
from aiproxy.neutral.errors import GatewayError, Said

_KINDS: Final[tuple[tuple[re.Pattern[str], type[GatewayError]], ...]] = tuple(
    (re.compile(pattern, re.IGNORECASE), kind)
    for pattern, kind in (
        (r"CONTENT_LENGTH_EXCEEDS_THRESHOLD|input is too long", errors.ContextLength),
        (r"INVALID_MODEL_ID", errors.NotFound),
        (r"MONTHLY_REQUEST_COUNT|OVERAGE_REQUEST_LIMIT_EXCEEDED|DAILY_REQUEST_COUNT", errors.QuotaExhausted),
        (r"INSUFFICIENT_MODEL_CAPACITY|MODEL_TEMPORARILY_UNAVAILABLE|unexpectedly high load", errors.Overloaded),
        (r"profileArn is required|Invalid profileArn|TEMPORARILY_SUSPENDED", errors.CredentialRefused),
    )
)
"""What the body says, whatever its status: the first that fits."""

_STATUSES: Final[Mapping[str, int]] = {
    "throttlingexception": 429,
    "servicequotaexceededexception": 402,
    "validationexception": 400,
    "accessdeniedexception": 403,
    "conflictexception": 409,
    "resourcenotfoundexception": 404,
    "internalserverexception": 500,
    "serviceunavailableexception": 503,
}
"""Of exceptions in a stream, which has a status of its own: the one they would have had before it."""

_BY_THE_MONTH = re.compile(r"MONTHLY_REQUEST_COUNT|OVERAGE_REQUEST_LIMIT_EXCEEDED")


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
    error = error_of(status, headers, body)
    said = said_in(body)
    words = " ".join(
        str(each)
        for each in (said.get("reason"), said.get("__type"), said.get("message"), headers.get("x-amzn-errortype"))
        if each
    )
    kind = next((kind for pattern, kind in _KINDS if pattern.search(words)), None)
    if status == 402:
        kind = errors.QuotaExhausted
    if kind is None:
        return error
    message = said.get("message")
    sentence = (
        message if isinstance(message, str) and message and kind is not errors.CredentialRefused else error.message
    )
    wait = error.retry_after
    if kind is errors.QuotaExhausted and wait is None:
        by_the_month = status == 402 or _BY_THE_MONTH.search(words) is not None
        wait = seconds_to_reset(headers.get("date", ""), by_the_month=by_the_month)
    code = "model_not_found" if kind is errors.NotFound else None
    return kind(sentence, code=code, retry_after=wait, upstream_status=status, said=Said(headers, body))


def seconds_to_reset(date: str, *, by_the_month: bool) -> float | None:
    """Until the next month or day begins, in UTC, by the answer's own date; None where it has none."""
    try:
        now = parsedate_to_datetime(date).astimezone(UTC)
    except (TypeError, ValueError, IndexError):
        return None
    today = datetime(now.year, now.month, now.day, tzinfo=UTC)
    reset = (today.replace(day=1) + timedelta(days=32)).replace(day=1) if by_the_month else today + timedelta(days=1)
    return (reset - now).total_seconds()


def exception(kind: str, data: bytes) -> GatewayError:
    """Of a stream."""
    status = _STATUSES.get(kind.rpartition("#")[2].lower(), 500)
    said: dict[str, Any] = dict(said_in(data))
    said.setdefault("message", f"The upstream ended its stream with {kind or 'an error'}.")
    return decode_error(status, {}, dump({**said, "__type": kind}))
