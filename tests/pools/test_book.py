"""The health of all accounts: what a success clears, what a hand clears, what is kept and comes back."""

from collections.abc import Sequence
from random import Random

import pytest

from aiproxy.neutral import errors
from aiproxy.pools.book import FORGOTTEN_AFTER, MOST_ENTRIES, HealthBook, Remembered
from aiproxy.pools.health import WELL
from aiproxy.pools.selection import Account

A, B = Account("a", identity="id-of-a"), Account("b", identity="id-of-b")
LIMITED = errors.RateLimited("x", retry_after=100.0)
REFUSED = errors.CredentialRefused("x")


def book_of(*accounts: Account) -> HealthBook:
    book = HealthBook(Random(1))
    book.replace({account.id: account for account in accounts})
    return book


def reasons(book: HealthBook, now: float) -> Sequence[tuple[str, str, str]]:
    return sorted((account, model, health.reason) for account, model, health in book.resting(now))


def test_a_success_clears_what_was_seen_before_it_began_and_nothing_of_later() -> None:
    book = book_of(A)
    book.failed(A, "m", LIMITED, now=10.0)
    book.succeeded("a", "m", began=9.0)
    assert reasons(book, 11.0) == [("a", "m", "rate_limit")], "a long answer that began before says nothing new"
    book.succeeded("a", "other", began=11.0)
    assert not book.of("a", "m").ready(11.0)
    book.succeeded("a", "m", began=10.0)
    assert book.of("a", "m") == WELL


def test_a_hand_clears_one_model_or_all_of_an_account() -> None:
    book = book_of(A, B)
    for model in ("m", "n"):
        book.failed(A, model, LIMITED, 0.0)
    book.failed(A, "m", REFUSED, 0.0)
    book.failed(B, "m", LIMITED, 0.0)
    assert book.clear("a", "m") == 1
    assert reasons(book, 1.0) == [("a", "", "credential_refused"), ("a", "n", "rate_limit"), ("b", "m", "rate_limit")]
    assert book.clear("a", "") == 1
    assert book.clear("a") == 1
    assert book.clear("a") == 0
    assert reasons(book, 1.0) == [("b", "m", "rate_limit")]


def test_another_account_under_the_same_id_starts_afresh() -> None:
    book = book_of(A, B)
    book.failed(A, "m", LIMITED, 0.0)
    book.failed(B, "m", LIMITED, 0.0)
    book.replace({"a": Account("a", identity="a new key"), "b": B})
    assert reasons(book, 1.0) == [("b", "m", "rate_limit")]


def test_rests_come_back_with_their_age_in_a_process_whose_clock_began_elsewhere() -> None:
    before, after = book_of(A), book_of(Account("renamed", identity="id-of-a"))
    before.failed(A, "m", LIMITED, now=50.0)
    kept = before.remembered(now=60.0, wall=1_000_000.0)
    assert kept == [Remembered("id-of-a", "m", "a", "rate_limit", 0.0, 999_990.0, 1_000_090.0)]
    after.remember(kept, now=5.0, wall=1_000_030.0)
    health = after.of("renamed", "m")
    assert (health.ready_at, health.since, health.reason) == (65.0, -35.0, "rate_limit")
    assert after.remembered(5.0, 1_000_030.0) == [
        Remembered("id-of-a", "m", "renamed", "rate_limit", 0.0, 999_990.0, 1_000_090.0)
    ]


@pytest.mark.parametrize(
    ("seen_elsewhere", "counts"),
    [(90.0, False), (110.0, True), (500.0, True)],
    ids=["before", "after", "in the future"],
)
def test_of_two_the_later_seen_counts(seen_elsewhere: float, counts: bool) -> None:
    book = book_of(A)
    book.failed(A, "m", LIMITED, now=100.0)
    theirs = Remembered("id-of-a", "m", "a", "overloaded", 4.0, seen_elsewhere, 1000.0)
    book.remember([theirs], now=120.0, wall=120.0)
    assert (book.of("a", "m").reason == "overloaded") is counts
    assert book.of("a", "m").since <= 120.0


def test_what_is_long_over_unknown_or_nameless_is_not_taken_over() -> None:
    book = book_of(A, Account("nameless"), Account("tough", cools=False, identity="id-of-tough"))
    book.remember(
        [
            Remembered("id-of-a", "m", "a", "overloaded", 4.0, 0.0, 1000.0 - FORGOTTEN_AFTER),
            Remembered("gone", "m", "a", "overloaded", 4.0, 900.0, 2000.0),
            Remembered("", "m", "a", "overloaded", 4.0, 900.0, 2000.0),
            Remembered("id-of-tough", "m", "a", "overloaded", 4.0, 900.0, 2000.0),
        ],
        now=0.0,
        wall=1000.0,
    )
    assert book.remembered(0.0, 1000.0) == []
    book.remember([Remembered("id-of-a", "m", "a", "overloaded", 4.0, 0.0, 990.0)], now=0.0, wall=1000.0)
    book.failed(A, "m", errors.Overloaded("x"), now=1.0)
    assert book.of("a", "m").rest == 8.0, "a rest that has just ended still doubles"


def test_whoever_keeps_copies_sees_that_something_is_new() -> None:
    book = book_of(A)
    seen = [book.changes]
    for change in (
        lambda: book.failed(A, "m", LIMITED, 0.0),
        lambda: book.succeeded("a", "m", 1.0),
        lambda: book.remember([Remembered("id-of-a", "m", "a", "overloaded", 4.0, 900.0, 2000.0)], 0.0, 1000.0),
        lambda: book.clear("a"),
    ):
        change()
        seen.append(book.changes)
    assert seen == sorted(set(seen))
    book.succeeded("a", "m", 1.0)
    book.failed(A, "m", errors.InvalidRequest("x"), 0.0)
    assert book.changes == seen[-1]


def test_names_that_clients_make_up_do_not_fill_the_memory() -> None:
    book = book_of(A)
    for number in range(MOST_ENTRIES + 5):
        book.failed(A, f"m{number}", errors.RateLimited("x", retry_after=100.0 + number), 0.0)
    assert len(book.resting(1.0)) <= MOST_ENTRIES
    assert book.of("a", "m0") == WELL, "what ends first goes first"
    assert not book.of("a", f"m{MOST_ENTRIES}").ready(1.0)
