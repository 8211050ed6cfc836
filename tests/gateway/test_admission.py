"""What a call takes of its client's limits, however it ends."""

from random import Random

from aiproxy.clients import Client
from aiproxy.clients.limits import Counts, Limit, Limited, Window
from aiproxy.neutral import errors
from tests.rig.scripted import OK, SILENT, Answer, Asked, Rig, Said

ONE = 'request-retry: 0\nopenai-compatibility: [{name: one, base-url: "http://one.test/v1", models: [m]}]'
TEAM = Client(
    "team",
    "team",
    limits=(
        Limited(
            "team",
            "This key",
            (
                Limit("concurrent", 4, Counts.CALLS, Window.NOW),
                Limit("tokens-per-month", 1_000_000, Counts.TOKENS, Window.MONTH),
            ),
        ),
    ),
)

SAYS = Said(body={**OK, "usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}})
"""An answer that tells what it used; of one that doesn't, all that was reserved is taken."""


def used(rig: Rig) -> list[int]:
    return [each.used for each in rig.gateway.limiter.standings(TEAM.limits, 0.0)]


def test_however_calls_end_what_they_used_is_what_their_attempts_say() -> None:
    """Random answers, failures and hang-ups, up to eight at a time."""
    rig, random = Rig(f"{ONE}\ndisable-cooling: true"), Random(8)
    told: list[int] = []
    rig.gateway.limiter.spent = lambda _holder, _counts, _period, amount: told.append(amount)
    asked: list[Asked] = []
    answers: list[Answer] = [SAYS, SILENT, errors.Overloaded("x"), Said(500, {})]
    for _ in range(200):
        rig["one"].script.append(random.choice(answers))
        asked.append(rig.ask(client=TEAM))
        open_calls = [each for each in asked if each.record.ended is None]
        assert len(open_calls) <= 4
        rig["one"].script.clear()
        while open_calls and random.random() < 0.1:
            open_calls.pop().done.cancel()
    for each in asked:
        each.done.cancel()
    refused = [each for each in asked if isinstance(each.error, errors.RateLimited)]
    answered = [each for each in asked if each.record.outcome == "complete"]
    assert refused
    assert answered
    assert not any(each.accounts for each in refused)
    usages = [attempt.usage for each in asked for attempt in each.record.attempts if attempt.usage]
    tokens = sum((usage.input_total or 0) + (usage.output_total or 0) for usage in usages)
    assert sum(told) == tokens > 0
    assert used(rig)[0] == 0
