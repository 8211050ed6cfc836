"""The ledger in the shape of CLIProxyAPI's `/usage` and its `usage-statistics.json`, and back. Pure.

There a request is one attempt. Its `input` holds what was read from a cache (`cached`), its `output` what was thought (`reasoning`)."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.usage import Usage
from aiproxy.secrets import digest
from aiproxy.storage.state.asking import TOKENS
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
    """The single attempts of an export. Raises `InvalidRequest` that names what is wrong."""
    usage = content.get("usage", content)
    if content.get("version", 1) != 1:
        raise InvalidRequest("An export of version 1 is wanted.", param="version")
    try:
        return [
            _row(client, model, detail, node)
            for client, api in usage["apis"].items()
            for model, counted in api["models"].items()
            for detail in counted.get("details") or ()
        ]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidRequest(f"This is no export of usage: {type(error).__name__} at {error}.", param="usage") from None


def _row(client: str, model: str, detail: Mapping[str, Any], node: str) -> UsageRow:
    tokens = {name.removesuffix("_tokens"): int(number) for name, number in detail.get("tokens", {}).items()}
    used = Usage.from_totals(
        input_total=tokens.get("input"),
        cache_read=tokens.get("cached") or None,
        output_total=tokens.get("output"),
        reasoning=tokens.get("reasoning") or None,
        total=tokens.get("total"),
    )
    told = orjson.dumps([client, model, detail], option=orjson.OPT_SORT_KEYS).decode()
    return UsageRow(
        at=datetime.fromisoformat(_cut(detail["timestamp"])).timestamp(),
        node=node,
        request_id=f"import_{digest(told)}",
        attempt=1,
        client="" if client == NOBODY else client,
        protocol="",
        operation=IMPORTED,
        account=str(detail.get("source", "")),
        provider="",
        model=model,
        seconds=float(detail.get("latency_ms", 0)) / 1000,
        outcome=Outcome.FAILED if detail.get("failed") else Outcome.COMPLETE,
        asked=model,
        **{name: getattr(used, name) for name in TOKENS},
    )


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
