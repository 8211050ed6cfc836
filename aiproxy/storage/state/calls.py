"""From the record of a call to its rows: one request row, and a usage row for each attempt. Pure."""

import json
import re
from collections.abc import Iterator

import orjson

from aiproxy.neutral.usage import Usage
from aiproxy.storage.state.rows import RequestRow, UsageRow
from aiproxy.usage import Attempt, CallRecord, Passed

LARGEST = 2**63 - 1
"""Of a BIGINT; an upstream may claim any number of tokens."""

LONGEST_TEXT = 500
"""Characters of a name that are kept: clients choose model names, and whoever may call may send a long one."""

LONGEST_RAW = 4000
"""Characters of an upstream's own words on usage that are kept: real ones are a few hundred."""

MOST_CHOICES = 50
MOST_PASSED = 20
"""Of a call's choices, and of the candidates each passed over, that are kept: a kilobyte usually, and never a hundred."""

_NOTHING = Usage()

_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
"""Characters that no database takes in a text."""


def rows_of(record: CallRecord, node: str, offset: float) -> Iterator[RequestRow | UsageRow]:
    """`offset` is what lies between the record's clock and the time of day, in seconds."""
    ended = record.started if record.ended is None else record.ended
    request_id, client = text(record.request_id), text(record.client)
    yield RequestRow(
        at=ended + offset,
        node=node,
        request_id=request_id,
        client=client,
        protocol=record.protocol,
        operation=record.operation,
        model=text(record.model),
        streamed=int(record.streamed),
        outcome=record.outcome.value if record.outcome else "",
        error=record.error,
        seconds=ended - record.started,
        first_byte=None if record.first_byte is None else record.first_byte - record.started,
        attempts=len(record.attempts),
        decision=_decision(record, offset),
    )
    for number, attempt in enumerate(record.attempts, 1):
        used = attempt.usage or _NOTHING
        yield UsageRow(
            at=attempt.ended + offset,
            node=node,
            request_id=request_id,
            attempt=number,
            client=client,
            protocol=record.protocol,
            operation=record.operation,
            account=text(attempt.account),
            provider=text(attempt.provider),
            model=text(attempt.model),
            seconds=attempt.ended - attempt.started,
            outcome=attempt.outcome.value,
            error=attempt.error,
            upstream_status=attempt.upstream_status,
            input_uncached=_count(used.input_uncached),
            cache_read=_count(used.cache_read),
            cache_write=_count(used.cache_write),
            cache_write_1h=_count(used.cache_write_1h),
            audio_in=_count(used.audio_in),
            tool_prompt=_count(used.tool_prompt),
            output_visible=_count(used.output_visible),
            reasoning=_count(used.reasoning),
            audio_out=_count(used.audio_out),
            server_tools=json.dumps(dict(used.server_tools)) if used.server_tools else "",
            asked=text(record.model),
            session=text(record.session),
            first_byte=_first_byte(record, attempt),
            cost=attempt.cost,
            prices=attempt.prices,
            estimated=int(attempt.estimated),
            raw=_raw(used),
            image_in=_count(used.image_in),
            image_out=_count(used.image_out),
        )


def _raw(used: Usage) -> str:
    """What the upstream said, as it said it."""
    if not used.raw:
        return ""
    try:
        return orjson.dumps(used.raw).decode()[:LONGEST_RAW]
    except TypeError:
        return json.dumps(used.raw)[:LONGEST_RAW]


def _first_byte(record: CallRecord, attempt: Attempt) -> float | None:
    """Only the attempt that the client saw something of has one."""
    first = record.first_byte
    seen = first is not None and attempt.started <= first <= attempt.ended
    return first - attempt.started if first is not None and seen else None


def _decision(record: CallRecord, offset: float) -> str:
    """A JSON list: who was taken for each attempt and why, and who was passed over. Times are seconds since the call came,
    or since the epoch for `until`."""
    if not record.choices:
        return ""
    told = [
        {
            "account": choice.account,
            "model": choice.model,
            "why": choice.why,
            "stage": choice.stage,
            "waited": choice.waited,
            "at": choice.at - record.started,
            "passed": [_passed(each, offset) for each in choice.passed[:MOST_PASSED]],
        }
        for choice in record.choices[:MOST_CHOICES]
    ]
    try:
        return orjson.dumps(told).decode()
    except TypeError:  # half a surrogate pair in a model's name: escaped
        return json.dumps(told)


def _passed(passed: Passed, offset: float) -> dict[str, object]:
    return {**passed._asdict(), "until": None if passed.until is None else passed.until + offset}


def _count(tokens: int | None) -> int | None:
    return None if tokens is None else max(0, min(tokens, LARGEST))


def text(value: str) -> str:
    """What a database takes of a text that others chose."""
    if len(value) <= LONGEST_TEXT and value.isascii() and value.isprintable():  # nearly always, and much the fastest
        return value
    return _UNWRITABLE.sub("�", value[:LONGEST_TEXT])
