"""One account asks again at once elsewhere: at another address of its provider's, or at another endpoint of it."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from aiproxy.config.schema import Settings
from aiproxy.neutral import errors
from aiproxy.providers.base import Provider, Upstream
from aiproxy.providers.copilot import COPILOT
from aiproxy.providers.openai import OPENAI
from tests.rig.scripted import Answer, Rig, fails

KEY = 'openai-api-key: [{api-key: key-one-0123456789, base-url: "http://one.test/v1"}]\n'


def upstreams(settings: Settings) -> Iterable[Upstream]:
    return (replace(found, provider=SPARED) for found in OPENAI.upstreams(settings))


SPARED: Provider = replace(
    OPENAI, base_url="http://one.test/v1", spares=("http://two.test/v1", "http://three.test/v1"), upstreams=upstreams
)


@pytest.mark.parametrize(
    "answer",
    [
        fails(429),
        fails(503, "No capacity available for this model"),
        fails(529),
        errors.Unreachable("no"),
        errors.ConnectTimeout("late"),
    ],
)
def test_the_next_address_is_asked_by_the_same_account(answer: Answer) -> None:
    rig = Rig(KEY, (SPARED,))
    rig["one"].script = [answer]
    asked = rig.ask()
    assert (asked.error, asked.accounts) == (None, ["openai-1"])
    assert [len(rig[name].asked) for name in ("one", "two", "three")] == [1, 1, 0]
    assert rig["two"].asked[0].url == "http://two.test/v1/chat/completions"
    assert rig.gateway.pool.resting() == []


@pytest.mark.parametrize("answer", [fails(400), fails(401), fails(500), errors.Timeout("no answer")])
def test_what_another_address_does_no_better_is_not_asked_there(answer: Answer) -> None:
    rig = Rig(f"request-retry: 0\n{KEY}", (SPARED,))
    rig["one"].otherwise = answer
    rig.ask()
    assert rig["two"].asked == []


def test_when_all_addresses_fail_the_account_does() -> None:
    rig = Rig(f"request-retry: 0\n{KEY}", (SPARED,))
    for name in ("one", "two", "three"):
        rig[name].otherwise = fails(429, retry_after="30")
    asked = rig.ask()
    assert isinstance(asked.error, errors.RateLimited)
    assert [len(rig[name].asked) for name in ("one", "two", "three")] == [1, 1, 1]


def test_an_account_with_an_address_of_its_own_has_no_other() -> None:
    rig = Rig("request-retry: 0\n" + KEY.replace("one.test", "own.test"), (SPARED,))
    rig["own"].otherwise = fails(429, retry_after="30")
    assert rig.ask().accounts == ["openai-1"]
    assert rig["two"].asked == []


def of_copilot(settings: Settings) -> Iterable[Upstream]:
    return (replace(found, provider=ELSEWHERE) for found in OPENAI.upstreams(settings))


ELSEWHERE: Provider = replace(COPILOT, upstreams=of_copilot)
REFUSAL = 'model "gpt-9" is not accessible via the /chat/completions endpoint'


@pytest.mark.parametrize("code", ["unsupported_api_for_model", "model_not_supported"])
def test_a_model_that_another_endpoint_serves_is_asked_there(code: str) -> None:
    rig = Rig(f"request-retry: 0\n{KEY}", (ELSEWHERE,))
    rig["one"].script = [fails(400, REFUSAL, code)]
    rig["one"].otherwise = fails(400, REFUSAL, code)
    rig.ask("gpt-9")
    assert [request.url.rpartition("/")[2] for request in rig["one"].asked] == ["completions", "responses"]


def test_a_model_that_is_known_to_be_there_is_asked_there_at_once() -> None:
    rig = Rig(f"request-retry: 0\n{KEY}", (ELSEWHERE,))
    rig["one"].otherwise = fails(400, "no")
    rig.ask("gpt-5.3-codex")
    rig.ask("gpt-4.1")
    assert [request.url.rpartition("/")[2] for request in rig["one"].asked] == ["responses", "completions"]
