"""What was used is the same wherever it is asked: in the ledger, in the management API's answers, in the metrics and in each key's
own quota, after a load in which answers break off, accounts fail over and clients leave, served by two workers."""

import csv
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from functools import partial
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Behaviour, Received, Upstream, Wire, events, fails, hangs_up, says, stream_then, upstream

KEYS = {name: f"key-of-{name}-0123456789" for name in ("ann", "bob", "eve")}
MANAGEMENT = "a-management-key-0123456789"
CALLS = 150
PATIENCE = 40.0
READ = ("input_uncached", "cache_read", "cache_write", "cache_write_1h", "audio_in", "image_in", "tool_prompt")
WRITTEN = ("output_visible", "reasoning", "audio_out", "image_out")


def stalls(wire: Wire) -> None:
    """Until its client has had enough."""
    wire.wait_for_close(PATIENCE)


def keeps_silent(_request: Received, wire: Wire) -> None:
    stalls(wire)


def at_random(random: Random) -> Behaviour:
    begun = events("one", " two", " three")[:3]
    right = says("one", " two", " three")
    ways = [
        *[right] * 6,
        fails(500),
        fails(503),
        hangs_up,
        stream_then(begun, Wire.cut),
        stream_then(begun, stalls),
        keeps_silent,
    ]

    def behave(request: Received, wire: Wire) -> None:
        way = right if request.method == "GET" else random.choice(ways)
        with suppress(OSError):  # its client has left
            way(request, wire)

    return behave


@pytest.fixture(scope="module")
def vendors() -> Iterator[list[Upstream]]:
    random = Random(8)
    with upstream(at_random(random)) as one, upstream(at_random(random)) as two:
        yield [one, two]


def configuration(vendors: list[Upstream]) -> str:
    keys = "\n".join(
        f"  - {{name: {name}, key: {key}, limits: {{requests-per-day: 100000}}, "
        "budget: {tokens-per-month: 1000000000, usd-per-month: 100000}}"
        for name, key in KEYS.items()
    )
    accounts = "\n".join(
        f'  - {{name: "{name}", base-url: "{vendor.base_url}", api-key-entries: [key-0123456789abcdef], models: [m, free]}}'
        for name, vendor in zip(("one", "two"), vendors, strict=True)
    )
    return f"""
state: state.db
disable-cooling: true
request-retry: 0
remote-management: {{secret-key: {MANAGEMENT}}}
prices: {{m: {{input: 3, output: 15}}}}
api-keys:
{keys}
openai-compatibility:
{accounts}
"""


def load(gateway: Daemon) -> None:
    """Some of the clients are in a hurry."""
    random = Random(3)

    def ask(number: int) -> None:
        key, model, stream = (
            random.choice(list(KEYS.values())),
            random.choice(("m", "m", "free")),
            random.random() < 0.6,
        )
        body = {
            "model": model,
            "stream": stream,
            "max_tokens": 9,
            "messages": [{"role": "user", "content": "x" * number}],
        }
        headers = {"authorization": f"Bearer {key}"}
        with suppress(httpx2.HTTPError):
            httpx2.post(f"{gateway.base_url}/chat/completions", json=body, headers=headers, timeout=1.5)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(ask, range(CALLS)))


def managed(gateway: Daemon, path: str) -> httpx2.Response:
    headers = {"authorization": f"Bearer {MANAGEMENT}"}
    answer = httpx2.get(f"{gateway.address}/v0/management{path}", headers=headers, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    return answer


def summed(rows: list[dict[str, Any]]) -> dict[str, float]:
    return {
        "attempts": sum(row["attempts"] for row in rows),
        "read": sum(row[name] for row in rows for name in READ),
        "written": sum(row[name] for row in rows for name in WRITTEN),
        "cost": round(sum(row["cost_usd"] for row in rows), 9),
    }


def ledger(directory: Path) -> dict[str, float]:
    read, written = (" + ".join(f"coalesce({name}, 0)" for name in names) for names in (READ, WRITTEN))
    with closing(sqlite3.connect(directory / "state.db")) as kept:
        found = kept.execute(f"SELECT count(*), sum({read}), sum({written}), sum(cost) FROM usage").fetchone()
    return dict(zip(("attempts", "read", "written", "cost"), (*found[:3], round(found[3], 9)), strict=True))


def page(gateway: Daemon) -> Callable[..., float]:
    headers = {"authorization": f"Bearer {KEYS['ann']}"}
    text = httpx2.get(f"{gateway.address}/metrics", headers=headers, timeout=PATIENCE).text
    samples = [each for family in text_string_to_metric_families(text) for each in family.samples]

    def told(name: str, **labels: str) -> float:
        return sum(
            each.value
            for each in samples
            if each.name == f"aiproxy_{name}_total" and labels.items() <= each.labels.items()
        )

    return told


def metrics(told: Callable[..., float]) -> dict[str, float]:
    return {
        "attempts": told("attempts"),
        "read": sum(told("tokens", kind=kind) for kind in ("input", "cache_read", "cache_write")),
        "written": sum(told("tokens", kind=kind) for kind in ("output", "reasoning")),
        "cost": round(told("cost_usd"), 9),
    }


def used(gateway: Daemon, key: str, limits: Collection[str]) -> Mapping[str, float]:
    answer = httpx2.get(f"{gateway.base_url}/quota", headers={"authorization": f"Bearer {key}"}, timeout=PATIENCE)
    return {each["limit"]: each["used"] for each in answer.json()["limits"] if each["limit"] in limits}


def until_equal(*sources: Callable[[], Any]) -> Any:
    """What all say, once they do: a batch is written, and workers tell one another, within a second."""
    given_up = time.monotonic() + PATIENCE
    while True:
        found = [source() for source in sources]
        if all(each == found[0] for each in found):
            return found[0]
        assert time.monotonic() < given_up, found
        time.sleep(0.1)


def test_sums_are_equal_everywhere(vendors: list[Upstream], tmp_path: Path) -> None:
    with daemon(tmp_path, configuration(vendors), "--workers", "2") as gateway:
        load(gateway)
        sums = until_equal(
            lambda: metrics(page(gateway)),
            lambda: ledger(tmp_path),
            lambda: summed(managed(gateway, "/usage/sums").json()["usage"]),
            lambda: summed(managed(gateway, "/usage/sums?by=client,account,model,day").json()["usage"]),
        )
        told = page(gateway)
        calls = managed(gateway, "/requests?limit=1000").json()["requests"]
        by_outcome = Counter(call["outcome"] for call in calls)
        shape = managed(gateway, "/usage").json()["usage"]
        by_client = {row["client"]: row for row in managed(gateway, "/usage/sums?by=client").json()["usage"]}
        table = list(csv.DictReader(StringIO(managed(gateway, "/usage/sums?by=client&format=csv").text)))
        for name, key in KEYS.items():
            mine, row = [call for call in calls if call["client"] == name], by_client[name]
            expected = {
                "requests-per-day": len(mine),
                "tokens-per-month": sum(summed([row])[kind] for kind in ("read", "written")),
            }
            until_equal(partial(used, gateway, key, tuple(expected)), partial(dict, expected))
            dollars = used(gateway, key, ("usd-per-month",))["usd-per-month"]
            assert dollars == pytest.approx(row["cost_usd"], abs=len(mine) * 1e-6)
    assert len(calls) == told("requests") == CALLS
    assert {"complete", "failed", "cut", "cancelled"} <= by_outcome.keys()
    assert all(told("requests", outcome=outcome) == number for outcome, number in by_outcome.items())
    assert sums["attempts"] > CALLS
    assert told("failovers") == sums["attempts"] - sum(bool(call["attempts"]) for call in calls) > 0
    assert (shape["total_requests"], shape["total_tokens"]) == (sums["attempts"], sums["read"] + sums["written"])
    assert {row["client"]: float(row["cost_usd"]) for row in table} == pytest.approx(
        {name: row["cost_usd"] for name, row in by_client.items()}
    )
    assert told("streams_truncated") == by_outcome["cut"]
