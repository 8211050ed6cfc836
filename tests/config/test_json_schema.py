"""The JSON Schema takes what a reading takes, and finds at the same places what it finds in single values."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiproxy.config.edit import data_of
from aiproxy.config.json_schema import json_schema
from aiproxy.config.names import keys_of
from aiproxy.config.problems import Severity
from aiproxy.config.reference import example, uncommented
from aiproxy.config.schema import Settings
from aiproxy.config.tree import parse
from tests.config.reading import problems
from tests.config.test_daemon import mapping

CONFIGS = Path(__file__).parents[2] / "configs"
SCHEMA = json_schema()
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def read(text: str) -> Any:
    return data_of(parse(text, "")[0])


EVERYTHING = read(uncommented(example()))


def faults(data: Any) -> list[tuple[str | int, ...]]:
    return [tuple(error.absolute_path) for error in VALIDATOR.iter_errors(data)]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", ["full.yaml", "minimal.yaml"])
def test_our_files_are_valid(name: str) -> None:
    assert not faults(read((CONFIGS / name).read_text()))


def test_every_setting_in_use_is_valid() -> None:
    assert not faults(EVERYTHING)
    assert SCHEMA["properties"].keys() == set(keys_of(Settings))


def keys(data: Any) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    if isinstance(data, dict):
        for key, value in data.items():
            found += [(key,), *((key, *rest) for rest in keys(value))]
    elif isinstance(data, list):
        for number, value in enumerate(data):
            found += [(number, *rest) for rest in keys(value)]
    return found


def test_every_key_has_its_words() -> None:
    definitions = [SCHEMA, *SCHEMA["$defs"].values()]
    assert all(each["description"] for definition in definitions for each in definition["properties"].values())


def test_a_misspelt_top_level_or_nested_key_is_found() -> None:
    """Keys of mappings whose names are anybody's can't be misspelt."""
    found = 0
    for path in keys(EVERYTHING):
        changed = copy.deepcopy(EVERYTHING)
        holder = changed
        for step in path[:-1]:
            holder = holder[step]
        holder[f"{path[-1]}x"] = holder.pop(path[-1])
        found += bool(faults(changed))
    assert found > 250


EXPRESSIBLE = {"unknown-key", "not-yet", "missing-key", "wrong-type", "out-of-range", "unknown-value"}
"""Codes about single values. What spans keys, and what stands in files and variables, a schema can't know."""

strange: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 10**7) | st.sampled_from([0.5, -0.5, "", "a", "rr", "wrr", "1h30m", "5x", "20ms", "5", "true", "é"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["name", "key", "file", "models", "x-a", "alias"]), inner, max_size=2),
    max_leaves=4,
)  # fmt: skip


@st.composite
def documents(draw: st.DrawFn) -> Any:
    """Every setting in use, with some of them changed, renamed or gone; or a few settings by themselves."""
    if draw(st.booleans()):
        return draw(mapping(Settings))
    made = copy.deepcopy(EVERYTHING)
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(keys(made)))
        holder = made
        for step in path[:-1]:
            holder = holder[step]
        match draw(st.integers(0, 3)):
            case 0:
                del holder[path[-1]]
            case 1 if isinstance(holder, dict):
                holder[f"{path[-1]}x"] = holder.pop(path[-1])
            case _:
                holder[path[-1]] = draw(strange)
    return made


def without_variables(data: Any) -> Any:
    match data:
        case dict():
            return {key: without_variables(value) for key, value in data.items()}
        case list():
            return [without_variables(value) for value in data]
        case str():
            return data.replace("${", "a-text-instead-")
    return data


@given(documents().map(without_variables))
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_either_refuses_of_single_values_the_other_refuses(data: Any) -> None:
    found = [
        each for each in problems(json.dumps(data)) if each.severity is Severity.ERROR and each.code in EXPRESSIBLE
    ]
    # An entry that lacks one of two keys is a rule that spans keys.
    assert bool(faults(data)) is any(not each.path.endswith("]") or each.code != "missing-key" for each in found), found


@pytest.mark.parametrize(
    ("data", "valid"),
    [
        (None, True),
        ({"port": "${PORT}"}, True),
        ({"port": "80"}, False),
        ({"port": 80.5}, False),
        ({"port": 70000}, False),
        ({"tls": None}, True),
        ({"x-anchors": [1]}, True),
        ({"api-keys": ["a", {"key": {"file": "f"}}]}, True),
        ({"api-keys": [{"name": "n"}]}, False),
        ({"routing": {"session-affinity-ttl": "1h30m", "strategy": "fill-first"}}, True),
        ({"routing": {"strategy": "quickest"}}, False),
        ({"routing": {"strategy": "wrr"}}, True),
        ({"timeouts": {"idle": "5x"}}, False),
        ({"api-keys": [""]}, False),
        ({"media-fetch": True}, True),
        ({"ollama": ["http://127.0.0.1:11434"]}, True),
        ({"host": 1}, False),
    ],
)
def test_single_values(data: Any, valid: bool) -> None:
    assert (not faults(data)) is valid
