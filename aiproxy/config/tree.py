"""YAML text to a tree of nodes that know their place. What the nodes mean is decided by `read`.

Anchors, aliases and merge keys are resolved here and keep the place where the text really stands. Plain scalars follow the
core schema of YAML 1.2 (§10.3.2): `yes` is text, `1e3` a number.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)
from ruamel.yaml.reader import ReaderError

from aiproxy.config.excerpt import excerpt
from aiproxy.config.problems import Place, Problem, Severity, problem_at
from aiproxy.config.yaml_words import plain

DEEPEST = 40
"""Levels of nesting. The schema needs six; more would only exhaust the stack."""


class Form(Enum):
    """How a scalar was written, which decides what it can be."""

    PLAIN = "plain"
    """Bare: a number, a boolean, null or text, by the core schema."""
    QUOTED = "quoted"
    """Text."""
    GIVEN = "given"
    """Not YAML but a variable's value: what is wanted decides what it is."""


@dataclass(frozen=True, slots=True)
class Scalar:
    text: str
    form: Form
    place: Place

    @property
    def empty(self) -> bool:
        return self.form is Form.PLAIN and core(self.text) is None


@dataclass(frozen=True, slots=True)
class Items:
    values: tuple["Node", ...]
    place: Place


@dataclass(frozen=True, slots=True)
class Entries:
    pairs: tuple[tuple[Scalar, "Node"], ...]
    place: Place

    def get(self, key: str) -> "Node | None":
        return next((value for name, value in self.pairs if name.text == key), None)


Node = Scalar | Items | Entries

_INTEGER = re.compile(r"[-+]?[0-9]+\Z")
_BASED = re.compile(r"0o[0-7]+\Z|0x[0-9a-fA-F]+\Z")
_DECIMAL = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_INFINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z")

LONGEST_NUMBER = 100
"""Characters. A longer row of digits is text: no setting is that large, and a key may be."""


def core(text: str) -> bool | int | float | str | None:
    """What a plain scalar is by the core schema."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    if text in ("true", "True", "TRUE"):
        return True
    if text in ("false", "False", "FALSE"):
        return False
    if len(text) > LONGEST_NUMBER:
        return text
    if _INTEGER.match(text):
        return int(text)
    if _BASED.match(text):
        return int(text, 0)
    if _DECIMAL.match(text):
        return float(text)
    if _INFINITE.match(text):
        return float(text.lower().replace(".", ""))
    return text


class Unparsable(Exception):
    """The text is not YAML, or YAML beyond what a configuration may be."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def parse(text: str, source: str, *, one_place: bool = False) -> tuple[Node, list[Problem]]:
    """The document as nodes, with the problems that don't stop reading (duplicate keys, odd tags).

    `one_place` is for a text that has no lines anyone could look at (a variable's). Raises `Unparsable`."""
    growing = _Growing(source, one_place)
    try:
        root = growing.document(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        raise Unparsable(_syntax(error, "" if one_place else text, source)) from None
    except ReaderError as error:
        place = Place(source) if one_place else _place_at(error.position, text, source)
        raise Unparsable(_problem(place, "yaml-syntax", "a character that YAML doesn't allow")) from None
    except (ValueError, OverflowError):  # from chr(): the scanner believes every \\UXXXXXXXX
        place = Place(source) if one_place else _place_at(_beyond_unicode(text), text, source)
        raise Unparsable(_problem(place, "yaml-syntax", "an escape beyond the last character, \\U0010FFFF")) from None
    return root, growing.problems


_NO_CHARACTER = re.compile(r"\\U(?!000|0010)[0-9A-Fa-f]{8}")


def _beyond_unicode(text: str) -> int:
    found = _NO_CHARACTER.search(text)
    return found.start() if found else 0


def _place_at(position: int, text: str, source: str) -> Place:
    return Place(source, text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position))


MISSING_COLON = "could not find expected ':'"


def _syntax(error: Any, text: str, source: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    words = plain(error.problem or error.context or "this is not YAML")
    begun = error.context_mark
    if begun and error.problem == MISSING_COLON:
        mark = begun  # the parser sees it in the next line only
    if mark and begun and text[begun.index :].strip() and not text[mark.index :].strip():
        # At the end of the file nothing is to be seen: what was begun and never ended is.
        mark, words = begun, f"what begins here never ends: {words}"
    line, column = (mark.line + 1, mark.column + 1) if mark and text else (0, 0)
    return Problem(source, line, column, Severity.ERROR, "yaml-syntax", words, excerpt=excerpt(text, line, column))


def _problem(place: Place, code: str, message: str) -> Problem:
    return problem_at(place, Severity.ERROR, code, message)


class _Growing:
    """One document growing from the parser's events. An alias is the very node of its anchor, place included."""

    def __init__(self, source: str, one_place: bool) -> None:
        self.problems: list[Problem] = []
        self._source = source
        self._one_place = one_place
        self._anchors: dict[str, Node] = {}
        self._events: Iterator[Any] = iter(())
        self._depth = 0

    def document(self, events: Iterator[Any]) -> Node:
        self._events = events
        root: Node = Scalar("", Form.PLAIN, Place(self._source) if self._one_place else Place(self._source, 1, 1))
        documents = 0
        for event in events:
            match event:
                case StreamStartEvent() | StreamEndEvent() | DocumentEndEvent():
                    pass
                case DocumentStartEvent():
                    documents += 1
                    self._anchors.clear()
                    if documents == 2:
                        self._found(event, "yaml-syntax", "a second document (`---`) starts here; one file is one")
                case _:
                    node = self._node(event)
                    root = node if documents == 1 else root
        return root

    def _node(self, event: Any) -> Node:
        if isinstance(event, AliasEvent):
            return self._alias(event)
        place = self._place(event)
        self._check_tag(event, place)
        node: Node
        match event:
            case ScalarEvent():
                bare = event.implicit[0] and not event.style
                node = Scalar(event.value, Form.PLAIN if bare else Form.QUOTED, place)
            case SequenceStartEvent():
                node = Items(tuple(self._inside(event, SequenceEndEvent)), place)
            case _:
                inside = self._inside(event, MappingEndEvent)
                node = Entries(self._pairs(list(zip(inside, inside, strict=True))), place)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _inside(self, start: Any, end: type) -> Iterator[Node]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise Unparsable(_problem(self._place(start), "yaml-depth", f"nested deeper than {DEEPEST} levels"))
        for event in self._events:
            if isinstance(event, end):
                break
            yield self._node(event)
        self._depth -= 1

    def _alias(self, event: Any) -> Node:
        """An anchor is known when its node is complete, so that no alias can hold itself."""
        known = self._anchors.get(event.anchor)
        if known is None:
            self._found(event, "yaml-alias", "there is no finished anchor (`&`) of this alias's name above it")
            return Scalar("", Form.PLAIN, self._place(event))
        return known

    def _pairs(self, written: list[tuple[Node, Node]]) -> tuple[tuple[Scalar, Node], ...]:
        own: dict[str, tuple[Scalar, Node]] = {}
        merged: list[Node] = []
        for key, value in written:
            if not isinstance(key, Scalar):
                self.problems.append(_problem(key.place, "wrong-type", "a key must be a word, not a list or a mapping"))
            elif key.text == "<<" and key.form is Form.PLAIN:
                merged += value.values if isinstance(value, Items) else (value,)
            elif key.text in own:
                first = own[key.text][0].place.line
                self.problems.append(_problem(key.place, "duplicate-key", f"this key stands at line {first} already"))
            else:
                own[key.text] = (key, value)
        for source in merged:
            if isinstance(source, Entries):
                for pair in source.pairs:
                    own.setdefault(pair[0].text, pair)
            else:
                self.problems.append(_problem(source.place, "wrong-type", "`<<` merges mappings, and this is none"))
        return tuple(own.values())

    def _check_tag(self, event: Any, place: Place) -> None:
        if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
            self.problems.append(_problem(place, "yaml-tag", "only the tag `!!str` means anything here"))

    def _found(self, event: Any, code: str, message: str) -> None:
        self.problems.append(_problem(self._place(event), code, message))

    def _place(self, event: Any) -> Place:
        if self._one_place:
            return Place(self._source)
        return Place(self._source, event.start_mark.line + 1, event.start_mark.column + 1)
