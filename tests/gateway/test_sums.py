"""After a random load with failures, cuts and hang-ups, everybody who counts has counted the same."""

from collections import Counter
from collections.abc import Sequence
from random import Random
from time import time

import pytest
from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.task import Clock

from aiproxy.clients import Client
from aiproxy.clients.limits import MICRO, Counts, Limit, Limited, Window
from aiproxy.neutral import errors
from aiproxy.storage.state.asking import Span, sums
from aiproxy.storage.state.asking import calls as kept_calls
from aiproxy.storage.state.batch import Batch, write
from aiproxy.storage.state.calls import logged
from aiproxy.storage.state.rows import CounterRow
from aiproxy.storage.state.sqlite import SqliteDatabase
from aiproxy.usage import CallRecord
from aiproxy.web.metrics import Metrics
from tests.rig.scripted import OK, SILENT, Answer, Asked, Rig, Said

TEAM = Client(
    "team",
    "team",
    limits=(
        Limited(
            "team",
            "This key",
            (
                Limit("requests-per-day", 10_000, Counts.REQUESTS, Window.DAY),
                Limit("tokens-per-month", 10**9, Counts.TOKENS, Window.MONTH),
                Limit("usd-per-month", 1000 * MICRO, Counts.MICRO_USD, Window.MONTH),
            ),
        ),
    ),
)

DETAILS = {
    "prompt_tokens_details": {"cached_tokens": 40, "audio_tokens": 5},
    "completion_tokens_details": {"reasoning_tokens": 11},
}
CONFIGURATION = """
request-retry: 0
disable-cooling: true
prices: {m: {input: 3, output: 15, cache-read: 0.3}}
openai-compatibility:
  - {name: one, base-url: "http://one.test/v1", models: [m, free]}
  - {name: two, base-url: "http://two.test/v1", models: [m]}
"""

NOTHING = Said(body={**OK, "usage": {}})
"""An upstream that counts, and doesn't say what."""


def says(random: Random) -> Said:
    prompt, completion = random.randrange(50, 500), random.randrange(20, 500)
    usage = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion, **DETAILS}
    return Said(body={**OK, "usage": usage})


def test_ledger_metrics_and_the_keys_counters_agree() -> None:
    rig, random, batch = Rig(CONFIGURATION), Random(11), Batch()
    metrics = Metrics(rig.gateway, Clock())

    def keep(calls: Sequence[CallRecord]) -> None:
        for rows in logged(calls, "node", 0.0):
            batch.append(rows)

    rig.gateway.ended.observers.append(keep)
    rig.gateway.limiter.spent = lambda who, what, when, amount: batch.add(CounterRow(who, what, when, amount, 0.0))
    asked: list[Asked] = []
    for _ in range(400):
        answers: list[Answer] = [says(random), says(random), SILENT, errors.Overloaded("x"), Said(500, {}), NOTHING]
        for upstream in ("one", "two"):
            rig[upstream].script.append(random.choice(answers))
        asked.append(rig.ask(client=TEAM, model=random.choice(("m", "m", "free"))))
        for upstream in ("one", "two"):
            rig[upstream].script.clear()
        while (waiting := [each for each in asked if each.record.ended is None]) and random.random() < 0.3:
            random.choice(waiting).done.cancel()
    for each in asked:
        each.done.cancel()
    rig.gateway.ended.now()

    database = SqliteDatabase(None)
    database.open()
    with database.transaction() as session:
        write(session, batch, "w", 1, 0.0)
        inputs = "coalesce(input_uncached, 0) + coalesce(cache_read, 0) + coalesce(audio_in, 0)"
        outputs = "coalesce(output_visible, 0) + coalesce(reasoning, 0)"
        sql = f"SELECT count(*), sum({inputs}), sum({outputs}), sum(cost) FROM usage"
        [(attempts, read, written, cost)] = session.rows(sql)
        kept = kept_calls(session, {}, Span(), failed=False, limit=10_000)
        calls, outcomes = len(kept), Counter(row.outcome for row in kept)
        counters = dict(session.rows("SELECT meter, amount FROM counters"))
        unpriced = sums(session, (), Span())[0]["unpriced"]

    families = {family.name: family.samples for family in text_string_to_metric_families(metrics.page().decode())}

    def told(name: str, **labels: str) -> float:
        samples = families[f"aiproxy_{name}"]
        return sum(s.value for s in samples if s.name.endswith("_total") and labels.items() <= s.labels.items())

    assert {"complete", "failed", "cancelled"} <= outcomes.keys()
    assert calls == len(asked) == told("requests") == counters["requests"]
    assert all(told("requests", outcome=outcome) == count for outcome, count in outcomes.items())
    assert attempts == told("attempts") == sum(len(each.record.attempts) for each in asked) > calls
    assert read == sum(told("tokens", kind=kind) for kind in ("input", "cache_read"))
    assert written == sum(told("tokens", kind=kind) for kind in ("output", "reasoning"))
    assert read + written == counters["tokens"] > 0
    assert cost == pytest.approx(told("cost_usd"))
    assert counters["micro-dollars"] == pytest.approx(cost * MICRO, abs=calls)
    assert unpriced == told("unpriced_attempts") > 0
    standings = rig.gateway.limiter.standings(TEAM.limits, time())
    assert [each.used for each in standings] == [calls, read + written, counters["micro-dollars"]]
