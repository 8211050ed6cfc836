"""What a call goes through when upstreams fail, in virtual time: who is tried, in which order, who rests, what is told."""

import json
from dataclasses import replace

import pytest
from twisted.internet.defer import CancelledError

from aiproxy.clients import Client
from aiproxy.neutral import errors
from aiproxy.pools.lending import PROBE_PAUSE
from aiproxy.usage import Outcome, story
from tests.rig.scripted import SILENT, Rig, Said, fails

TWO = """
openai-api-key:
  - {api-key: key-one-0123456789, name: one, base-url: "http://one.test/v1"}
  - {api-key: key-two-0123456789, name: two, base-url: "http://two.test/v1"}
"""
FILL = "routing: {strategy: fill-first}\n"


def test_the_next_account_answers_and_the_first_rests() -> None:
    rig = Rig(FILL + TWO)
    rig["one"].script = [fails(429, retry_after="30")]
    assert rig.ask().accounts == ["one", "two"]
    assert rig.ask().accounts == ["two"]
    rig.wait(31.0)
    assert rig.ask().accounts == ["one"]


def test_a_request_fault_is_told_at_once_and_nobody_rests() -> None:
    rig = Rig(FILL + TWO)
    rig["one"].script = [fails(400, "this is wrong")]
    asked = rig.ask()
    assert isinstance(asked.error, errors.InvalidRequest)
    assert asked.accounts == ["one"]
    assert rig.gateway.pool.resting() == []


def test_a_request_fault_told_as_the_upstreams_own_ends_with_the_second_account_and_costs_none() -> None:
    three = '  - {api-key: key-three-0123456789, name: three, base-url: "http://three.test/v1"}\n'
    rig = Rig(FILL + TWO + three)
    for name in ("one", "two", "three"):
        rig[name].otherwise = fails(500, "messages[0].content is invalid (request id 1234)")
    asked = rig.ask()
    assert isinstance(asked.error, errors.UpstreamServerError)
    assert len(asked.accounts) == 2
    assert rig.gateway.pool.resting() == []


def test_an_outage_that_reads_alike_everywhere_is_tried_everywhere() -> None:
    rig = Rig(FILL + TWO)
    rig["one"].script = rig["two"].script = [fails(500, "Internal server error"), fails(500, "Internal server error")]
    asked = rig.ask()
    rig.wait(10.0, lambda: asked.done.called)
    assert asked.error is None
    assert asked.accounts[:2] == ["one", "two"]
    assert len(asked.accounts) > 2


@pytest.mark.parametrize(("switch", "accounts"), [("true", ["one", "two"]), ("false", ["one", "other"])])
def test_another_project_of_a_login_is_asked_where_that_is_wished(switch: str, accounts: list[str]) -> None:
    other = '  - {api-key: key-other-0123456789, name: other, base-url: "http://other.test/v1"}\n'
    rig = Rig("")
    snapshot = rig.snapshot(f"quota-exceeded: {{switch-project: {switch}}}\n" + FILL + TWO + other)
    projects = {name: replace(snapshot.upstreams[name], login="login") for name in ("one", "two")}
    rig.gateway.use(replace(snapshot, upstreams={**snapshot.upstreams, **projects}))
    rig["one"].script = [fails(429, "You exceeded your current quota", "insufficient_quota")]
    assert rig.ask().accounts == accounts


@pytest.mark.parametrize(("switch", "models"), [("true", ["pro", "pro-preview-06-05"]), ("false", ["pro"])])
@pytest.mark.parametrize(
    "provider", ["gemini-api-key", "openai-api-key"]
)  # their quotas are told in words of their own
def test_a_models_preview_stands_in_where_its_quota_is_used_up(provider: str, switch: str, models: list[str]) -> None:
    rig = Rig(
        f"quota-exceeded: {{switch-preview-model: {switch}}}\nrequest-retry: 0\nmax-retry-interval: 0\n{provider}:\n"
        '  - {api-key: key-one-0123456789, name: one, base-url: "http://one.test/v1", models: [pro, pro-preview-06-05]}\n'
    )
    used_up = {
        "error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Resource has been exhausted (quota)."}
    }
    rig["one"].script = [Said(429, used_up), fails(500)]
    asked = rig.ask("pro")
    assert [attempt.model for attempt in asked.record.attempts] == models
    assert asked.record.choices[-1].stage == ("preview" if len(models) > 1 else "asked")


def test_a_model_that_one_account_lacks_is_asked_of_another() -> None:
    rig = Rig(FILL + TWO)
    rig["one"].script = [fails(404, "The model `m` does not exist", "model_not_found")]
    assert rig.ask().accounts == ["one", "two"]
    assert rig.ask("other").accounts == ["one"], "its other models are still asked for"


def test_one_dead_address_costs_two_attempts_however_many_accounts_it_has() -> None:
    keys = ", ".join(f"key-number-{number}-0123456789" for number in range(9))
    more = f"openai-compatibility: [{{name: spare, base-url: 'http://spare.test/v1', priority: 200, api-key-entries: [k-0123456789]}}, {{name: dead, base-url: 'http://dead.test/v1', api-key-entries: [{keys}]}}]"
    rig = Rig(FILL + more)
    rig["dead"].otherwise = errors.Unreachable("connection refused")
    asked = rig.ask()
    assert [attempt.provider for attempt in asked.record.attempts] == ["dead", "dead", "spare"]
    assert rig.ask(words="more").accounts == ["spare-1"]


@pytest.mark.parametrize(
    ("action", "accounts", "rests"),
    [
        ("stop", ["one"], 0),
        ("stop-and-cooldown", ["one"], 1),
        ("continue", ["one", "two"], 0),
        ("continue-and-cooldown", ["one", "two"], 1),
    ],
)
def test_the_operator_says_what_a_failure_means(action: str, accounts: list[str], rests: int) -> None:
    rule = f"request-scoped-errors: [{{status: 400, match: [Out Of Capacity], action: {action}}}]\n"
    rig = Rig(FILL + rule + TWO)
    rig["one"].script = [fails(400, "we are out of capacity")]
    assert rig.ask().accounts == accounts
    assert len(rig.gateway.pool.resting()) == rests


def test_an_entrys_rule_goes_before_the_global_one() -> None:
    entry = TWO.replace("name: one,", "name: one, request-scoped-errors: [{status: 400, action: continue}],")
    rig = Rig(FILL + "request-scoped-errors: [{status: 400, action: stop}]\n" + entry)
    for name in ("one", "two"):
        rig[name].otherwise = fails(400)
    assert rig.ask().accounts == ["one", "two"]


def test_a_refusal_names_who_rests_and_a_probe_finds_the_recovery() -> None:
    rig = Rig("request-retry: 0\nmax-retry-interval: 2\n" + FILL + TWO)
    for name in ("one", "two"):
        rig[name].script = [fails(429, retry_after="3600")] * 2
    first = rig.ask()
    assert isinstance(first.error, errors.RateLimited)
    rig.wait(5.0)
    for probed in ("one", "two"):
        probing = rig.ask()
        assert isinstance(probing.error, errors.RateLimited)
        assert probing.accounts == [probed], "one probe, at the one that returns first"
    patient = rig.ask()
    rig.wait(PROBE_PAUSE * 0.9)
    assert patient.accounts == [], "both have just been asked"
    rig.wait(PROBE_PAUSE * 0.2)
    assert patient.accounts == ["one"], "back within a moment of its recovery, not after an hour"
    assert patient.record.outcome is Outcome.COMPLETE
    assert rig.ask().accounts == ["one"]
    assert [place[1] for place, _ in rig.gateway.pool.resting()] == ["two"]


def test_whoever_waits_is_told_who_rests_for_how_long() -> None:
    rig = Rig("request-retry: 0\nmax-retry-interval: 0\n" + FILL + TWO)
    for name, seconds in (("one", "90"), ("two", "40")):
        rig[name].otherwise = fails(429, retry_after=seconds)
    rig.ask()
    refused = rig.ask().error
    assert isinstance(refused, errors.RateLimited)
    assert (
        refused.message == "All accounts that offer 'm' rest: two for 40 s (rate limited), one for 90 s (rate limited)."
    )
    assert refused.retry_after == 40.0


def test_rounds_attempts_and_time_have_an_end() -> None:
    for limits, attempts in (("request-retry: 2\n", 6), ("max-attempts: 3\n", 3), ("max-retry-credentials: 1\n", 4)):
        rig = Rig(f"disable-cooling: true\n{limits}{TWO}")
        for name in ("one", "two"):
            rig[name].otherwise = fails(500)
        asked = rig.ask()
        rig.wait(60.0)
        assert isinstance(asked.error, errors.UpstreamServerError)
        assert len(asked.accounts) == attempts
    rig = Rig("timeouts: {retries: 5}\nrequest-retry: 100\n" + TWO)
    for name in ("one", "two"):
        rig[name].otherwise = fails(500)
    asked = rig.ask()
    rig.wait(10.0, until=lambda: asked.done.called)
    assert asked.error is not None
    assert rig.clock.seconds() <= 5.0


def test_the_client_leaves_while_it_waits() -> None:
    rig = Rig(TWO.replace("}", ", concurrency: 1}"))
    for name in ("one", "two"):
        rig[name].script = [SILENT]
    held = [rig.ask(), rig.ask(words="b")]
    waiting = rig.ask(words="c")
    assert rig.gateway.pool.waiting == 1
    waiting.done.cancel()
    assert isinstance(waiting.error, CancelledError)
    assert waiting.record.outcome is Outcome.CANCELLED
    for asked in held:
        asked.done.cancel()
        assert asked.record.attempts[0].outcome is Outcome.CANCELLED
    assert [rig["one"].cancelled, rig["two"].cancelled] == [1, 1]
    assert rig.gateway.pool.waiting == rig.gateway.pool.in_use("one") == rig.gateway.pool.in_use("two") == 0
    assert rig.gateway.pool.resting() == []
    rig.gateway.ended.now()
    assert rig.clock.getDelayedCalls() == []


def test_the_client_leaves_in_the_pause_between_rounds() -> None:
    rig = Rig("disable-cooling: true\n" + TWO)
    for name in ("one", "two"):
        rig[name].otherwise = fails(500)
    asked = rig.ask()
    assert not asked.done.called
    asked.done.cancel()
    assert isinstance(asked.error, CancelledError)
    rig.gateway.ended.now()
    assert rig.clock.getDelayedCalls() == []


CHAIN = """
request-retry: 0
provider-fallback-chain: {openai: [second], second: [third]}
model-fallback: {m: [n]}
context-length-fallback: [m]
openai-api-key: [{api-key: key-one-0123456789, name: one, base-url: "http://one.test/v1", models: [m]}]
openai-compatibility:
  - {name: second, base-url: "http://second.test/v1", models: [x]}
  - {name: third, base-url: "http://third.test/v1", models: [{name: m-as-theirs, alias: m}]}
  - {name: fourth, base-url: "http://fourth.test/v1", models: [n]}
"""


def model_asked(rig: Rig, host: str) -> str:
    return str(json.loads(rig[host].asked[-1].body)["model"])


def test_providers_stand_in_over_several_links_and_then_models() -> None:
    rig = Rig(CHAIN)
    assert rig.ask().accounts == ["one"], "nobody stands in while it works"
    rig["one"].otherwise = fails(500, "the first one's words")
    asked = rig.ask(words="b")
    assert asked.accounts == ["one", "third-1"]
    assert model_asked(rig, "third") == "m-as-theirs"
    assert asked.sink.headers["x-aiproxy-provider"] == "third"
    rig["third"].otherwise = fails(503)
    rig.wait(10.0)
    assert rig.ask(words="c").accounts == ["one", "third-1", "fourth-1"]
    assert model_asked(rig, "fourth") == "n"
    rig["fourth"].otherwise = fails(404, "no such model n", "model_not_found")
    rig.wait(10.0)
    asked = rig.ask(words="d")
    assert asked.accounts == ["one", "third-1", "fourth-1"]
    assert isinstance(asked.error, errors.UpstreamServerError)
    assert asked.error.message == "the first one's words", "told of what was asked for, not of a stand-in"


def test_nobody_waits_for_who_rests_while_a_stand_in_is_ready() -> None:
    rig = Rig(CHAIN.replace("request-retry: 0", "request-retry: 3"))
    rig["one"].script = [fails(429, retry_after="20")]
    for _ in range(3):
        assert rig.ask().error is None
    assert [len(rig[name].asked) for name in ("one", "third")] == [1, 3]
    assert rig.clock.seconds() == 0.0


def test_when_all_rest_the_one_asked_for_is_waited_for() -> None:
    rig = Rig(CHAIN)
    for name in ("one", "third", "fourth"):
        rig[name].script = [fails(429, retry_after="20")]
    assert rig.ask().accounts == ["one", "third-1", "fourth-1"]
    waiting = rig.ask()
    rig.wait(19.0)
    assert not waiting.accounts
    rig.wait(2.0)
    assert waiting.accounts == ["one"]
    assert waiting.record.outcome is Outcome.COMPLETE


def test_further_rounds_come_after_all_stand_ins_have_failed() -> None:
    rig = Rig("disable-cooling: true\n" + CHAIN.replace("request-retry: 0", "request-retry: 1"))
    for name in ("one", "third", "fourth"):
        rig[name].otherwise = fails(500)
    asked = rig.ask()
    rig.wait(10.0)
    assert asked.accounts == ["one", "third-1", "fourth-1"] * 2
    assert isinstance(asked.error, errors.UpstreamServerError)


def test_a_request_that_is_too_long_goes_to_a_longer_model_where_that_is_said() -> None:
    rig = Rig(CHAIN)
    rig["one"].otherwise = fails(400, "maximum context length is 9 tokens", "context_length_exceeded")
    assert rig.ask().accounts == ["one", "fourth-1"]
    rig = Rig(CHAIN.replace("context-length-fallback: [m]", ""))
    rig["one"].otherwise = fails(400, "maximum context length is 9 tokens", "context_length_exceeded")
    asked = rig.ask()
    assert asked.accounts == ["one"]
    assert isinstance(asked.error, errors.ContextLength)


def test_a_key_that_may_not_use_the_stand_in_does_not_get_it() -> None:
    rig = Rig(CHAIN)
    rig["one"].otherwise = rig["third"].otherwise = fails(500)
    asked = rig.ask(client=Client("limited", "limited", lambda model: model == "m"))
    assert asked.accounts == ["one", "third-1"]


def test_models_that_share_an_alias_take_turns_and_stand_in() -> None:
    shared = "openai-compatibility: [{name: both, base-url: 'http://both.test/v1', models: [{name: a, alias: m}, {name: b, alias: m}]}]"
    rig = Rig(shared)
    names = []
    for words in "1234":
        rig.ask(words=words)
        names.append(model_asked(rig, "both"))
    assert names == ["a", "b", "a", "b"]
    rig["both"].script = [fails(429, retry_after="60")]
    assert rig.ask(words="5").error is None
    assert [attempt.model for attempt in rig.ask(words="6").record.attempts] == ["b"], (
        "the one that rests is passed over"
    )


def test_a_conversation_stays_and_its_beginning_goes_anywhere() -> None:
    rig = Rig(TWO)
    history = [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "x"},
        {"role": "user", "content": "y"},
    ]
    assert [rig.ask(words="hi").accounts[0] for _ in range(3)] == ["one", "two", "one"]
    assert [rig.ask(messages=history).accounts[0] for _ in range(3)] == ["one", "one", "one"]
    assert [rig.ask(words="z", prompt_cache_key="k").accounts[0] for _ in range(2)] == ["two", "two"]
    rig = Rig("routing: {session-affinity: false}\n" + TWO)
    assert [rig.ask(messages=history).accounts[0] for _ in range(3)] == ["one", "two", "one"]


def test_every_decision_can_be_asked_for() -> None:
    rig = Rig(FILL + TWO)
    rig["one"].script = [fails(429, retry_after="30")]
    asked = rig.ask()
    record = asked.record
    assert [(choice.account, choice.why, choice.stage) for choice in record.choices] == [
        ("one", "strategy", "asked"),
        ("two", "strategy", "asked"),
    ]
    assert [(passed.account, passed.why) for passed in record.choices[1].passed] == [("one", "tried")]
    assert story(record).startswith("0.00 one m by turn; ")
    later = rig.ask(words="b").record.choices[0]
    (passed,) = later.passed
    assert (passed.account, passed.why) == ("one", "rate_limit")
    assert passed.until is not None


def test_the_answer_that_hides_an_error_in_a_200_blames_its_account() -> None:
    rig = Rig(FILL + TWO)
    rig["one"].script = [Said(200, {"error": {"message": "quota", "code": "insufficient_quota"}})]
    asked = rig.ask()
    assert asked.accounts == ["one", "two"]
    assert asked.sink.body
    assert [(place[1], health.reason) for place, health in rig.gateway.pool.resting()] == [("one", "quota_exhausted")]


def test_a_smaller_share_is_a_smaller_share() -> None:
    weighted = TWO.replace("name: one,", "name: one, weight: 3,")
    rig = Rig("routing: {strategy: weighted-round-robin}\n" + weighted)
    accounts = [rig.ask(words=str(number)).accounts[0] for number in range(8)]
    assert accounts == ["one", "one", "two", "one"] * 2


@pytest.mark.parametrize("stream", [False, True])
def test_a_200_that_answers_nothing_is_a_failure(stream: bool) -> None:
    """So does iFlow tell that a key has ended."""
    rig = Rig(
        "openai-api-key:\n"
        '  - {api-key: key-one-0123456789, name: one, base-url: "http://one.test/v1"}\n'
        '  - {api-key: key-two-0123456789, name: two, base-url: "http://two.test/v1"}\n'
    )
    rig["one"].script = [Said(200, {"status": "439", "msg": "Your API Token has expired.", "body": None})]
    assert rig.ask(stream=stream).accounts == ["one", "two"]


def test_whom_a_client_waited_for_when_it_left_the_queue_is_recorded() -> None:
    rig = Rig(
        'openai-api-key: [{api-key: key-one-0123456789, name: one, base-url: "http://one.test/v1", concurrency: 1}]'
    )
    rig["one"].script = [SILENT]
    rig.ask()
    waiting = rig.ask()
    rig.wait(1.5)
    waiting.done.cancel()
    assert waiting.record.outcome is Outcome.CANCELLED
    assert story(waiting.record) == "1.50 nobody after a wait of 1.50 s, passed over one m (busy)"


def test_how_long_somebody_waited_to_be_refused_is_recorded() -> None:
    rig = Rig(
        "max-retry-interval: 3\n"
        'openai-api-key: [{api-key: key-one-0123456789, name: one, base-url: "http://one.test/v1", concurrency: 1}]'
    )
    rig["one"].script = [SILENT]
    rig.ask()
    refused = rig.ask()
    rig.wait(3.0)
    assert isinstance(refused.error, errors.Overloaded)
    assert story(refused.record) == "3.00 nobody after a wait of 3.00 s, passed over one m (busy)"
