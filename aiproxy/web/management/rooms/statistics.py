"""The ledger in the shape of CLIProxyAPI's `/usage` and its `usage-statistics.json`, and back. Pure.

There a request is one attempt. Its `input` holds what was read from a cache (`cached`), its `output` what was thought (`reasoning`)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.usage import TOKENS, Usage
from aiproxy.secrets import digest
from aiproxy.storage.state.calls import LARGEST, text
from aiproxy.storage.state.rows import UsageRow
from aiproxy.usage import Outcome

IMPORTED = "import"
"""The `operation` of rows that another gateway counted."""

NOBODY = "anonymous"
"""Who called, where no key was asked for."""


def statistics(
    by_model: Sequence[Mapping[str, Any]], by_hour: Sequence[Mapping[str, Any]], details: Sequence[UsageRow]
) -> Mapping[str, Any]:
    """From sums by client and model, sums by hour, and single attempts."""
    apis: dict[str, Any] = {}
    for row in by_model:
        api = apis.setdefault(row["client"] or NOBODY, {"total_requests": 0, "total_tokens": 0, "models": {}})
        tokens = _total(row)
        api["total_requests"] += row["attempts"]
        api["total_tokens"] += tokens
        api["models"][row["model"]] = {"total_requests": row["attempts"], "total_tokens": tokens, "details": []}
    for attempt in details:
        model = apis.get(attempt.client or NOBODY, {}).get("models", {}).get(attempt.model)
        if model is not None:  # else it has come since the sums
            model["details"].append(_detail(attempt))
    failed = sum(row["failed"] for row in by_model)
    requests = sum(row["attempts"] for row in by_model)
    usage = {
        "total_requests": requests,
        "success_count": requests - failed,
        "failure_count": failed,
        "total_tokens": sum(_total(row) for row in by_model),
        "apis": apis,
        "requests_by_day": {},
        "requests_by_hour": {},
        "tokens_by_day": {},
        "tokens_by_hour": {},
    }
    for row in by_hour:
        moment = datetime.fromtimestamp(row["hour"], UTC)
        for name, key in (("day", f"{moment:%Y-%m-%d}"), ("hour", f"{moment:%H}")):
            for what, number in (("requests", row["attempts"]), ("tokens", _total(row))):
                counted = usage[f"{what}_by_{name}"]
                counted[key] = counted.get(key, 0) + number
    return {"usage": usage, "failed_requests": failed}


def queued(row: UsageRow, auth_type: str) -> Mapping[str, Any]:
    """A record of `/usage-queue`, as far as the ledger knows: neither where a client called from, nor what headers came, nor a body."""
    used = Usage(**{name: getattr(row, name) for name in TOKENS})
    read, said = used.input_total or 0, used.output_total or 0
    cached, cache_written, thought = used.cache_read or 0, _cache_written(row), used.reasoning or 0
    detail = _detail(row)
    return {
        **detail,
        "ttft_ms": None if row.first_byte is None else round(row.first_byte * 1000),
        "tokens": {
            **detail["tokens"],
            "cache_read_tokens": cached,
            "cache_creation_tokens": cache_written,
        },
        "fail": {"status_code": row.upstream_status or 0, "body": row.error},
        "accounting_version": 2,
        "token_breakdown": {
            "quality": "complete" if row.input_uncached is not None else "unclassified",
            "total": read + said,
            "input": {
                "total": read,
                "uncached": read - cached - cache_written,
                "cache_read": cached,
                "cache_write": cache_written,
            },
            "output": {"total": said, "non_reasoning": said - thought, "reasoning": thought},
            "unclassified": 0,
        },
        "provider": row.provider,
        "model": row.model,
        "alias": row.asked,
        "endpoint": row.protocol,
        "auth_type": auth_type,
        "api_key": row.client,
        "request_id": row.request_id,
    }


def _cache_written(row: UsageRow) -> int:
    return (row.cache_write or 0) + (row.cache_write_1h or 0)


def _total(row: Mapping[str, Any]) -> int:
    return int(sum(row[name] for name in TOKENS))


def _detail(row: UsageRow) -> Mapping[str, Any]:
    used = Usage(**{name: getattr(row, name) for name in TOKENS})
    read, written = used.input_total or 0, used.output_total or 0
    return {
        "timestamp": datetime.fromtimestamp(row.at, UTC).isoformat(),
        "latency_ms": round(row.seconds * 1000),
        "source": row.account,
        "auth_index": digest(row.account)[:16],
        "tokens": {
            "input_tokens": read,
            "output_tokens": written,
            "reasoning_tokens": used.reasoning or 0,
            "cached_tokens": used.cache_read or 0,
            "total_tokens": read + written,
        },
        "failed": row.outcome != Outcome.COMPLETE,
    }


def rows_of(content: Mapping[str, Any], node: str) -> list[UsageRow]:
    """The single attempts of an export. Raises `InvalidRequest` that names what is wrong; clients stand as `*`, for their names may
    be keys."""
    if content.get("version", 1) != 1:
        raise InvalidRequest("An export of version 1 is wanted.", param="version")
    usage = _object(content.get("usage", content), "usage")
    rows: list[UsageRow] = []
    for client, api in _object(usage.get("apis"), "usage.apis").items():
        models = _object(api, "usage.apis.*").get("models")
        for model, counted in _object(models, "usage.apis.*.models").items():
            place = f"usage.apis.*.models.{text(model)}"
            details = _object(counted, place).get("details") or []
            if not isinstance(details, list):
                raise _wrong(f"{place}.details", "a list")
            for number, detail in enumerate(details):
                at = f"{place}.details[{number}]"
                rows.append(_row(client, model, _object(detail, at), node, at))
    return rows


def _row(client: str, model: str, detail: Mapping[str, Any], node: str, place: str) -> UsageRow:
    said = _object(detail.get("tokens") or {}, f"{place}.tokens")
    tokens = {
        name.removesuffix("_tokens"): _count(number, f"{place}.tokens.{name}")
        for name, number in said.items()
        if number is not None
    }
    used = Usage.from_totals(
        input_total=tokens.get("input"),
        cache_read=tokens.get("cached") or None,
        output_total=tokens.get("output"),
        reasoning=tokens.get("reasoning") or None,
        total=tokens.get("total"),
    )
    told = orjson.dumps([client, model, detail], option=orjson.OPT_SORT_KEYS).decode()
    source, latency = detail.get("source", ""), detail.get("latency_ms", 0)
    if not isinstance(source, str):
        raise _wrong(f"{place}.source", "a text")
    if isinstance(latency, bool) or not isinstance(latency, int | float) or not 0 <= latency <= LARGEST:
        raise _wrong(f"{place}.latency_ms", "a number of milliseconds")
    return UsageRow(
        at=_moment(detail.get("timestamp"), f"{place}.timestamp"),
        node=node,
        request_id=f"import_{digest(told)}",
        attempt=1,
        client="" if client == NOBODY else text(client),
        protocol="",
        operation=IMPORTED,
        account=text(source),
        provider="",
        model=text(model),
        seconds=float(latency) / 1000,
        outcome=Outcome.FAILED if detail.get("failed") else Outcome.COMPLETE,
        asked=text(model),
        **{name: getattr(used, name) for name in TOKENS},
    )


def _object(found: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise _wrong(place, "an object")
    return found


def _count(found: Any, place: str) -> int:
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= LARGEST:
        raise _wrong(place, "a number of tokens")
    return found


def _moment(found: Any, place: str) -> float:
    """Seconds since the epoch; a time without a zone is one of UTC."""
    try:
        moment = datetime.fromisoformat(_cut(found))
        at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, AttributeError, TypeError, OverflowError):
        raise _wrong(place, "a time, as `2026-11-25T13:00:00Z`") from None
    if at < 0:
        raise _wrong(place, "a time after 1970")
    return at


def _wrong(place: str, wanted: str) -> InvalidRequest:
    return InvalidRequest(f"This is no export of usage: `{place}` must be {wanted}.", param=place)


def _cut(timestamp: str) -> str:
    """Go writes nanoseconds."""
    whole, point, rest = timestamp.partition(".")
    if not point:
        return timestamp
    digits = "".join(_leading_digits(rest))
    return f"{whole}.{digits[:6]}{rest[len(digits) :]}"


def _leading_digits(text: str) -> Iterator[str]:
    for character in text:
        if not character.isdigit():
            return
        yield character
