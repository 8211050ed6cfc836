"""Accounts' quotas are heard and asked for: when, never twice at a time, and what the pool makes of them."""

from collections.abc import Iterable
from dataclasses import replace
from time import time
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from aiproxy.config.schema import Settings
from aiproxy.gateway.quota_questions import PATIENCE_SECONDS
from aiproxy.neutral.errors import GatewayError
from aiproxy.pools.quota import Window
from aiproxy.providers import quota_answers
from aiproxy.providers.base import Provider, Upstream
from aiproxy.providers.openai import OPENAI
from aiproxy.providers.quota_question import QuotaQuestion
from aiproxy.providers.windows import codex_windows
from tests.rig.scripted import SILENT, Answer, Rig, Said, fails

ACCOUNTS = """
openai-api-key:
  - {api-key: key-one-0123456789, name: one, base-url: "http://one.test/v1"}
  - {api-key: key-two-0123456789, name: two, base-url: "http://two.test/v1"}
"""
FIVE_HOURS = 18000.0


def upstreams(settings: Settings) -> Iterable[Upstream]:
    for found in OPENAI.upstreams(settings):
        yield replace(
            found, provider=PLAN, quota=QuotaQuestion(f"http://{found.id}-plan.test/usage", quota_answers.codex)
        )


PLAN: Provider = replace(OPENAI, upstreams=upstreams, windows=codex_windows)


def rig(more: str = "") -> Rig:
    made = Rig(more + ACCOUNTS, (PLAN,))
    made.clock.advance(1.0)
    return made


def told(used: float, seconds: float = FIVE_HOURS) -> Said:
    window = {"used_percent": used, "reset_after_seconds": seconds}
    return Said(200, {"rate_limit": {"primary_window": window}})


def used_up(**more: str) -> Said:
    headers = {"x-codex-primary-used-percent": "100", "x-codex-primary-reset-after-seconds": "600", **more}
    return Said(headers=headers)


def resting(found: Rig) -> dict[str, str]:
    return {place[1]: health.reason for place, health in found.gateway.pool.resting()}


def outcome(asked: "Deferred[Any]") -> object:
    found: list[object] = []
    asked.addBoth(found.append)
    return found[0] if found else None


def test_who_has_used_up_a_window_is_passed_over_until_it_ends() -> None:
    found = rig()
    found["one"].script = [used_up()]
    slow = found.ask()  # at the same time as its quota ends
    found.wait(1.0)
    assert slow.accounts == ["one"]
    assert [found.ask().accounts for _ in range(3)] == [["two"]] * 3
    assert resting(found) == {"one": "quota_exhausted"}
    found.wait(595.0)
    assert found.ask().accounts == ["two"]
    found.wait(10.0)
    assert {found.ask().accounts[0] for _ in range(2)} == {"one", "two"}


def test_a_vendor_that_sells_more_is_not_passed_over() -> None:
    found = rig()
    found["one"].script = [used_up(**{"x-codex-credits-has-credits": "True"})]
    assert {found.ask().accounts[0] for _ in range(2)} == {"one", "two"}
    assert resting(found) == {}


def test_more_is_to_be_had_before_its_time() -> None:
    """Somebody bought some."""
    found = rig()
    found["one-plan"].script = [told(100), told(20)]
    found.gateway.quota_questions.ask("one")
    assert resting(found) == {"one": "quota_exhausted"}
    found.wait(1.0)
    found.gateway.quota_questions.ask("one")
    assert resting(found) == {}


def of_window(**window: object) -> Said:
    return Said(200, {"rate_limit": {"primary_window": window}})


@pytest.mark.parametrize(
    "answer",
    [
        Said(200, {}),
        Said(200, {"rate_limit": {"secondary_window": {"used_percent": 1, "reset_after_seconds": 60}}}),
        of_window(used_percent=None),
        of_window(used_percent=100),
        of_window(used_percent="a little", reset_after_seconds=5),
        Said(200, {"data": "a stream of words"}),
        fails(500),
    ],
)
def test_only_a_word_about_the_very_window_ends_a_rest(answer: Said) -> None:
    found = rig()
    found["one-plan"].script = [told(100), answer]
    for _ in range(2):
        outcome(found.gateway.quota_questions.ask("one"))
        found.wait(1.0)
    assert resting(found) == {"one": "quota_exhausted"}


def test_a_call_that_finds_it_used_up_knows_better_than_the_endpoint() -> None:
    """Which is behind, and has never said that it was used up."""
    found = rig()
    found["one"].script = [fails(429, code="insufficient_quota")]
    found["one-plan"].otherwise = told(20)
    found.gateway.quota_questions.start()
    assert found.ask().accounts == ["one", "two"]
    assert len(found["one-plan"].asked) == 1
    assert resting(found) == {"one": "quota_exhausted"}


def test_an_answer_to_an_older_question_ends_no_newer_rest() -> None:
    found = rig()
    questions = found.gateway.quota_questions
    questions.heard("one", [Window("5h", 1.0, time() + 600)], found.clock.seconds())
    asked = found.clock.seconds()
    found.wait(1.0)
    questions.heard("one", [Window("7d", 1.0, time() + 900)], found.clock.seconds())
    some = [Window("5h", 0.1, time() + 600), Window("7d", 0.1, time() + 900)]
    questions.heard("one", some, asked)
    assert resting(found) == {"one": "quota_exhausted"}


def test_a_rest_for_another_reason_stays() -> None:
    found = rig()
    found["one"].script = [fails(429, retry_after="60")]
    assert found.ask().accounts == ["one", "two"]
    found["one-plan"].script = [told(100, 1.0), told(20)]
    for _ in range(2):
        found.wait(1.0)
        found.gateway.quota_questions.ask("one")
    assert resting(found) == {"one": "rate_limit"}


def test_the_answer_comes_to_whoever_asks_and_is_asked_once() -> None:
    found = rig()
    found["one-plan"].otherwise = SILENT
    several = [found.gateway.quota_questions.ask("one") for _ in range(3)]
    several[0].addErrback(lambda failure: failure.trap(Exception))
    several[0].cancel()
    assert len(found["one-plan"].asked) == 1
    (asked,) = found["one-plan"].asked
    assert (asked.method, asked.url) == ("GET", "http://one-plan.test/usage")
    assert ("authorization", "Bearer key-one-0123456789") in asked.headers
    found.wait(PATIENCE_SECONDS)
    for each in several[1:]:
        assert isinstance(failure := outcome(each), Failure)
        assert isinstance(failure.value, GatewayError)
    found["one-plan"].otherwise = told(30)
    windows = outcome(found.gateway.quota_questions.ask("one"))
    assert isinstance(windows, dict)
    assert windows["primary"].used == 0.3
    assert outcome(found.gateway.quota_questions.ask("nobody")) == {}


@pytest.mark.parametrize("answer", [fails(403), fails(500), Said(200, ["a list"]), Said(200, {"rate_limit": "?"})])
def test_an_answer_that_tells_nothing_harms_nobody(answer: Answer) -> None:
    found = rig()
    found["one-plan"].script = [answer]
    outcome(found.gateway.quota_questions.ask("one"))
    assert resting(found) == {}
    assert found.ask().accounts == ["one"]


def test_at_an_interval_those_that_were_used() -> None:
    found = rig("quota-check: {interval: 100s}\n")
    found["one-plan"].otherwise = found["two-plan"].otherwise = told(10)
    found.gateway.quota_questions.start()
    found.ask()
    found.wait(200.0)
    assert [len(found[name].asked) for name in ("one-plan", "two-plan")] == [1, 0]
    found.wait(1000.0)
    assert len(found["one-plan"].asked) == 1, "nobody uses it"
    found.gateway.quota_questions.stop()
    assert found.clock.getDelayedCalls() == []


def test_one_whose_quota_a_call_finds_used_up_is_asked_at_once() -> None:
    found = rig()
    found["one"].script = [fails(429, code="insufficient_quota")]
    found["one-plan"].otherwise = told(100, 3000.0)
    found.gateway.quota_questions.start()
    assert found.ask().accounts == ["one", "two"]
    assert len(found["one-plan"].asked) == 1
    found.wait(2990.0)
    assert resting(found) == {"one": "quota_exhausted"}
    found.wait(20.0)
    assert resting(found) == {}


def test_nobody_is_asked_who_is_not_to_be() -> None:
    found = rig("quota-check: {enabled: false}\n")
    found["one"].script = [fails(429, code="insufficient_quota")]
    found.gateway.quota_questions.start()
    found.ask()
    found.wait(5000.0)
    assert found["one-plan"].asked == []


def test_a_question_is_given_up_when_the_gateway_stops() -> None:
    found = rig()
    found["one-plan"].otherwise = SILENT
    asked = found.gateway.quota_questions.ask("one").addErrback(lambda failure: None)
    found.gateway.quota_questions.stop()
    assert found["one-plan"].cancelled == 1
    assert asked.called
    assert found.clock.getDelayedCalls() == []


def test_least_used_goes_by_what_is_left() -> None:
    found = rig("routing: {strategy: least-used}\n")
    soon = time() + 600
    found.gateway.quota_questions.heard("one", [Window("5h", 0.7, soon)], found.clock.seconds())
    assert [found.ask().accounts for _ in range(2)] == [["one"], ["two"]], "nothing is known of the second"
    found.gateway.quota_questions.heard("two", [Window("5h", 0.6, soon)], found.clock.seconds())
    assert [found.ask().accounts for _ in range(3)] == [["two"]] * 3
    found.gateway.quota_questions.heard("two", [Window("5h", 0.8, soon)], found.clock.seconds())
    assert [found.ask().accounts for _ in range(3)] == [["one"]] * 3
    found.wait(601.0)
    assert {found.ask().accounts[0] for _ in range(2)} == {"one", "two"}, "the windows have ended"
