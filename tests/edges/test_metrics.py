"""`/metrics` as Prometheus reads it: well formed, bounded, and in agreement with the ledger and the answers."""

import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import says, upstream

KEY = "key-of-team-0123456789"
HEADERS = {"authorization": f"Bearer {KEY}"}


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Daemon]:
    with upstream(says("hello")) as vendor:
        configuration = f"""
api-keys: [{{name: team, key: {KEY}}}]
prices: {{m: {{input: 1000000, output: 2000000}}}}
openai-api-key: [{{api-key: key-of-vendor-0123456789, base-url: "{vendor.base_url}", models: [m]}}]
openai-compatibility: [{{name: any, base-url: "{vendor.base_url}"}}]
"""
        with daemon(tmp_path, configuration) as running:
            yield running


def ask(gateway: Daemon, model: str) -> httpx2.Response:
    body = {"model": model, "messages": [{"role": "user", "content": "x"}]}
    return httpx2.post(f"{gateway.base_url}/chat/completions", json=body, headers=HEADERS, timeout=20)


def test_metrics_are_well_formed_bounded_and_agree_with_the_ledger(gateway: Daemon, tmp_path: Path) -> None:
    usages = [ask(gateway, model).json()["usage"] for model in ("m", "m", "made-up-1", "made-up-2")]
    answer = httpx2.get(f"{gateway.address}/metrics", headers=HEADERS, timeout=20)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = list(text_string_to_metric_families(answer.text))
    found: dict[tuple[str, str], float] = {}
    for family in families:
        assert family.documentation
        assert re.fullmatch(r"(aiproxy|process)_[a-z0-9_]+", family.name), family.name
        assert family.type in ("counter", "gauge", "histogram"), family.name
        for sample in family.samples:
            assert not {"client", "key"} & set(sample.labels)
            assert "made-up" not in str(sample.labels)
            assert not sample.name.endswith("_created")
            key = sample.name, sample.labels.get("kind", sample.labels.get("outcome", sample.labels.get("le", "")))
            found[key] = found.get(key, 0.0) + sample.value
    assert KEY not in answer.text
    read, written = (sum(usage[name] for usage in usages) for name in ("prompt_tokens", "completion_tokens"))
    kinds = ("input", "cache_read", "cache_write")
    assert sum(found.get(("aiproxy_tokens_total", kind), 0) for kind in kinds) == read
    assert sum(found.get(("aiproxy_tokens_total", kind), 0) for kind in ("output", "reasoning")) == written
    assert found["aiproxy_requests_total", "complete"] == 4
    assert found["aiproxy_unpriced_attempts_total", ""] == 2
    assert found["aiproxy_account_up", ""] == 2
    cost = sum(usage["prompt_tokens"] + 2 * usage["completion_tokens"] for usage in usages[:2])
    assert found["aiproxy_cost_usd_total", ""] == cost
    gateway.stop()
    kept = sqlite3.connect(tmp_path / ".aiproxy" / "state.db")
    sums = "sum(coalesce(input_uncached, 0) + coalesce(cache_read, 0)), sum(output_visible + coalesce(reasoning, 0)), sum(cost)"
    assert kept.execute(f"SELECT {sums} FROM usage").fetchone() == (read, written, cost)
    kept.close()


DASHBOARD = Path(__file__).parents[2] / "configs" / "grafana.json"


def test_every_metric_of_the_dashboard_exists(gateway: Daemon) -> None:
    """Families without a sample yet are named by their HELP."""
    told = httpx2.get(f"{gateway.address}/metrics", headers=HEADERS, timeout=20).text
    known = set(re.findall(r"^# HELP (\S+)", told, re.MULTILINE))
    known |= {f"{name}_{part}" for name in known for part in ("bucket", "sum", "count")}
    asked = [target["expr"] for panel in json.loads(DASHBOARD.read_text())["panels"] for target in panel["targets"]]
    named = set(re.findall(r"\b(?:aiproxy|process)_\w+", " ".join(asked)))
    assert len(named) > 15
    assert named <= known


def test_the_page_passes_promtools_lint(gateway: Daemon) -> None:
    ask(gateway, "m")
    told = httpx2.get(f"{gateway.address}/metrics", headers=HEADERS, timeout=20).text
    for family in text_string_to_metric_families(told):
        name = family.name
        assert family.documentation.endswith("."), name
        assert not name.endswith(("_total", "_count", "_sum", "_bucket", "_info")) or family.type == "gauge", name
        assert not re.search(r"_(milliseconds|ms|kilobytes|minutes|hours|percent)(_|$)", name), name
        assert name == name.lower()
        for sample in family.samples:
            if family.type == "counter":
                assert sample.name == f"{name}_total"
        if family.type == "histogram":
            assert name.endswith("_seconds"), name
            assert all(("le" in sample.labels) == sample.name.endswith("_bucket") for sample in family.samples)


def test_metrics_ask_for_a_key(gateway: Daemon) -> None:
    assert httpx2.get(f"{gateway.address}/metrics", timeout=20).status_code == 401


def test_metrics_can_be_switched_off(tmp_path: Path) -> None:
    with daemon(tmp_path, "metrics: {enable: false}") as running:
        assert httpx2.get(f"{running.address}/metrics", timeout=20).status_code == 404
