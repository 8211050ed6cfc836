"""How a call went, in words. Pure."""

from collections.abc import Iterator

from aiproxy.usage.record import Attempt, CallRecord, Choice

TOLD_FROM = 0.005
"""Seconds of a wait that words tell; they round to a hundredth."""

MOST_PASSED_TOLD = 10
"""Candidates passed over that one choice's words name; the record has all."""


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
    return ", ".join((words, *_passed(choice)))


def _passed(choice: Choice) -> Iterator[str]:
    for each in choice.passed[:MOST_PASSED_TOLD]:
        rests = "" if each.until is None else f" for {each.until - choice.at:.2f} s"
        yield f"passed over {each.account} {each.model} ({each.why}{rests})"
    more = len(choice.passed) + choice.more - MOST_PASSED_TOLD
    if more > 0:
        yield f"and {more} more"


def _ended(attempt: Attempt) -> str:
    status = f" {attempt.upstream_status}" if attempt.upstream_status else ""
    error = f" {attempt.error}{status}" if attempt.error else ""
    return f"{attempt.account} {attempt.outcome}{error} after {attempt.ended - attempt.started:.2f} s"
