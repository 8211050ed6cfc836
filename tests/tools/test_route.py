"""`aiproxy-config route`: what it foresees is what a running gateway does, and every account has its reason."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from aiproxy.gateway.keys import clients_of
from aiproxy_config.cli import main
from tests.rig.scripted import Rig, fails

KEY = "a-key-that-is-long-enough"

CONFIGURATION = f"""
api-keys:
  - {{key: {KEY}, name: team, models: [smart, small, gpt-*], providers: [openai]}}
  - {{key: {KEY}-2, name: gone, disabled: true}}
openai-api-key:
  - {{api-key: sk-1111111111111111, name: first, models: [{{name: gpt-5.4, alias: smart}}, {{name: gpt-5.4-mini, alias: small}}]}}
  - {{api-key: sk-2222222222222222, name: second, priority: 200, weight: 3, models: [{{name: gpt-5.4, alias: smart}}]}}
  - {{api-key: sk-3333333333333333, name: open, excluded-models: [o1]}}
  - {{api-key: sk-4444444444444444, name: apart, prefix: eu, models: [gpt-5.4]}}
claude-api-key:
  - {{api-key: sk-5555555555555555, name: claude, models: [{{name: claude-opus, alias: smart}}, {{name: claude-haiku, alias: small}}]}}
model-fallback: {{smart: [small]}}
"""


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AIPROXY__AUTH_DIR", str(tmp_path / "auth"))
    return written(tmp_path, CONFIGURATION)


def written(directory: Path, text: str) -> Path:
    path = directory / "aiproxy.yaml"
    path.touch(mode=0o600)
    path.write_text(text)
    return path


def run(file: Path, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["route", "--config", str(file), *arguments], input=typed)


def found(file: Path, *arguments: str, typed: str = "") -> Any:
    return json.loads(run(file, "--json", *arguments, typed=typed).output)


def accounts(explanation: Any) -> list[list[list[tuple[str, str]]]]:
    """By stage, by tier."""
    return [
        [[(each["account"], each["model"]) for each in tier] for tier in stage["tiers"]]
        for stage in explanation["stages"]
    ]


def test_the_plan_in_words(file: Path) -> None:
    result = run(file, "--model", "smart(high)", "--protocol", "anthropic")
    assert result.exit_code == 0
    assert result.output == (
        "chat of 'smart(high)' in anthropic, for anybody\n"
        "  the name means 'smart' with thinking as its suffix says\n"
        "1. the accounts for 'smart'\n"
        "   priority 100, round-robin:\n"
        "     first (openai) as 'gpt-5.4'\n"
        "       translated to openai-chat, POST https://api.openai.com/v1/chat/completions\n"
        "     claude (claude) as 'claude-opus'\n"
        "       translated to anthropic, POST https://api.anthropic.com/v1/messages\n"
        "   when none of those is ready, priority 200:\n"
        "     second (openai) as 'gpt-5.4', weight 3\n"
        "       translated to openai-chat, POST https://api.openai.com/v1/chat/completions\n"
        "2. when nobody has answered (model-fallback), the accounts for 'small'\n"
        "   priority 100, round-robin:\n"
        "     first (openai) as 'gpt-5.4-mini'\n"
        "       translated to openai-chat, POST https://api.openai.com/v1/chat/completions\n"
        "     claude (claude) as 'claude-haiku'\n"
        "       translated to anthropic, POST https://api.anthropic.com/v1/messages\n"
        "not asked:\n"
        "  open (openai) passes any name on, and gives way to those that list this one\n"
        "  apart (openai) doesn't have this model in its list\n"
    )


@pytest.mark.parametrize(
    ("arguments", "passed_over"),
    [
        (["--model", "smart", "--key", "team"], {"claude": "is none that this key may spend"}),
        (["--model", "smart", "--provider", "claude"], {"first": "is at another provider than the one that was named"}),
        (["--model", "eu/gpt-5.4"], {"first": "hasn't the prefix in the model's name"}),
        (["--model", "gpt-5.4", "--set", "force-model-prefix=true"], {"apart": "is reached by its prefix only (force-model-prefix)"}),
        (["--model", "gpt-5.4"], {"first": "offers this model by an alias only"}),
        (["--model", "o1"], {"open": "excludes this model (excluded-models)"}),
        (
            ["--model", "smart", "--set", "routing.default-provider=claude"],
            {"first": "gives way to the default provider (routing.default-provider)"},
        ),
        (["--model", "o9", "--key", "team"], {"open": "offers this model, which this key may not use"}),
        (
            ["--model", "smart", "--operation", "embeddings"],
            {"claude": "has no endpoint for embeddings"},
        ),
    ],
)  # fmt: skip
def test_every_account_that_is_not_asked_has_its_reason(
    file: Path, arguments: list[str], passed_over: Mapping[str, str]
) -> None:
    explanation = found(file, *arguments, "--set", "model-fallback={}")
    assert passed_over.items() <= explanation["passed_over"].items()
    asked = {account for stage in accounts(explanation) for tier in stage for account, _ in tier}
    assert asked | explanation["passed_over"].keys() == {"first", "second", "open", "apart", "claude"}
    assert not asked & explanation["passed_over"].keys()


def test_nobody_is_asked(file: Path) -> None:
    result = run(file, "--model", "o9", "--key", "team")
    assert result.exit_code == 1
    assert "  nobody is asked: this key may not use the model 'o9'\n" in result.output
    assert "nobody offers the model 'o1'" in run(file, "--model", "o1").output
    assert "this key is disabled: every call of it is refused" in run(file, "--model", "smart", "--key", "gone").output


def test_a_body_tells_what_its_translation_loses(file: Path) -> None:
    body = {"model": "small", "seed": 4, "messages": [{"role": "user", "content": "hi"}]}
    (tier,) = found(file, "--body", "-", typed=json.dumps(body))["stages"][0]["tiers"]
    assert [each["lane"]["translated"] for each in tier] == [False, True]
    assert tier[1]["lane"]["losses"] == ["drop:seed"]
    strict = found(file, "--body", "-", "--set", "translation=strict", typed=json.dumps(body))
    assert "`seed`" in strict["stages"][0]["tiers"][0][1]["lane"]["refusal"]


@pytest.mark.parametrize(
    ("arguments", "typed", "words"),
    [
        ([], "", "a --model or a --body is wanted"),
        (["--body", "-"], "{", "JSON"),
        (["--body", "-"], "[1]", "JSON object"),
        (["--body", "-"], '{"messages": []}', "'model' is missing"),
        (["--model", " "], "", "must be a non-empty string"),
        (["--model", "smart", "--key", "nobody"], "", "there are: team, gone"),
        (["--model", "smart", "--provider", "nowhere"], "", "there are: claude, openai"),
    ],
)
def test_odd_questions_get_a_sentence(file: Path, arguments: list[str], typed: str, words: str) -> None:
    result = run(file, *arguments, typed=typed)
    assert result.exit_code in (1, 2)
    assert words in result.output
    assert isinstance(result.exception, SystemExit)


NAMES = ["m", "n", "p/m", "m(high)", "o"]

entries = st.lists(
    st.fixed_dictionaries(
        {"priority": st.sampled_from([100, 200])},
        optional={
            "prefix": st.sampled_from(["p", "q"]),
            "models": st.lists(
                st.sampled_from([{"name": "m"}, {"name": "x", "alias": "m"}, {"name": "n", "alias": "m", "fork": True}]),
                min_size=1, max_size=2, unique_by=str,
            ),
            "excluded-models": st.just(["n"]),
        },
    ),
    min_size=1, max_size=4,
)  # fmt: skip


@given(
    entries,
    st.sampled_from(NAMES),
    st.booleans(),
    st.sampled_from(["", "a", "b"]),
    st.sampled_from([{}, {"m": ["o"]}, {"m": ["n"], "n": ["o"]}]),
    st.sampled_from([{}, {"a": ["b"]}, {"a": ["c", "b"], "b": ["d"]}]),
    st.booleans(),
)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)
def test_what_is_foreseen_is_what_a_running_gateway_tries(
    file: Path,
    upstreams: list[dict[str, Any]],
    model: str,
    forced: bool,
    default: str,
    fallback: Mapping[str, Any],
    chain: Mapping[str, Any],
    limited: bool,
) -> None:
    """Every upstream fails, so that the gateway asks all it would ever ask."""
    named = [
        {"name": name, "base-url": f"http://{name}.test/v1", "api-key-entries": [f"sk-{name * 20}"], **entry}
        for name, entry in zip("abcd", upstreams, strict=False)
    ]
    here = {each["name"] for each in named}
    kept = {name: [t for t in targets if t in here] for name, targets in chain.items() if name in here}
    configuration = {
        "api-keys": [{"key": KEY, "name": "team", "providers": [] if not limited else ["a"]}],
        "openai-compatibility": named,
        "force-model-prefix": forced,
        "routing": {"default-provider": default if default in here else ""},
        "model-fallback": fallback,
        "provider-fallback-chain": {name: targets for name, targets in kept.items() if targets},
        "disable-cooling": True,
        "request-retry": 0,
    }
    text = json.dumps(configuration)
    file.write_text(text)
    result = run(file, "--json", "--key", "team", "--model", model)
    assume("error[" not in result.output)
    assert result.exit_code in (0, 1), result.output
    foreseen = [candidate for stage in accounts(json.loads(result.output)) for tier in stage for candidate in tier]

    rig = Rig(text)
    for name in "abcd":
        rig[name].otherwise = fails(500)
    snapshot = rig.gateway.snapshot
    ((_, client),) = clients_of(snapshot.settings, snapshot.catalogue.providers)
    asked = rig.ask(model, client=client)
    rig.wait(1000, lambda: asked.error is not None)
    tried = {(attempt.account, attempt.model) for attempt in asked.record.attempts}
    assert tried == set(foreseen)
    order = [(choice.account, choice.model) for choice in asked.record.choices if choice.account]
    first = {candidate for tier in accounts(json.loads(result.output))[:1] for each in tier for candidate in each}
    assert set(order[: len(first)]) == first
