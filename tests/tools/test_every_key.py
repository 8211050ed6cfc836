"""Every key of another gateway's files is mapped or named: those that its documentation knows, and any that it doesn't.

A key is mapped when its absence or some other value of it makes another configuration of ours, or a finding. It is named when a
finding is about it, or about something that it stands in."""

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiproxy.config.problems import Problem
from aiproxy.config.yaml_text import block
from aiproxy_config.cli import main
from aiproxy_config.importing.command import SOURCES
from aiproxy_config.importing.finishing import settled
from aiproxy_config.importing.taking import Found
from tests.rig.daemon import daemon
from tests.tools.documented import (
    AICLIENT2API,
    AICLIENT2API_MODELS,
    AICLIENT2API_POOLS,
    CLAUDE_CODE_ROUTER,
    CLIPROXYAPI,
    LITELLM,
    deployment,
)

LOGIN = {"access_token": "a", "refresh_token": "r", "expiry_date": 1900000000000}

DOCUMENTS: Mapping[str, Mapping[str, Any]] = {
    "cliproxyapi": {"config.yaml": CLIPROXYAPI},
    "aiclient2api": {
        "config.json": AICLIENT2API, "provider_pools.json": AICLIENT2API_POOLS, "custom_models.json": AICLIENT2API_MODELS,
        "input_system_prompt.txt": "Be brief.", "gemini.json": LOGIN,
    },
    "litellm": {"config.yaml": LITELLM},
    "claude-code-router": {"config.json": CLAUDE_CODE_ROUTER},
}  # fmt: skip

Step = str | int


class Key(NamedTuple):
    """In a file, the steps that lead to a value."""

    file: str
    steps: tuple[Step, ...]

    @property
    def path(self) -> str:
        """As findings write it."""
        text = Path(self.file).stem if isinstance(self.steps[0], int) else ""
        for step in self.steps:
            name = step if isinstance(step, int) or re.fullmatch(r"[\w-]{1,60}", step) else "?"
            text += f"[{name}]" if isinstance(step, int) else f".{name}" if text else str(name)
        return text


def below(data: Any, steps: tuple[Step, ...] = ()) -> Iterator[tuple[tuple[Step, ...], Any]]:
    """Every value with its steps, the outer ones first."""
    yield steps, data
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    for step, inner in pairs:
        yield from below(inner, (*steps, step))


def keys(gateway: str) -> Iterator[Key]:
    """Of values that hold no further keys."""
    for file, data in DOCUMENTS[gateway].items():
        for steps, value in below(data):
            deeper = any(isinstance(inner, str) for found, _ in below(value) for inner in found)
            if steps and isinstance(steps[-1], str) and not deeper and file != "gemini.json":
                yield Key(file, steps)


def holder(data: Any, steps: tuple[Step, ...]) -> Any:
    for step in steps:
        data = data[step]
    return data


class Taken(NamedTuple):
    settings: Any
    findings: list[Problem]

    def names(self, key: Key) -> bool:
        paths = {(Path(each.file).name, each.path) for each in self.findings}
        around = [key.path[:at] for at in [*(m.start() for m in re.finditer(r"[.\[]", key.path)), len(key.path)]]
        in_all = any(
            each.path.rpartition(".")[2] == key.steps[-1] and "other accounts" in each.message for each in self.findings
        )
        return in_all or any((key.file, path) in paths for path in around)


def take(directory: Path, gateway: str, documents: Mapping[str, Any]) -> Taken:
    configs = directory / "configs"
    configs.mkdir(exist_ok=True)
    for name, data in documents.items():
        text = data if isinstance(data, str) else json.dumps(data) if name.endswith(".json") else block(data)
        (configs / name).write_text(text)
    found = Found()
    SOURCES[gateway](configs, found)
    logins = [(file.name, more) for file, _, _, more in found.credentials]
    return Taken([deepcopy(found.settings), logins], found.problems)


def changed(gateway: str, key: Key, change: Any) -> Mapping[str, Any]:
    documents = deepcopy(dict(DOCUMENTS[gateway]))
    inner = holder(documents[key.file], key.steps[:-1])
    if change is None:
        del inner[key.steps[-1]]
    else:
        inner[key.steps[-1]] = change
    return documents


def others(value: Any) -> Iterator[Any]:
    """None is no value at all."""
    yield None
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + 1
        case str():
            yield from ("another", "file", "debug", "127.0.0.2")
        case list():
            yield ["another"]


@pytest.mark.parametrize("gateway", DOCUMENTS)
def test_every_documented_key_is_mapped_or_named(gateway: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    as_it_is = take(tmp_path, gateway, DOCUMENTS[gateway])
    all_of_them = list(keys(gateway))
    assert len(all_of_them) > 20
    for key in all_of_them:
        if not as_it_is.names(key):
            value = holder(DOCUMENTS[gateway][key.file], key.steps)
            made = (take(tmp_path, gateway, changed(gateway, key, other)) for other in others(value))
            assert any(each.settings != as_it_is.settings or each.names(key) for each in made), key


KEYS = dict.fromkeys(
    (
        "OPENAI_KEY", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "GEMINI_API_KEY", "GROQ_API_KEY", "HOSTED_VLLM_API_KEY", "OPENROUTER_KEY",
        "ANTHROPIC",
    ),
    "an-upstream-key",
)  # fmt: skip


@pytest.mark.parametrize("gateway", DOCUMENTS)
def test_a_gateway_starts_with_what_was_taken_over(
    gateway: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    take(tmp_path, gateway, DOCUMENTS[gateway])
    config = tmp_path / "aiproxy.yaml"
    line = ["import", gateway, str(tmp_path / "configs"), "--output", str(config)]
    done = CliRunner().invoke(main, line)
    assert done.exit_code == 0, done.output
    assert CliRunner().invoke(main, ["validate", str(config)], env=KEYS).exit_code == 0
    with daemon(tmp_path, config.read_text(), "--set", "logging.file=", environ=KEYS) as running:  # it logs for us
        assert running.port


def test_fallbacks_to_one_another_lose_only_the_way_back(tmp_path: Path) -> None:
    chains = {"router_settings": {"fallbacks": [{"a": ["b"]}, {"b": ["a"]}, {"c": ["a"]}]}}
    models = [deployment(f"openai/{name}", api_key="upstream-key-1") | {"model_name": name} for name in "abc"]
    take(tmp_path, "litellm", {"config.yaml": {"model_list": models, **chains}})
    found = Found()
    SOURCES["litellm"](tmp_path / "configs", found)
    settled(found, "x", tmp_path)
    assert found.settings["model-fallback"] == {"b": ["a"], "c": ["a"]}
    assert [each.path for each in found.problems] == ["model-fallback.a"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 10**6) | st.sampled_from(["", "x", "${X}", "$X", "os.environ/X"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "models", "name"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@given(st.sampled_from(sorted(DOCUMENTS)), st.data())
@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_key_that_no_documentation_knows_is_named_or_taken_as_it_is(
    tmp_path_factory: pytest.TempPathFactory, gateway: str, data: st.DataObject
) -> None:
    places = [
        Key(file, steps)
        for file, content in DOCUMENTS[gateway].items()
        for steps, value in below(content)
        if isinstance(value, dict) and file != "gemini.json"
    ]
    place = data.draw(st.sampled_from(places))
    name = data.draw(st.from_regex(r"\Azz[A-Za-z_-]{1,10}\Z"))
    key = Key(place.file, (*place.steps, name))
    directory = tmp_path_factory.mktemp("import")
    made = take(directory, gateway, changed(gateway, key, data.draw(json_values) or 5))
    if not made.names(key):
        assert name.lower() in json.dumps(made.settings).lower(), key


@pytest.mark.parametrize("gateway", DOCUMENTS)
def test_what_is_left_out_of_what_was_taken_is_named_too(gateway: str, tmp_path: Path) -> None:
    """Where a value can't stand in a configuration of ours."""
    configs = tmp_path / "configs"
    take(tmp_path, gateway, DOCUMENTS[gateway])
    found = Found()
    SOURCES[gateway](configs, found)
    before = {steps for steps, value in below(found.settings) if value not in (None, {}, [])}
    settled(found, "x", tmp_path)
    gone = {Key("x", steps).path for steps in before - {steps for steps, _ in below(found.settings)} if steps}
    assert all(any(path.startswith(each.path) for each in found.problems if each.path) for path in gone)
