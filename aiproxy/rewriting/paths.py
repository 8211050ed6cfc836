"""Paths into JSON, in the syntax of gjson and sjson as far as payload rules need it.

    generationConfig.thinkingConfig        members, by name
    stop.0   messages.-1                   elements of an array, by number; -1 is one behind the last
    messages.#.name                        of every element
    tools.#(type=="web_search").name       of the first element that matches; `…)#` of every one
    safety\\.level                          a dot that belongs to the name

In brackets: a path within the element (none means the element itself), one of `==  !=  <  <=  >  >=  %  !%` (the last two
compare with a glob), and a JSON value.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from operator import ge, gt, le, lt
from typing import Final, TypeAlias

from aiproxy.neutral.carried import Json

MOST_ELEMENTS: Final = 10_000
"""The largest index that a path may name: setting it makes all elements before it."""

MOST_STEPS: Final = 32
"""Steps of a path. Real bodies are a dozen levels deep."""


@dataclass(frozen=True, slots=True)
class Member:
    name: str


@dataclass(frozen=True, slots=True)
class Element:
    """−1 is one behind the last."""

    index: int


@dataclass(frozen=True, slots=True)
class Matching:
    """Elements for which `test` holds; all of them, or the first."""

    test: Callable[[Json], bool]
    every: bool


Step: TypeAlias = Member | Element | Matching
Path: TypeAlias = tuple[Step, ...]

_Container: TypeAlias = dict[str, Json] | list[Json]
_Place: TypeAlias = tuple[_Container, str | int]

_ABSENT: Final = object()


def parse_path(text: str) -> Path:
    """Raises `ValueError` with what is wrong, in words that complete "this path …"."""
    if not text:
        raise ValueError("is empty")
    steps = tuple(_steps(text))
    if len(steps) > MOST_STEPS:
        raise ValueError(f"has more than {MOST_STEPS} steps")
    return steps


def values(body: Json, path: Path) -> list[Json]:
    """What stands there, in every place the path leads to; nulls too."""
    found = ((container, key) for container, key in _places(body, path, create=False))
    return [value for place in found if (value := _at(place)) is not _ABSENT]


def put(body: Json, path: Path, value: Json) -> bool:
    """Sets it in every place the path leads to, making objects and arrays on the way; whether that changed anything."""
    changed = False
    for container, key in list(_places(body, path, create=True)):
        before = _at((container, key))
        if before is _ABSENT or not same(before, value):
            changed = True
        _set((container, key), value)
    return changed


def remove(body: Json, path: Path) -> bool:
    """Takes it out of every place the path leads to; whether anything was there."""
    found = [place for place in _places(body, path, create=False) if _at(place) is not _ABSENT]
    for container, key in reversed(found):  # later elements first, so that the others keep their numbers
        del container[key]  # type: ignore[arg-type]
    return bool(found)


def same(one: Json, other: Json) -> bool:
    """Whether two values are the same JSON: `true` isn't 1, the order of members doesn't matter, 1 is 1.0."""
    return _canonical(one) == _canonical(other)


# -- reading a path

_BRACKETS = re.compile(r"#\((?P<inner>(?:[^()\"]|\"(?:[^\"\\]|\\.)*\")*)\)(?P<every>#?)(?=\.|\Z)", re.DOTALL)
_COMPARISON = re.compile(r"(?P<path>[^=!<>%\"]*?)\s*(?P<operator>==|!=|<=|>=|!%|<|>|%)\s*(?P<value>.*)", re.DOTALL)
_NAME = re.compile(r"(?:[^.\\]|\\.)+", re.DOTALL)


def _steps(text: str) -> Iterator[Step]:
    position = 0
    while True:
        brackets = _BRACKETS.match(text, position)
        name = None if brackets else _NAME.match(text, position)
        if brackets:
            yield Matching(_test(brackets["inner"]), bool(brackets["every"]))
            position = brackets.end()
        elif name:
            yield _step(name[0])
            position = name.end()
        else:
            raise ValueError("has an empty step")
        if position == len(text):
            return
        position += 1
        if position == len(text):
            raise ValueError("ends in a dot")


def _step(written: str) -> Step:
    if written == "#":
        return Matching(lambda _: True, every=True)
    if written.startswith("#("):
        raise ValueError("has brackets that don't close, or don't end their step")
    if re.search(r"(?<!\\)[*?|]", written) or written.startswith("@"):
        raise ValueError(
            "has a wildcard or a modifier, which rules can't set; `\\` before it makes it a part of the name"
        )
    if written == "-1":
        return Element(-1)
    if written.isascii() and written.isdecimal():
        if len(written) > len(str(MOST_ELEMENTS)) or int(written) > MOST_ELEMENTS:
            raise ValueError(f"names an element beyond {MOST_ELEMENTS}")
        return Element(int(written))
    return Member(re.sub(r"\\(.)", r"\1", written, flags=re.DOTALL))


def _test(written: str) -> Callable[[Json], bool]:
    found = _COMPARISON.fullmatch(written.strip())
    if not found:
        raise ValueError("compares in brackets without one of == != < <= > >= % !%")
    try:
        wanted = json.loads(found["value"])
    except ValueError:
        raise ValueError("compares with something that is not JSON; text wants double quotes") from None
    inner = parse_path(found["path"]) if found["path"] else ()
    holds = _holds(found["operator"], wanted)
    return lambda element: any(holds(value) for value in (values(element, inner) if inner else [element]))


def _holds(operator: str, wanted: Json) -> Callable[[Json], bool]:
    match operator:
        case "==":
            return lambda value: same(value, wanted)
        case "!=":
            return lambda value: not same(value, wanted)
        case "%" | "!%":
            if not isinstance(wanted, str):
                raise ValueError("compares with a glob that is not text")
            return lambda value: (isinstance(value, str) and fnmatchcase(value, wanted)) is (operator == "%")
    if isinstance(wanted, bool) or not isinstance(wanted, str | int | float):
        raise ValueError("asks for more or less than something that is neither a number nor text")
    order = {"<": lt, "<=": le, ">": gt, ">=": ge}[operator]
    comparable = (str,) if isinstance(wanted, str) else (int, float)
    return lambda value: isinstance(value, comparable) and not isinstance(value, bool) and bool(order(value, wanted))


# -- following a path


def _places(body: Json, path: Path, *, create: bool) -> Iterator[_Place]:
    """Where the last step leads, from every place its predecessors lead to. With `create` what is missing on the way is
    made, and text, numbers and nulls give way to a container; one of the other kind doesn't. Nothing is made before a
    step that asks for matching elements: there are none in what is missing."""
    *outer, last = path
    containers: list[_Place] = [({"": body}, "")]
    for number, step in enumerate(outer, 1):
        makes = create and not any(isinstance(later, Matching) for later in path[number:])
        reached = [place for found in containers for place in _follow(found, step, create=makes)]
        containers = [place for place in reached if _opened(place, path[number], create=makes)]
    for found in containers:
        yield from _follow(found, last, create=create)


def _follow(place: _Place, step: Step, *, create: bool) -> Iterator[_Place]:
    container = _at(place)
    match step, container:
        case Member(name), dict():
            yield container, name
        case Element(index), dict():
            yield container, str(index)
        case Element(-1), list():
            if create:
                yield container, len(container)
        case Element(index), list():
            yield container, index
        case Matching(test, every), list():
            for index, element in enumerate(container):
                if test(element):
                    yield container, index
                    if not every:
                        return


def _opened(place: _Place, following: Step, *, create: bool) -> bool:
    """Whether a container stands there that the next step can go into."""
    value = _at(place)
    if isinstance(value, list):
        fits = not isinstance(following, Member)
    else:
        fits = isinstance(value, dict) and not isinstance(following, Matching)
    if fits or not create or isinstance(value, list | dict):
        return fits
    _set(place, [] if isinstance(following, Element) else {})
    return True


def _set(place: _Place, value: Json) -> None:
    container, key = place
    if isinstance(container, list):
        assert isinstance(key, int)
        container.extend([None] * (key + 1 - len(container)))
        container[key] = value
    else:
        container[str(key)] = value


def _at(place: _Place) -> Json:
    container, key = place
    if isinstance(container, list):
        return container[key] if isinstance(key, int) and 0 <= key < len(container) else _ABSENT
    return container.get(str(key), _ABSENT)


def _canonical(value: Json) -> object:
    match value:
        case bool() | None:
            return repr(value)
        case Mapping():
            return {key: _canonical(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_canonical(inner) for inner in value]
    return value
