"""One limit, two workers: together they let through what one would."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep

import httpx2
import pytest

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Upstream, says, upstream

DAILY, DOLLARS = "key-of-daily-0123456789", "key-of-dollars-0123456789"
PATIENCE = 30.0
CALLS = 200


@pytest.fixture
def vendor() -> Iterator[Upstream]:
    with upstream(says("hello")) as running:
        yield running


@pytest.fixture
def gateway(vendor: Upstream, tmp_path: Path) -> Iterator[Daemon]:
    configuration = f"""
state: state.db
api-keys:
  - {{name: daily, key: {DAILY}, limits: {{requests-per-day: 50}}}}
  - {{name: dollars, key: {DOLLARS}, budget: {{usd-per-month: 1}}}}
prices: {{m: {{input: 100, output: 2000}}}}
openai-api-key: [{{api-key: key-of-vendor-0123456789, base-url: "{vendor.base_url}", models: [m]}}]
"""
    with daemon(tmp_path, configuration, "--workers", "2") as running:
        yield running


def ask(gateway: Daemon, key: str) -> httpx2.Response:
    """Over a connection of its own, so that the kernel spreads calls over the workers."""
    body = {"model": "m", "max_tokens": 10, "messages": [{"role": "user", "content": "x"}]}
    return httpx2.post(
        f"{gateway.base_url}/chat/completions", json=body, headers={"authorization": f"Bearer {key}"}, timeout=PATIENCE
    )


def ask_at_once(gateway: Daemon, key: str) -> list[httpx2.Response]:
    with ThreadPoolExecutor(32) as threads:
        return list(threads.map(lambda _: ask(gateway, key), range(CALLS)))


def use_the_rest(gateway: Daemon, key: str) -> list[httpx2.Response]:
    """What one worker has of a slice that the other lacks comes back when it is idle."""
    answers: list[httpx2.Response] = []
    given_up = monotonic() + PATIENCE
    while not answers or "of which 0" not in answers[-1].text:
        assert monotonic() < given_up, answers[-1].text
        answers.append(ask(gateway, key))
        if answers[-1].status_code == 429:
            sleep(0.2)
    return answers


def test_requests_of_a_day_are_counted_over_all_workers(gateway: Daemon, tmp_path: Path) -> None:
    answers = ask_at_once(gateway, DAILY)
    assert {answer.status_code for answer in answers} == {200, 429}
    answers += use_the_rest(gateway, DAILY)
    assert sum(answer.status_code == 200 for answer in answers) == 50
    refused = answers[-1]
    assert "may use 50 requests per day (requests-per-day), of which 0 are left" in refused.text
    gateway.stop()
    with sqlite3.connect(tmp_path / "state.db") as kept:
        assert kept.execute("SELECT amount FROM counters WHERE client = 'name daily'").fetchall() == [(50,)]
        assert kept.execute("SELECT count(*) FROM usage").fetchone() == (50,)
    kept.close()


def test_dollars_of_a_month_are_counted_over_all_workers(gateway: Daemon, tmp_path: Path) -> None:
    answers = ask_at_once(gateway, DOLLARS)
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    gateway.stop()
    with sqlite3.connect(tmp_path / "state.db") as kept:
        [(cost,)] = kept.execute("SELECT sum(cost) FROM usage").fetchall()
        [(counted,)] = kept.execute("SELECT amount FROM counters WHERE client = 'name dollars'").fetchall()
    kept.close()
    assert 0 < cost <= 1
    assert counted == pytest.approx(cost * 1_000_000, abs=CALLS)
