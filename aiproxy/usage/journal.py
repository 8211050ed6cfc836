"""The latest calls by request id, with every decision made for them, and the same in words. Pure."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence

from aiproxy.usage.record import Attempt, CallRecord, Choice, Outcome, Passed

LATEST = 1000
"""Calls that are kept, however they ended: about 1 kB each, and 8 bytes for each account that each of its choices passed over."""

LATEST_FAILED = 1000
"""Calls that are kept because they failed or were cut, where nobody says how many: whoever asks about one asks hours later."""

MOST_SHARED = 10_000
"""Candidates passed over, and why, that are kept once for all calls which say the same; about 2 MB."""

TOLD_FROM = 0.005
"""Seconds of a wait that words tell; they round to a hundredth."""

MOST_PASSED_TOLD = 10
"""Candidates passed over that one choice's words name; the record has all."""


class Journal:
    def __init__(self, latest: int = LATEST, failed: int = LATEST_FAILED) -> None:
        self._latest: OrderedDict[str, CallRecord] = OrderedDict()
        self._failed: OrderedDict[str, CallRecord] = OrderedDict()
        self._shared: dict[Passed, Passed] = {}
        self._most = latest, failed

    def limit(self, failed: int) -> None:
        """Keep so many failed calls from now on."""
        self._most = self._most[0], failed
        while len(self._failed) > failed:
            self._failed.popitem(last=False)

    def note(self, records: Iterable[CallRecord]) -> None:
        """Keep calls that have ended. Most calls pass over the same accounts for the same reasons."""
        for record in records:
            for place, choice in enumerate(record.choices):
                if choice.passed:
                    record.choices[place] = self._sharing(choice)
            _keep(self._latest, record, self._most[0])
            if record.outcome in (Outcome.FAILED, Outcome.CUT):
                _keep(self._failed, record, self._most[1])

    def find(self, request_id: str) -> CallRecord | None:
        return self._latest.get(request_id) or self._failed.get(request_id)

    def _sharing(self, choice: Choice) -> Choice:
        if len(self._shared) > MOST_SHARED:
            self._shared.clear()
        share = self._shared.setdefault
        return choice._replace(passed=tuple([share(each, each) for each in choice.passed]))

    @property
    def failed(self) -> Sequence[CallRecord]:
        """The latest failed calls, the latest first."""
        return list(reversed(self._failed.values()))


def _keep(calls: OrderedDict[str, CallRecord], record: CallRecord, most: int) -> None:
    calls[record.request_id] = record
    if len(calls) > most:
        calls.popitem(last=False)


def story(record: CallRecord) -> str:
    """How a call went, decision by decision, times in seconds since it came.

    `0.00 openai-1 gpt-5.4 by turn; 0.31 failed rate_limit 429 after 0.31 s; 0.31 openai-2 gpt-5.4 by turn, passed over
    openai-1 (tried); 1.02 complete after 0.71 s`"""
    events = [(choice.at, _chosen(choice)) for choice in record.choices]
    events += [(attempt.ended, _ended(attempt)) for attempt in record.attempts]
    told = [f"{at - record.started:.2f} {words}" for at, words in sorted(events, key=lambda event: event[0])]
    if record.rewritten:
        told.append(f"{record.rewritten} written anew")
    if record.continued:
        told.append("the answer that was cut went on")
    return "; ".join(told) or "nobody was asked"


_WHY = {
    "strategy": "by turn",
    "session": "by its session",
    "state": "by the state it made",
    "probe": "to see whether it is back",
}


def _chosen(choice: Choice) -> str:
    words = f"{choice.account} {choice.model} {_WHY.get(choice.why, choice.why)}" if choice.account else "nobody"
    if choice.stage != "asked":
        words += f" ({choice.stage})"
    if choice.waited >= TOLD_FROM:
        words += f" after a wait of {choice.waited:.2f} s"
    return ", ".join((words, *_passed(choice.passed, choice.at)))


def _passed(passed: Sequence[Passed], now: float) -> Iterator[str]:
    for each in passed[:MOST_PASSED_TOLD]:
        rests = "" if each.until is None else f" for {each.until - now:.2f} s"
        yield f"passed over {each.account} {each.model} ({each.why}{rests})"
    if len(passed) > MOST_PASSED_TOLD:
        yield f"and {len(passed) - MOST_PASSED_TOLD} more"


def _ended(attempt: Attempt) -> str:
    status = f" {attempt.upstream_status}" if attempt.upstream_status else ""
    error = f" {attempt.error}{status}" if attempt.error else ""
    return f"{attempt.account} {attempt.outcome}{error} after {attempt.ended - attempt.started:.2f} s"
