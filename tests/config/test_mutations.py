"""No slip of the pen passes: `full.yaml` with every line in use, one key or value of it spoilt at a time, everywhere.

Each mutation must be an error at the spoilt line itself. Names that are anybody's choice (headers, paths into bodies) can't
be misspelt; `FREE` counts the places of such names, so that a new one is noticed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, get_args, get_origin

import pytest

from aiproxy.config.names import hints, kebab
from aiproxy.config.problems import Place, Problem, Severity
from aiproxy.config.reference import example, uncommented
from aiproxy.config.schema import PLAIN_FORM, Settings
from aiproxy.config.tree import Entries, Items, Node, Scalar, parse
from tests.config.reading import problems
from tests.config.test_reference import ENVIRON

TEXT = "\n".join(line for line in uncommented(example()).splitlines() if "##" not in line)
LINES = TEXT.splitlines()


@dataclass(frozen=True, slots=True)
class Spot:
    """A key of the file with its value, the mapping it is in, and what the schema wants. `free`: the name is anybody's."""

    path: str
    entry: Place
    key: Scalar
    value: Node
    wanted: Any
    required: bool
    free: bool


def spots(wanted: Any, node: Node, path: str) -> Iterator[Spot]:
    arguments = [one for one in get_args(wanted) if one not in (type(None), ...)]
    if get_origin(wanted) is tuple:
        assert isinstance(node, Items)
        for index, each in enumerate(node.values):
            yield from spots(arguments[0], each, f"{path}[{index}]")
    elif get_origin(wanted) is Mapping or (arguments and get_origin(arguments[0]) is Mapping):
        assert isinstance(node, Entries)
        for key, value in node.pairs:
            yield Spot(f"{path}.{key.text}", node.place, key, value, arguments[-1], required=False, free=True)
            yield from spots(arguments[-1], value, f"{path}.{key.text}")
    elif is_dataclass(wanted) and isinstance(wanted, type) and isinstance(node, Entries):
        rules = {kebab(each.name): each for each in fields(wanted)}
        for key, value in node.pairs:
            rule = rules[key.text]
            inner = hints(wanted)[rule.name]
            yield Spot(f"{path}.{key.text}", node.place, key, value, inner, rule.metadata["required"], free=False)
            yield from spots(inner, value, f"{path}.{key.text}")


SPOTS = list(spots(Settings, parse(TEXT, "f.yaml")[0], ""))
NAMED = [spot for spot in SPOTS if not spot.free]
FREE = [spot for spot in SPOTS if spot.free]


def errors(text: str) -> list[Problem]:
    return [problem for problem in problems(text, ENVIRON) if problem.severity is Severity.ERROR]


MOST_AT_ONCE = 20
"""Mutations of one file: it has hundreds of keys, and every problem is found at once."""

Mutation = tuple[Spot, str]


def batches(mutations: Iterable[Mutation]) -> list[list[Mutation]]:
    """Those that leave one another alone: on lines of their own, none inside another's value, none in another's entry."""
    made: list[list[Mutation]] = []
    for spot, new in mutations:
        for batch in made:
            if len(batch) < MOST_AT_ONCE and all(_apart(spot, other) for other, _ in batch):
                batch.append((spot, new))
                break
        else:
            made.append([(spot, new)])
    return made


def _apart(one: Spot, other: Spot) -> bool:
    if one.key.place.line == other.key.place.line or one.entry.line == other.entry.line != 1:
        return False
    return not f"{one.path}.".startswith((f"{other.path}.", f"{other.path}[")) and not f"{other.path}.".startswith(
        (f"{one.path}.", f"{one.path}[")
    )


def test_the_file_itself_is_good_and_every_key_is_in_it() -> None:
    assert problems(TEXT, ENVIRON) == ()
    assert len(NAMED) > 350
    assert {spot.path.removesuffix(f".{spot.key.text}").replace("[0]", "[]") for spot in FREE} == FREE_PLACES


FREE_PLACES = {
    "." + path
    for path in [
        "tag-limits", "model-limits", "api-keys[].model-limits", "provider-fallback-chain", "model-fallback", "model-alias", "oauth-excluded-models", "oauth-request-scoped-errors", "prices", "oauth-clients", "upstreams", "tracing.headers",
        *(f"{section}[].headers" for section in (
            "openai-api-key", "claude-api-key", "gemini-api-key", "vertex-api-key", "codex-api-key", "xai-api-key", "ollama",
        )),
        *(f"payload.{rules}[].models[].{key}" for rules in ("default", "default-raw", "override", "override-raw", "filter")
          for key in ("headers", "match[]", "not-match[]")),
        *(f"payload.{rules}[].params" for rules in ("default", "default-raw", "override", "override-raw")),
    ]
}  # fmt: skip
"""Where names are anybody's."""

SLIPS = {
    "a letter too many": lambda name: name[: len(name) // 2 + 1] + name[len(name) // 2] + name[len(name) // 2 + 1 :],
    "a letter missing": lambda name: name[:1] + name[2:],
    "another letter": lambda name: name[:-1] + ("z" if name[-1] != "z" else "y"),
}


@pytest.mark.parametrize("slip", SLIPS)
def test_a_key_with_a_wrong_letter_is_found_where_it_stands(slip: str) -> None:
    missed = []
    for batch in batches((spot, SLIPS[slip](spot.key.text)) for spot in NAMED):
        lines = list(LINES)
        for spot, new in batch:
            _put(lines, spot.key.place, len(spot.key.text), new)
        found = {(p.line, p.column, p.code) for p in errors("\n".join(lines))}
        missed += [
            spot.path for spot, _ in batch if (spot.key.place.line, spot.key.place.column, "unknown-key") not in found
        ]
    assert not missed


def _put(lines: list[str], place: Place, length: int, new: str) -> None:
    written = lines[place.line - 1]
    lines[place.line - 1] = written[: place.column - 1] + new + written[place.column - 1 + length :]


def others(wanted: Any) -> list[str]:
    """Flow YAML of kinds that can't be `wanted`."""
    arguments = [one for one in get_args(wanted) if one not in (type(None), ...)]
    if get_origin(wanted) is tuple:
        return ["5", "{a: b}", "true"]
    if get_origin(wanted) is Mapping:
        return ["5", "[5]", "text"]
    if arguments:
        return others(arguments[0])
    if wanted is Any:
        return []
    if is_dataclass(wanted) and isinstance(wanted, type):
        short = PLAIN_FORM.get(wanted)
        return ["[5]", *(["5", "text"] if not short or hints(wanted)[short] is bool else ["5"])]
    if wanted is bool:
        return ["5", "[]", "{a: b}", "text", '"true"', "yes"]
    if wanted in (int, float):
        return ["true", "[]", "{a: b}", "text", '"5"']
    return ["5", "true", "[]", "{a: b}"]  # text, one of some words, a secret


def revalue(lines: list[str], spot: Spot, new: str) -> None:
    """Another value at a key, whatever block stood there; the number of lines stays."""
    line, column = spot.key.place.line, spot.key.place.column
    if spot.value.place.line == line:
        begin = spot.value.place.column
        _put(lines, spot.value.place, _length(lines[line - 1][begin - 1 :]), new)
        return
    lines[line - 1] = lines[line - 1][: column - 1 + len(spot.key.text)] + f": {new}"
    while line < len(lines) and (not lines[line].strip() or len(lines[line]) - len(lines[line].lstrip()) >= column):
        lines[line] = ""
        line += 1


def _length(rest: str) -> int:
    """Of the flow value at the start of a line's rest."""
    depth, quoted, escaped = 0, False, False
    for index, character in enumerate(rest):
        if escaped:
            escaped = False
        elif quoted:
            escaped, quoted = character == "\\", character != '"'
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
        elif character in "]}" or (character == "," and not depth):
            if not depth:
                return index
            depth -= character in "]}"
    return len(rest)


def test_a_value_of_another_type_is_found_where_it_stands() -> None:
    missed = []
    for batch in batches((spot, new) for spot in SPOTS for new in others(spot.wanted)):
        lines = list(LINES)
        for spot, new in batch:
            revalue(lines, spot, new)
        found = {p.line for p in errors("\n".join(lines)) if p.code in ("wrong-type", "unknown-value")}
        missed += [(spot.path, new) for spot, new in batch if spot.key.place.line not in found]
    assert not missed


def test_a_required_key_that_is_gone_is_missed_where_its_entry_stands() -> None:
    needed = [spot for spot in SPOTS if spot.required]
    assert len(needed) > 20
    missed = []
    for spot in needed:
        lines = list(LINES)
        revalue(lines, spot, "")
        line = spot.key.place.line
        lines[line - 1] = re.sub(rf"\b{re.escape(spot.key.text)}: *(, *|$)", "", lines[line - 1])
        if lines[line - 1].strip() == "-":  # the dash passes to the next key of its entry
            following = next(number for number in range(line, len(lines)) if lines[number].strip())
            lines[line - 1] = f"{lines[line - 1].rstrip()} {lines[following].strip()}"
            lines[following] = ""
        if (spot.entry.line, "missing-key") not in {(p.line, p.code) for p in errors("\n".join(lines))}:
            missed.append(spot.path)
    assert not missed
