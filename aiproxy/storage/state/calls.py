"""From records of calls to rows of the log: a usage row for each attempt, and a request row for each call that was more than one attempt,
or less. Pure.

Calls come some at a time, and are turned column by column: row by row it takes three times as long."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

import orjson

from aiproxy.neutral.usage import TOKENS, Usage
from aiproxy.storage.state.log_rows import LogRows
from aiproxy.storage.state.rows import USAGE, RequestRow
from aiproxy.usage import CallRecord, Choice, Passed

LARGEST = 2**63 - 1
"""Of a BIGINT; an upstream may claim any number of tokens."""

LONGEST_TEXT = 500
"""Characters of a name that are kept: clients choose model names, and whoever may call may send a long one."""

LONGEST_RAW = 4000
"""Characters of an upstream's own words on usage that are kept: real ones are a few hundred."""

MOST_CHOICES = 50
MOST_PASSED = 20
"""Of a call's choices, and of the candidates each passed over, that are kept: a kilobyte usually, and never a hundred."""

TOGETHER = 0.005
"""Seconds that need no telling: of a wait for an account, between its choice and the attempt, between the attempt's end and the call's."""

ASKED = "asked"
"""The stage that a choice is of where nothing is said."""

_NOTHING = Usage()

_tokens = attrgetter(*TOKENS)

_facts = attrgetter(
    "request_id", "client", "protocol", "operation", "model", "session", "tags", "started", "first_byte", "streamed"
)

_UNWRITABLE = re.compile("[\0\ud800-\udfff]")
"""Characters that no database takes in a text."""


def logged(calls: Sequence[CallRecord], node: str, offset: float) -> Iterator[LogRows]:
    """`offset` is what lies between the records' clock and the time of day, in seconds."""
    decided = [_decided(call, offset) for call in calls]
    if apart := [_request(call, node, offset) for call, each in zip(calls, decided, strict=True) if each is None]:
        yield LogRows.of(apart)
    if any(call.attempts for call in calls):
        yield LogRows(USAGE, _usage(calls, decided, node, offset))


def _decided(call: CallRecord, offset: float) -> tuple[str, str] | None:
    """Of a call that was one attempt, whose row tells of the call too: why its account was taken where that is all, else the decision in
    full. None for other calls."""
    if len(call.attempts) != 1 or len(call.choices) != 1 or call.ended is None:
        return None
    [attempt], [choice] = call.attempts, call.choices
    if not (
        attempt.outcome is call.outcome
        and attempt.error == call.error
        and attempt.started >= call.started
        and 0 <= call.ended - attempt.ended <= TOGETHER
    ):
        return None
    if (
        not choice.passed
        and choice.waited < TOGETHER
        and choice.stage == ASKED
        and choice.account == attempt.account
        and choice.model == attempt.model
        and 0 <= attempt.started - choice.at <= TOGETHER
    ):
        return str(choice.why), ""
    return "", decision_of(call.choices, call.started, offset)


def _usage(
    calls: Sequence[CallRecord], decided: Sequence[tuple[str, str] | None], node: str, offset: float
) -> Mapping[str, Sequence[Any]]:
    """Column by column, a row for each attempt."""
    of = [call for call in calls for _ in call.attempts]
    told = [each for call, each in zip(calls, decided, strict=True) for _ in call.attempts]
    ids, clients, protocols, operations, asked, sessions, tags, came, firsts, streamed = zip(
        *map(_facts, of), strict=True
    )
    attempts = zip(*[attempt for call in calls for attempt in call.attempts], strict=True)
    accounts, providers, models, began, ended, outcomes, errors, statuses, used, estimated, costs, prices = attempts
    said = [each or _NOTHING for each in used]
    tokens = zip(*map(_tokens, said), strict=True)
    return {
        "at": [at + offset for at in ended],
        "node": [node] * len(of),
        "request_id": _texts(ids),
        "attempt": [number for call in calls for number, _ in enumerate(call.attempts, 1)],
        "client": _texts(clients),
        "protocol": protocols,
        "operation": [*map(str, operations)],
        "account": _texts(accounts),
        "provider": _texts(providers),
        "model": _texts(models),
        "seconds": [end - begin for begin, end in zip(began, ended, strict=True)],
        "outcome": [*map(str, outcomes)],
        "error": errors,
        "upstream_status": statuses,
        **{name: _counts(column) for name, column in zip(TOKENS, tokens, strict=True)},
        "server_tools": [json.dumps(dict(each.server_tools)) if each.server_tools else "" for each in said],
        "asked": _texts(asked),
        "session": _texts(sessions),
        # only the attempt that the client saw something of has a first byte
        "first_byte": [
            first - begin if first is not None and begin <= first <= end else None
            for first, begin, end in zip(firsts, began, ended, strict=True)
        ],
        "cost": costs,
        "prices": prices,
        "estimated": [*map(int, estimated)],
        "raw": _raw(said),
        "tags": [tagged(each) if each else "" for each in tags],
        "before": [begin - at if each else None for begin, at, each in zip(began, came, told, strict=True)],
        "streamed": [*map(int, streamed)],
        "chosen": [each[0] if each else "" for each in told],
        "decision": [each[1] if each else "" for each in told],
        "remarks": [_remarks(call) if each else "" for call, each in zip(of, told, strict=True)],
    }


def _request(call: CallRecord, node: str, offset: float) -> RequestRow:
    at, first = call.started if call.ended is None else call.ended, call.first_byte
    return RequestRow(
        at=at + offset,
        node=node,
        request_id=text(call.request_id),
        client=text(call.client),
        protocol=call.protocol,
        operation=str(call.operation),
        model=text(call.model),
        streamed=int(call.streamed),
        outcome=call.outcome.value if call.outcome else "",
        error=call.error,
        seconds=at - call.started,
        first_byte=None if first is None else first - call.started,
        attempts=len(call.attempts),
        decision=decision_of(call.choices, call.started, offset) if call.choices else "",
        remarks=_remarks(call),
    )


def _remarks(call: CallRecord) -> str:
    """A JSON object of what is so of few calls, or empty."""
    if not call.warnings and not call.rewritten and not call.continued:
        return ""
    told = {"warnings": call.warnings, "rewritten": call.rewritten, "continued": call.continued}
    return _json({name: value for name, value in told.items() if value})


@lru_cache(maxsize=1000)
def tagged(tags: tuple[str, ...]) -> str:
    """As a row has them; each is found in it by `tagged((one,))` without the brackets."""
    return json.dumps([text(tag) for tag in tags])


def _raw(said: Sequence[Usage]) -> Sequence[str]:
    """What the upstreams said, as they said it."""
    try:
        return [orjson.dumps(each.raw).decode()[:LONGEST_RAW] if each.raw else "" for each in said]
    except TypeError:
        return [_json(each.raw)[:LONGEST_RAW] if each.raw else "" for each in said]


def _json(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # half a surrogate pair, or a number beyond 64 bits
        return json.dumps(value)


def decision_of(choices: Sequence[Choice], started: float, offset: float) -> str:
    """A JSON list: who was taken for each attempt and why, and who was passed over. Times are seconds since the call came,
    or since the epoch for `until`."""
    told = [
        {
            **choice._asdict(),
            "at": choice.at - started,
            "passed": [_passed(each, offset) for each in choice.passed[:MOST_PASSED]],
            "more": choice.more + max(0, len(choice.passed) - MOST_PASSED),
        }
        for choice in choices[:MOST_CHOICES]
    ]
    return _json(told)


def _passed(passed: Passed, offset: float) -> dict[str, object]:
    return {**passed._asdict(), "until": None if passed.until is None else passed.until + offset}


def _counts(column: Sequence[int | None]) -> Sequence[int | None]:
    """As far as a number can be written."""
    if not any(column):
        return column
    told = [number for number in column if number is not None]
    if min(told) >= 0 and max(told) <= LARGEST:
        return column
    return [None if number is None else max(0, min(number, LARGEST)) for number in column]


def _texts(column: Sequence[str]) -> Sequence[str]:
    """`text` of each. Mostly there are few, and they are as they should be."""
    few = {*column}
    together = "".join(few)
    if together.isascii() and together.isprintable() and max(map(len, few)) <= LONGEST_TEXT:
        return column
    return [*map(text, column)]


def text(value: str) -> str:
    """What a database takes of a text that others chose."""
    if len(value) <= LONGEST_TEXT and value.isascii() and value.isprintable():  # nearly always, and much the fastest
        return value
    return _UNWRITABLE.sub("�", value[:LONGEST_TEXT])
