"""The health of all accounts: what a success clears, what a hand clears, what is kept and comes back."""

from collections.abc import Sequence
from random import Random

import pytest

from aiproxy.neutral import errors
from aiproxy.pools.book import FORGOTTEN_AFTER, MOST_ENTRIES, HealthBook, Remembered
from aiproxy.pools.health import WELL
from aiproxy.pools.selection import Account
from aiproxy.pools.verdict import Judge, Scope

A, B = Account("a", identity="id-of-a"), Account("b", identity="id-of-b")
LIMITED = errors.RateLimited("x", retry_after=100.0)
REFUSED = errors.CredentialRefused("x")


def book_of(*accounts: Account) -> HealthBook:
    book = HealthBook(Random(1))
    book.replace({account.id: account for account in accounts})
    return book


def reasons(book: HealthBook, now: float) -> Sequence[tuple[str, str, str]]:
    return sorted((name, model, health.reason) for (_, name, model), health in book.resting(now))


def test_a_success_clears_what_was_seen_before_it_began_and_nothing_of_later() -> None:
    book = book_of(A)
    book.failed(A, "m", LIMITED, now=10.0)
    book.succeeded(A, "m", began=9.0)
    assert reasons(book, 11.0) == [("a", "m", "rate_limit")], "a long answer that began before says nothing new"
    book.succeeded(A, "other", began=11.0)
    assert not book.of(A, "m").ready(11.0)
    book.succeeded(A, "m", began=10.0)
    assert book.of(A, "m") == WELL


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
    health = after.of(Account("renamed"), "m")
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
    assert (book.of(A, "m").reason == "overloaded") is counts
    assert book.of(A, "m").since <= 120.0


def test_what_is_long_over_unknown_or_nameless_is_not_taken_over() -> None:
    book = book_of(A, Account("nameless"), Account("tough", judge=Judge(cools=False), identity="id-of-tough"))
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
    assert book.of(A, "m").rest == 8.0, "a rest that has just ended still doubles"


def test_whoever_keeps_copies_sees_that_something_is_new() -> None:
    book = book_of(A)
    seen = [book.changes]
    for change in (
        lambda: book.failed(A, "m", LIMITED, 0.0),
        lambda: book.succeeded(A, "m", 1.0),
        lambda: book.remember([Remembered("id-of-a", "m", "a", "overloaded", 4.0, 900.0, 2000.0)], 0.0, 1000.0),
        lambda: book.clear("a"),
    ):
        change()
        seen.append(book.changes)
    assert seen == sorted(set(seen))
    book.succeeded(A, "m", 1.0)
    book.failed(A, "m", errors.InvalidRequest("x"), 0.0)
    assert book.changes == seen[-1]


def test_names_that_clients_make_up_do_not_fill_the_memory() -> None:
    book = book_of(A)
    for number in range(MOST_ENTRIES + 5):
        book.failed(A, f"m{number}", errors.RateLimited("x", retry_after=100.0 + number), 0.0)
    assert len(book.resting(1.0)) <= MOST_ENTRIES
    assert book.of(A, "m0") == WELL, "what ends first goes first"
    assert not book.of(A, f"m{MOST_ENTRIES}").ready(1.0)


def account(name: str) -> Account:
    return Account(name, provider="one vendor", network="one address")


SHARED = [
    pytest.param(errors.Unreachable("x"), "other", id="network: all models"),
    pytest.param(errors.Overloaded("x"), "m", id="provider: this model"),
]


@pytest.mark.parametrize(("error", "also"), SHARED)
def test_an_outage_is_believed_when_a_second_account_finds_it(error: errors.GatewayError, also: str) -> None:
    first, second, third = account("1"), account("2"), account("3")
    book = book_of(first, second, third)
    book.failed(first, "m", error, 0.0)
    assert not book.of(first, "m").ready(0.5)
    assert book.of(second, "m").ready(0.5), "one broken connection is no outage"
    book.failed(first, "m", error, 0.5)
    assert book.of(second, "m").ready(0.6), "nor is the same account's again"
    book.failed(second, "m", error, 0.6)
    assert not book.of(third, also).ready(0.7)
    assert book.of(Account("elsewhere", provider="another", network="another"), also).ready(0.7)


@pytest.mark.parametrize(("error", "also"), SHARED)
def test_what_works_in_between_is_no_outage(error: errors.GatewayError, also: str) -> None:
    first, second, third = account("1"), account("2"), account("3")
    book = book_of(first, second, third)
    book.failed(first, "m", error, 0.0)
    book.succeeded(third, also, 0.1)
    book.failed(second, "m", error, 0.2)
    assert book.of(third, also).ready(0.3)


@pytest.mark.parametrize(("error", "also"), SHARED)
def test_one_success_ends_an_outage(error: errors.GatewayError, also: str) -> None:
    first, second, third = account("1"), account("2"), account("3")
    book = book_of(first, second, third)
    book.failed(first, "m", error, 0.0)
    book.failed(second, "m", error, 0.0)
    assert not book.of(third, also).ready(0.1)
    assert book.succeeded(second, "m", 0.1)
    assert book.of(third, also).ready(0.1)
    assert not book.of(first, "m").ready(0.1), "its own finding stays its own"


def test_an_overloaded_model_leaves_the_providers_others_ready() -> None:
    first, second = account("1"), account("2")
    book = book_of(first, second)
    for each in (first, second):
        book.failed(each, "m", errors.Overloaded("x"), 0.0)
    assert book.of(first, "other").ready(0.1)
    assert [scope for (scope, _, _), _ in book.resting(0.1)].count(Scope.PROVIDER) == 1


def test_a_providers_rest_comes_back_and_a_networks_is_found_anew() -> None:
    book = book_of(account("a"), account("b"))
    for name in "ab":
        book.failed(account(name), "m", errors.Overloaded("x", retry_after=60.0), 10.0)
        book.failed(account(name), "m", errors.Unreachable("x", retry_after=60.0), 10.0)
    kept = book.remembered(10.0, 1010.0)
    later = book_of(account("c"))
    later.remember(kept, 0.0, 1020.0)
    assert not later.of(account("c"), "m").ready(49.0)
    assert later.of(account("c"), "m").ready(51.0)
    assert later.of(account("c"), "n").ready(0.0), "the network is another process's"
    (provider,) = {rest.account for rest in later.remembered(0.0, 1020.0)}
    later.well(provider, "n")
    assert not later.of(account("c"), "m").ready(49.0)
    later.well(provider, "m")
    assert later.of(account("c"), "m").ready(0.0)


def test_a_hand_clears_what_accounts_share() -> None:
    book = book_of(account("a"), account("b"))
    for name in "ab":
        book.failed(account(name), "m", errors.Overloaded("x"), 0.0)
    assert not book.of(account("c"), "m").ready(0.5)
    assert book.forget((Scope.PROVIDER, "one vendor", "m")) == 1
    assert book.of(account("c"), "m").ready(0.5)
    assert book.forget((Scope.PROVIDER, "one vendor", "m")) == 0
