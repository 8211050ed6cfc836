"""Accounts are asked whether they work: how, how often, never twice at a time, and what is made of the answer."""

import json
from collections import Counter

import pytest
from twisted.internet.defer import Deferred

from aiproxy.gateway.health_checks import PATIENCE_SECONDS, SPREAD_AT_START
from aiproxy.neutral import errors
from tests.rig.scripted import SILENT, Answer, Rig, Said, fails

ACCOUNTS = """
openai-api-key:
  - {api-key: key-one-0123456789, name: one, base-url: "http://one.test/v1"}
  - {api-key: key-two-0123456789, name: two, base-url: "http://two.test/v1", check-model: gpt-mini}
claude-api-key:
  - {api-key: key-three-0123456789, name: three, base-url: "http://three.test", check-model: haiku}
"""
LISTED = Said(200, {"object": "list", "data": []})


def resting(rig: Rig) -> dict[str, str]:
    return {place[1]: health.reason for place, health in rig.gateway.pool.resting()}


def test_a_list_costs_nothing_and_a_few_tokens_prove_all() -> None:
    rig = Rig(ACCOUNTS)
    for account in ("one", "two", "three", "nobody"):
        rig.gateway.health_checks.check(account)
    (one,), (two,), (three,) = (rig[name].asked for name in ("one", "two", "three"))
    assert (one.method, one.url) == ("GET", "http://one.test/v1/models")
    assert (two.method, two.url) == ("POST", "http://two.test/v1/chat/completions")
    asked = json.loads(two.body)
    assert asked["model"] == "gpt-mini"
    assert 0 < asked.get("max_tokens", asked.get("max_completion_tokens")) <= 16
    assert three.url == "http://three.test/v1/messages"
    assert ("x-api-key", "key-three-0123456789") in three.headers
    assert rig.clock.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("account", "answer", "reason"),
    [
        ("one", LISTED, None),
        ("one", fails(401), "credential_refused"),
        ("one", errors.Unreachable("no"), "upstream_failed"),
        ("one", fails(404, "no such page"), None),
        ("two", fails(429, retry_after="60"), "rate_limit"),
        ("two", fails(500), "server_error"),
        ("two", SILENT, "timeout"),
    ],
)
def test_what_is_made_of_an_answer(account: str, answer: Answer, reason: str | None) -> None:
    rig = Rig(ACCOUNTS)
    rig[account].script = [answer]
    rig.gateway.health_checks.check(account)
    rig.wait(0.0 if answer is not SILENT else PATIENCE_SECONDS)
    assert resting(rig) == ({} if reason is None else {account: reason})


def test_an_account_is_back_by_a_check() -> None:
    rig = Rig(ACCOUNTS)
    rig["one"].script = [fails(401), fails(401), LISTED]
    rig["two"].script = [fails(429, retry_after="600")]
    for account in ("one", "two", "one"):
        rig.gateway.health_checks.check(account)
        rig.wait(1.0)
    assert resting(rig) == {"one": "credential_refused", "two": "rate_limit"}
    for account in ("one", "two"):
        rig.gateway.health_checks.check(account)
    assert resting(rig) == {}


def test_a_list_of_models_says_nothing_of_a_quota() -> None:
    rig = Rig(ACCOUNTS)
    rig["one"].script = [fails(429, code="insufficient_quota", retry_after="600"), LISTED]
    assert rig.ask(model="m").accounts == ["one", "two"]
    rig.gateway.health_checks.check("one")
    assert resting(rig) == {"one": "quota_exhausted"}


def test_one_check_of_an_account_at_a_time() -> None:
    rig = Rig(ACCOUNTS)
    rig["one"].otherwise = SILENT
    for _ in range(3):
        rig.gateway.health_checks.check("one")
    assert len(rig["one"].asked) == 1
    rig.gateway.health_checks.stop()
    assert rig["one"].cancelled == 1
    assert rig.clock.getDelayedCalls() == []
    assert resting(rig) == {}, "a check that was given up says nothing"


def test_every_interval_and_not_in_step() -> None:
    rig = Rig("health-check: {enabled: true, interval: 100s}\n" + ACCOUNTS)
    rig["one"].otherwise = LISTED
    rig.gateway.health_checks.start()
    moments = []
    for _ in range(400):
        before = sum(len(host.asked) for host in rig.hosts.values())
        rig.wait(1.0)
        moments += [rig.clock.seconds()] * (sum(len(host.asked) for host in rig.hosts.values()) - before)
    assert Counter({name: len(host.asked) for name, host in rig.hosts.items()}) == {"one": 3, "two": 3, "three": 3}
    assert min(moments) >= 100.0
    assert len(set(moments)) > 3
    rig.gateway.health_checks.stop()
    assert rig.clock.getDelayedCalls() == []


def test_at_the_start_only_and_only_whom_it_names() -> None:
    rig = Rig("health-check: {startup: true, providers: [Claude]}\n" + ACCOUNTS)
    rig.gateway.health_checks.start()
    rig.wait(SPREAD_AT_START + 1000.0)
    assert [len(rig[name].asked) for name in ("one", "two", "three")] == [0, 0, 1]
    assert rig.clock.getDelayedCalls() == []


def test_a_disabled_account_is_left_alone_and_a_reload_is_followed() -> None:
    rig = Rig("health-check: {enabled: true, interval: 100s}\n" + ACCOUNTS)
    rig["one"].otherwise = LISTED
    rig.gateway.pool.disable("two")
    rig.gateway.health_checks.start()
    rig.wait(190.0)
    assert [len(rig[name].asked) for name in ("one", "two", "three")] == [1, 0, 1]
    rig.gateway.use(rig.snapshot(ACCOUNTS))
    rig.gateway.health_checks.follow()
    assert rig.clock.getDelayedCalls() == []


def test_a_list_that_never_comes_does_not_break_the_list_of_all() -> None:
    rig = Rig("openai-api-key: [{api-key: key-one-0123456789, name: one, base-url: 'http://one.test/v1'}]")
    rig["one"].otherwise = SILENT
    found = Deferred.fromCoroutine(rig.gateway.discovery.ask(rig.gateway.snapshot))
    rig.wait(60.0)
    assert found.result == {"one": ()}
