"""From the record of a call to its rows: one request row, and a usage row for each attempt. Pure."""

import json
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import attrgetter

import orjson

from aiproxy.neutral.usage import Usage
from aiproxy.storage.state.rows import RequestRow, UsageRow
from aiproxy.usage import CallRecord, Passed

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

_tokens = attrgetter(*UsageRow._fields[14:23], *UsageRow._fields[-3:-1])

_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
"""Characters that no database takes in a text."""


def rows_of(record: CallRecord, node: str, offset: float) -> Iterator[RequestRow | UsageRow]:
    """`offset` is what lies between the record's clock and the time of day, in seconds."""
    started, at = record.started, record.started if record.ended is None else record.ended
    first = record.first_byte
    request_id, client, model, session = record.request_id, _name(record.client), _name(record.model), record.session
    request_id, session = text(request_id), text(session) if session else ""
    protocol, operation, tags = record.protocol, record.operation, tagged(record.tags) if record.tags else ""
    yield RequestRow._make(  # in their order, as below: by name it takes three times as long, and six
        (
            at + offset,
            node,
            request_id,
            client,
            protocol,
            operation,
            model,
            int(record.streamed),
            record.outcome.value if record.outcome else "",
            record.error,
            at - started,
            None if first is None else first - started,
            len(record.attempts),
            _decision(record, offset) if record.choices else "",
        )
    )
    for number, attempt in enumerate(record.attempts, 1):
        used, began, ended = attempt.usage or _NOTHING, attempt.started, attempt.ended
        tokens = _counted(used)
        yield UsageRow._make(
            (
                ended + offset,
                node,
                request_id,
                number,
                client,
                protocol,
                operation,
                _name(attempt.account),
                _name(attempt.provider),
                _name(attempt.model),
                ended - began,
                attempt.outcome.value,
                attempt.error,
                attempt.upstream_status,
                *tokens[:9],
                json.dumps(dict(used.server_tools)) if used.server_tools else "",
                model,
                session,
                # only the attempt that the client saw something of has a first byte
                first - began if first is not None and began <= first <= ended else None,
                attempt.cost,
                attempt.prices,
                int(attempt.estimated),
                _raw(used) if used.raw else "",
                *tokens[9:],
                tags,
            )
        )


@lru_cache(maxsize=1000)
def tagged(tags: tuple[str, ...]) -> str:
    """As a row has them; each is found in it by `tagged((one,))` without the brackets."""
    return json.dumps([text(tag) for tag in tags])


def _raw(used: Usage) -> str:
    """What the upstream said, as it said it."""
    try:
        return orjson.dumps(used.raw).decode()[:LONGEST_RAW]
    except TypeError:
        return json.dumps(used.raw)[:LONGEST_RAW]


def _decision(record: CallRecord, offset: float) -> str:
    """A JSON list: who was taken for each attempt and why, and who was passed over. Times are seconds since the call came,
    or since the epoch for `until`."""
    told = [
        {
            "account": account,
            "model": model,
            "why": why,
            "stage": stage,
            "waited": waited,
            "at": at - record.started,
            "passed": [_passed(each, offset) for each in passed[:MOST_PASSED]] if passed else (),
        }
        for at, account, model, why, stage, waited, passed in record.choices[:MOST_CHOICES]
    ]
    try:
        return orjson.dumps(told).decode()
    except TypeError:  # half a surrogate pair in a model's name: escaped
        return json.dumps(told)


def _passed(passed: Passed, offset: float) -> dict[str, object]:
    return {**passed._asdict(), "until": None if passed.until is None else passed.until + offset}


def _counted(used: Usage) -> Sequence[int | None]:
    """Its buckets in the order of the row's, as far as a number can be written."""
    tokens: Sequence[int | None] = _tokens(used)
    told = [number for number in tokens if number is not None]
    if not told or (min(told) >= 0 and max(told) <= LARGEST):
        return tokens
    return [None if number is None else max(0, min(number, LARGEST)) for number in tokens]


def text(value: str) -> str:
    """What a database takes of a text that others chose."""
    if len(value) <= LONGEST_TEXT and value.isascii() and value.isprintable():  # nearly always, and much the fastest
        return value
    return _UNWRITABLE.sub("�", value[:LONGEST_TEXT])


_name = lru_cache(maxsize=1000)(text)
"""Of what there are few: keys, accounts, models."""
