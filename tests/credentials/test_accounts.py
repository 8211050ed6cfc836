"""Renewals ahead of their end: when, how many at a time, and what becomes of those who wait. Virtual time."""

from random import Random
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from aiproxy.credentials.accounts import Accounts, Used
from aiproxy.credentials.base import Way
from aiproxy.credentials.login import Tokens
from aiproxy.credentials.logins.codex import CODEX
from aiproxy.credentials.logins.kimi import KIMI
from aiproxy.credentials.record import Record
from aiproxy.credentials.schedule import AT_ONCE, FIRST_PAUSE, LONGEST_PAUSE, TICK_SECONDS, Failures, due
from aiproxy.credentials.times import written
from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.secrets import Secret

AT = 1_790_000_000.0


class Slow:
    """A renewer whose renewals end when the test says so."""

    def __init__(self) -> None:
        self.seen: Any = None
        self.asked: list[tuple[str, Deferred[Record]]] = []

    async def renew(self, login: object, name: str, given: str, way: Way) -> Record:
        asked: Deferred[Record] = Deferred()
        self.asked.append((name, asked))
        return await asked

    def ours(self, name: str, version: str) -> bool:
        return False

    def forget(self, name: str) -> None: ...

    def end(self, number: int, access: str = "new") -> None:
        name, asked = self.asked[number]
        made = record(name, 10_000, access)
        self.seen(made)
        asked.callback(made)


def record(name: str, ends: float, access: str = "old") -> Record:
    content = {"type": "kimi", "access_token": access, "refresh_token": "r", "expired": written(AT + ends)}
    return Record(name, "kimi", content, "1")


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.slow = Slow()
        self.accounts = Accounts(self.clock, self.slow, Random(1), lambda: AT + self.clock.seconds())  # type: ignore[arg-type]
        self.accounts.start()

    def way(self, name: str) -> Way:
        return Way(name, None, "", self.clock)  # type: ignore[arg-type] # nobody is asked

    def end_all(self) -> None:
        """Nothing is left for the garbage collector to end."""
        for number, (_, asked) in enumerate(self.slow.asked):
            if not asked.called:
                self.slow.end(number)

    def follow(self, *records: Record, lead: Any = (KIMI,)) -> None:
        used = {each.name: Used(lead[number % len(lead)], self.way(each.id)) for number, each in enumerate(records)}
        self.accounts.follow(records, used)


def failed(waiting: "Deferred[Any]") -> Any:
    found: list[Any] = []
    waiting.addErrback(found.append)
    return found[0].value


def test_they_come_a_few_at_a_time_and_fewer_at_one_provider() -> None:
    world = World()
    world.follow(*(record(f"auths/{number}.json", 1) for number in range(12)))
    world.clock.advance(TICK_SECONDS)
    assert len(world.slow.asked) == KIMI.parallel
    world.slow.end(0)
    assert len(world.slow.asked) == KIMI.parallel + 1
    many = World()
    logins = (KIMI, CODEX, *(KIMI.__class__(f"p{n}", ("p",), KIMI.client, KIMI.renew, 300) for n in range(4)))
    many.follow(*(record(f"auths/{number}.json", 1) for number in range(24)), lead=logins)
    many.clock.advance(TICK_SECONDS)
    assert len(many.slow.asked) == AT_ONCE
    world.end_all()
    many.end_all()


def test_a_call_doesnt_wait_for_the_scheduled_ones() -> None:
    world = World()
    world.follow(*(record(f"auths/{number}.json", 1) for number in range(12)))
    world.clock.advance(TICK_SECONDS)
    waiting = Deferred.fromCoroutine(world.accounts.token(KIMI, "auths/11.json", "", world.way("11")))
    assert world.slow.asked[-1][0] == "auths/11.json"
    world.slow.end(-1)
    found: list[Any] = []
    waiting.addCallback(found.append)
    assert found[0].access.reveal() == "new"
    world.end_all()


def test_who_leaves_doesnt_end_it_and_who_comes_shares_it() -> None:
    world = World()
    world.follow(record("auths/a.json", 10_000))
    asks = [Deferred.fromCoroutine(world.accounts.token(KIMI, "auths/a.json", "old", world.way("a"))) for _ in range(3)]
    asks[0].cancel()
    assert isinstance(failed(asks[0]), CancelledError)
    assert len(world.slow.asked) == 1
    world.slow.end(0)
    found: list[Any] = []
    for each in asks[1:]:
        each.addCallback(found.append)
    assert [token.access.reveal() for token in found] == ["new", "new"]


def test_stopping_waits_for_those_under_way() -> None:
    world = World()
    world.follow(record("auths/a.json", 1))
    world.clock.advance(TICK_SECONDS)
    stopped = Deferred.fromCoroutine(world.accounts.stop())
    assert not stopped.called
    world.slow.end(0)
    assert stopped.called


def test_one_that_failed_is_tried_again_later() -> None:
    world = World()
    world.follow(record("auths/a.json", 100))
    world.clock.advance(TICK_SECONDS)
    world.slow.asked[0][1].errback(UpstreamFailed("out"))
    world.clock.advance(FIRST_PAUSE - TICK_SECONDS)
    assert len(world.slow.asked) == 1
    world.clock.pump([TICK_SECONDS] * 3)
    assert len(world.slow.asked) == 2
    world.end_all()


@pytest.mark.parametrize(
    ("expires", "issued", "lead", "earliest", "latest"),
    [
        (1000.0, None, 300.0, 670.0, 700.0),
        (1000.0, 900.0, 300.0, 945.0, 950.0),  # half of its life
        (1000.0, 2000.0, 300.0, 670.0, 700.0),  # a clock that is wrong
    ],
)
def test_due(expires: float, issued: float | None, lead: float, earliest: float, latest: float) -> None:
    tokens = Tokens(Secret("a"), Secret("r"), expires, issued)
    found = {due(tokens, lead, Random(seed)) for seed in range(50)}
    assert all(at is not None and earliest <= at <= latest for at in found)
    assert len(found) > 40, "they don't come together"
    assert due(Tokens(Secret("a"), Secret(""), expires, issued), lead, Random(1)) is None
    assert due(Tokens(Secret("a"), Secret("r"), None, issued), lead, Random(1)) is None


def test_pauses_double_and_heed_the_vendor() -> None:
    failures, random, pauses = Failures(), Random(1), []
    for _ in range(12):
        failures = failures.one_more(0, None, random)
        pauses.append(failures.not_before)
    assert FIRST_PAUSE <= pauses[0] <= 1.1 * FIRST_PAUSE
    assert pauses == sorted(pauses[:6]) + pauses[6:]
    assert max(pauses) <= 1.1 * LONGEST_PAUSE
    assert Failures().one_more(0, 5000, random).not_before == 5000
