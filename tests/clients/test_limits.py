"""Limits in virtual time: what passes, what is refused, and that what is reserved can't be passed."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.clients import limiter as limiters
from aiproxy.clients.limiter import Limiter
from aiproxy.clients.limits import Counts, Exceeded, Limit, Limited, Reservation, Window
from aiproxy.clients.told import headers, refusal, share

NOON = datetime(2026, 2, 28, 12, tzinfo=UTC).timestamp()
REQUESTS = Limit("requests-per-minute", 60, Counts.REQUESTS, Window.MINUTE)
TOKENS = Limit("tokens-per-minute", 600, Counts.TOKENS, Window.MINUTE)
AT_A_TIME = Limit("concurrent", 2, Counts.CALLS, Window.NOW)
DAY = Limit("requests-per-day", 3, Counts.REQUESTS, Window.DAY)
MONTH = Limit("tokens-per-month", 1000, Counts.TOKENS, Window.MONTH)


def of(*limits: Limit, shadow: bool = False) -> list[Limited]:
    return [Limited("a", "This key", limits, shadow)]


def refused(limiter: Limiter, limited: list[Limited], tokens: int = 0, now: float = NOON) -> str:
    with pytest.raises(Exceeded) as exceeded:
        limiter.reserve(limited, tokens, now)
    return str(refusal(exceeded.value))


def test_a_minutes_requests_may_come_at_once_and_then_one_a_second() -> None:
    limiter, limited = Limiter(), of(REQUESTS)
    for _ in range(60):
        limiter.commit(limiter.reserve(limited, 0, NOON), 0, NOON)
    assert refused(limiter, limited) == (
        "This key may use 60 requests per minute (requests-per-minute), of which 0 are left; try again in 1s."
    )
    limiter.reserve(limited, 0, NOON + 1)
    refused(limiter, limited, now=NOON + 1.5)


def test_calls_at_a_time_are_given_back_when_they_end() -> None:
    limiter, limited = Limiter(), of(AT_A_TIME)
    first, _ = limiter.reserve(limited, 0, NOON), limiter.reserve(limited, 0, NOON)
    assert "2 calls at a time (concurrent)" in refused(limiter, limited)
    limiter.commit(first, 0, NOON)
    limiter.reserve(limited, 0, NOON)


def test_what_was_reserved_and_not_used_is_given_back() -> None:
    limiter, limited = Limiter(), of(TOKENS, MONTH)
    call = limiter.reserve(limited, 600, NOON)
    assert "600 tokens per minute" in refused(limiter, limited, 1)
    limiter.commit(call, 100, NOON)
    assert [each.used for each in limiter.standings(limited, NOON)] == [100, 100]
    limiter.reserve(limited, 500, NOON)


def test_what_drained_meanwhile_is_not_given_back_again() -> None:
    limiter, limited = Limiter(), of(TOKENS)
    slow = limiter.reserve(limited, 600, NOON)
    limiter.reserve(limited, 600, NOON + 60)
    limiter.commit(slow, 0, NOON + 60)
    assert "of which 0 are left; try again in 1m0s" in refused(limiter, limited, 600, NOON + 60)


def test_a_call_larger_than_a_minute_allows_gets_all_of_it() -> None:
    limiter, limited = Limiter(), of(TOKENS)
    limiter.reserve(limited, 10_000, NOON)
    refused(limiter, limited, 1)


@pytest.mark.parametrize(
    ("limit", "tokens", "words"),
    [(DAY, 0, "3 requests per day (requests-per-day), of which 0 are left; try again in 12h0m0s"),
     (MONTH, 300, "1000 tokens per month (tokens-per-month), of which 100 are left, and this call may use 300; allow it less output, or try again in 12h0m0s")],
)  # fmt: skip
def test_a_day_and_a_month_begin_anew_with_the_calendar(limit: Limit, tokens: int, words: str) -> None:
    limiter, limited = Limiter(), of(limit)
    for _ in range(3):
        limiter.reserve(limited, tokens, NOON)
    assert words in refused(limiter, limited, tokens)
    march = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    refused(limiter, limited, tokens, march - 1)
    limiter.reserve(limited, tokens, march)


def test_a_call_counts_where_it_began() -> None:
    limiter, limited = Limiter(), of(MONTH)
    old = limiter.reserve(limited, 900, NOON)
    march = datetime(2026, 3, 1, tzinfo=UTC).timestamp()
    limiter.reserve(limited, 1000, march)
    limiter.commit(old, 0, march)
    refused(limiter, limited, 1, march)


def test_a_refusal_takes_nothing_of_any_limit() -> None:
    limiter = Limiter()
    both = [*of(REQUESTS, AT_A_TIME), Limited("tag", "All keys tagged 't'", (DAY,))]
    for _ in range(2):
        limiter.commit(limiter.reserve(both, 0, NOON), 0, NOON)
    before = limiter.standings(both, NOON)
    limiter.commit(limiter.reserve([both[1]], 0, NOON), 0, NOON)
    assert refused(limiter, both).startswith("All keys tagged 't' may use 3 requests per day")
    assert limiter.standings(both, NOON)[:2] == before[:2]


def test_a_shadow_counts_and_refuses_nobody() -> None:
    limiter, limited = Limiter(), of(DAY, shadow=True)
    for _ in range(5):
        limiter.reserve(limited, 0, NOON)
    (standing,) = limiter.standings(limited, NOON)
    assert (standing.used, standing.remaining) == (5, 0)
    assert headers([standing]) == {}


def test_what_was_used_is_told_and_taken_back() -> None:
    told: list[tuple[str, str, str, int]] = []
    limiter, limited = Limiter(lambda *spent: told.append(spent)), of(DAY, MONTH, REQUESTS)
    limiter.commit(limiter.reserve(limited, 500, NOON), 70, NOON)
    assert told == [("a", "requests", "2026-02-28", 1), ("a", "tokens", "2026-02", 70)]
    again = Limiter()
    for spent in told:
        again.remember(*spent)
    assert [each.used for each in again.standings(limited, NOON)] == [1, 70, 0]


def test_a_clock_that_goes_back_neither_fills_nor_empties() -> None:
    limiter, limited = Limiter(), of(TOKENS)
    call = limiter.reserve(limited, 600, NOON)
    limiter.commit(call, 600, NOON - 3600)
    assert limiter.standings(limited, NOON - 3600)[0].used == 600


def test_headers_tell_the_limit_that_has_the_least_left() -> None:
    limiter, limited = Limiter(), of(REQUESTS, DAY, TOKENS)
    limiter.reserve(limited, 300, NOON)
    assert headers(limiter.standings(limited, NOON)) == {
        "x-ratelimit-limit-requests": "3",
        "x-ratelimit-remaining-requests": "2",
        "x-ratelimit-reset-requests": "12h0m0s",
        "x-ratelimit-limit-tokens": "600",
        "x-ratelimit-remaining-tokens": "300",
        "x-ratelimit-reset-tokens": "30s",
    }


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 100), st.floats(0, 30)), min_size=200, max_size=200))
def test_200_calls_at_once_never_pass_a_limit_that_none_passes_alone(calls: list[tuple[int, int, float]]) -> None:
    """Each reserves so many tokens and uses that percentage of them; ends are spread between the beginnings."""
    limiter, limited = Limiter(), of(TOKENS, MONTH, AT_A_TIME)
    running: list[tuple[Reservation, int]] = []
    used, now, started = 0, NOON, []
    for reserved, percent, later in calls:
        now += later
        while len(running) > 1 and percent % 2:
            call, tokens = running.pop(0)
            limiter.commit(call, tokens, now)
            used += tokens
        try:
            running.append((limiter.reserve(limited, reserved, now), reserved * percent // 100))
        except Exceeded:
            continue
        started.append((now, reserved * percent // 100))
        assert len(running) <= AT_A_TIME.most
        assert used + sum(tokens for _, tokens in running) <= MONTH.most
        recent = sum(tokens for at, tokens in started if at > now - 60)
        assert recent <= 2 * TOKENS.most
    for call, tokens in running:
        limiter.commit(call, tokens, now)
        used += tokens
    assert limiter.standings(limited, now)[1].used == used <= MONTH.most
    assert limiter.standings(limited, now)[2].used == 0


def test_a_clock_that_jumps_ahead_and_back_finds_what_was_used() -> None:
    limiter, limited = Limiter(), of(MONTH)
    limiter.commit(limiter.reserve(limited, 900, NOON), 900, NOON)
    ahead = datetime(2030, 1, 1, tzinfo=UTC).timestamp()
    limiter.commit(limiter.reserve(limited, 1000, ahead), 1000, ahead)
    assert refused(limiter, limited, 200, NOON + 1).startswith("This key may use 1000 tokens per month")
    limiter.commit(limiter.reserve(limited, 100, NOON + 1), 100, NOON + 1)
    refused(limiter, limited, 1, NOON + 2)


def test_a_budget_in_dollars_is_told_in_dollars() -> None:
    limiter, limited = Limiter(), of(Limit("usd-per-month", 2_500_000, Counts.MICRO_USD, Window.MONTH))
    limiter.commit(limiter.reserve(limited, 10, NOON, 2_000_000), 10, NOON, 1_250_000)
    with pytest.raises(Exceeded) as exceeded:
        limiter.reserve(limited, 10, NOON, 1_250_001)
    assert str(refusal(exceeded.value)).startswith(
        "This key may use 2.5 US dollars per month (usd-per-month), of which 1.25 are left, and this call may use 1.250001; allow it"
    )
    with pytest.raises(Exceeded) as exceeded:
        limiter.reserve(limited, 10, NOON, 2_500_001)
    assert str(refusal(exceeded.value)).endswith(
        "may use 2.500001; allow it less output."
    )  # no month will have room for it
    (told,) = share(limiter.standings(limited, NOON))
    assert (told["most"], told["used"], told["remaining"]) == (2.5, 1.25, 1.25)


def test_tallies_of_the_past_go_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiters, "MOST_TALLIES", 50)
    limiter = Limiter()
    for day in range(200):
        limiter.commit(limiter.reserve(of(DAY), 0, NOON + day * 86400), 0, NOON + day * 86400)
    assert len(limiter.tallies) <= 50
