"""A foreign file, taken over key by key: whatever nobody has taken is named in the end."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from aiproxy.config.edit import data_of
from aiproxy.config.load import read_document
from aiproxy.config.problems import Place, Problem, Severity, problem_at, render_problems
from aiproxy.config.tree import Entries, Form, Items, Node, Scalar, Unparsable, parse

Data = dict[str, Any]


@dataclass
class Found:
    """What became of a source: our settings so far, credential files to write by their source, and findings."""

    settings: Data = field(default_factory=dict)
    credentials: list[tuple[Path, "Taking", str, Data]] = field(default_factory=list)
    """A file, the place that named it (its mapping and key), and what its content shall say besides."""
    problems: list[Problem] = field(default_factory=list)

    def put(self, path: str, value: Any) -> None:
        """At a dotted path of our settings; nothing for None."""
        if value is None:
            return
        *outer, last = path.split(".")
        holder = self.settings
        for step in outer:
            holder = holder.setdefault(step, {})
        holder[last] = value

    def add(self, section: str, entry: Data) -> None:
        self.settings.setdefault(section, []).append({key: value for key, value in entry.items() if value is not None})

    def note(self, place: Place, code: str, message: str, path: str) -> None:
        self.problems.append(problem_at(place, Severity.WARNING, code, message, path=path))


class Taking:
    """A mapping of the source. What is asked for is taken; `finish` names the rest."""

    def __init__(self, node: Entries, path: str, found: Found) -> None:
        self._node = node
        self._path = path
        self._taken: set[str] = set()
        self._inner: list[Taking] = []
        self.found = found

    def __contains__(self, key: str) -> bool:
        return self._node.get(key) is not None

    @property
    def keys(self) -> list[str]:
        return [key.text for key, _ in self._node.pairs]

    def get(self, key: str, of: type | tuple[type, ...] = object) -> Any:
        """The value under this key, with variables' marks made harmless; None where there is none, or one of another type, which is
        named."""
        node = self._node.get(key)
        if node is None:
            return None
        self._taken.add(key)
        value = _literal(data_of(node))
        if value is None:
            return None
        if not isinstance(value, of) or (isinstance(value, bool) and of in (int, (int, float))):
            self.drop(key, "its value is of another kind than that gateway's documents say")
            return None
        return value

    def texts(self, key: str) -> list[str] | None:
        """A list of texts, or one with commas."""
        value = self.get(key, (list, str))
        if isinstance(value, str):
            value = [each.strip() for each in value.split(",")]
        return None if value is None else [str(each) for each in value if each not in (None, "")]

    def within(self, key: str) -> "Taking":
        """The mapping under this key, an empty one where there is none."""
        node = self._node.get(key)
        if isinstance(node, Entries):
            self._taken.add(key)
            return self._hold(node, self.path(key))
        if node is not None and not (isinstance(node, Scalar) and node.empty):
            self.drop(key, "a mapping is expected there")
        self._taken.add(key)
        return self._hold(Entries((), self._node.place), self.path(key))

    def each(self, key: str) -> list["Taking"]:
        """The mappings of the list under this key."""
        node = self._node.get(key)
        self._taken.add(key)
        if node is None or (isinstance(node, Scalar) and node.empty):
            return []
        if not isinstance(node, Items):
            self.drop(key, "a list is expected there")
            return []
        held = []
        for number, each in enumerate(node.values):
            if isinstance(each, Entries):
                held.append(self._hold(each, f"{self.path(key)}[{number}]"))
            else:
                self.found.note(
                    each.place, "not-taken-over", "a mapping is expected here", f"{self.path(key)}[{number}]"
                )
        return held

    def is_list(self, key: str) -> bool:
        return isinstance(self._node.get(key), Items)

    def copy(
        self, key: str, to: str, of: type | tuple[type, ...] = object, change: Callable[[Any], Any] = lambda x: x
    ) -> None:
        """At a path of ours. What `change` makes None of has no equal, and is named."""
        value = self.get(key, of)
        if value is not None and (made := change(value)) is None:
            self.drop(key, "this value has no equal in aiproxy")
        elif value is not None:
            self.found.put(to, made)

    def drop(self, key: str, why: str) -> None:
        self._noted(key, "not-taken-over", why)

    def differs(self, key: str, how: str) -> None:
        self._noted(key, "taken-over-differently", how)

    def drop_whole(self, why: str) -> None:
        """The mapping itself, with all that stands in it."""
        self._taken.update(self.keys)
        self._inner = []
        self.found.note(self._node.place, "not-taken-over", f"`{self._path}`: {why}", self._path)

    def finish(self, why: str = "this has no equal in aiproxy") -> None:
        for key, _ in self._node.pairs:
            if key.text not in self._taken:
                self.drop(key.text, why)
        for inner in self._inner:
            inner.finish(why)

    def path(self, key: str) -> str:
        name = key if re.fullmatch(r"[\w-]{1,60}", key) else "?"
        return f"{self._path}.{name}" if self._path else name

    def _noted(self, key: str, code: str, message: str) -> None:
        self._taken.add(key)
        place = next((name.place for name, _ in self._node.pairs if name.text == key), self._node.place)
        self.found.note(place, code, f"`{self.path(key)}`: {message}", self.path(key))

    def _hold(self, node: Entries, path: str) -> "Taking":
        self._inner.append(Taking(node, path, self.found))
        return self._inner[-1]


def taken(path: Path, found: Found) -> Taking:
    """A file's mapping. Raises `click.ClickException`."""
    node = _tree(path, found)
    if isinstance(node, Scalar) and node.empty:
        node = Entries((), node.place)
    if not isinstance(node, Entries):
        raise click.ClickException(f"{path} holds no mapping, so it is not that gateway's configuration")
    return Taking(node, "", found)


def taken_list(path: Path, found: Found) -> list[Taking]:
    """The mappings of a file's list. Raises `click.ClickException`."""
    node = _tree(path, found)
    place = node.place
    return Taking(Entries(((Scalar(path.stem, Form.PLAIN, place), node),), place), "", found).each(path.stem)


def _tree(path: Path, found: Found) -> Node:
    document = read_document(path)
    text = _as_yaml(document.text) if path.suffix == ".json" else document.text
    try:
        node, problems = parse(text, document.name)
    except Unparsable as unparsable:
        raise click.ClickException(render_problems([unparsable.problem]).strip()) from None
    found.problems += [
        problem_at(Place(p.file, p.line, p.column), Severity.WARNING, p.code, p.message) for p in problems
    ]
    return node


_JSON_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/|\t', re.DOTALL)


def _as_yaml(text: str) -> str:
    """JSON, with the comments that some programs take, as YAML reads it; every place stays where it is."""

    def replaced(token: re.Match[str]) -> str:
        return token[0] if token[0][0] == '"' else re.sub(r"[^\n]", " ", token[0])

    return _JSON_TOKEN.sub(replaced, text)


def _literal(value: Any) -> Any:
    """With `${`, which is nothing there, as it is written here."""
    match value:
        case str():
            return value.replace("${", "$${")
        case list():
            return [_literal(each) for each in value]
        case dict():
            return {key: _literal(each) for key, each in value.items()}
    return value


def renamed(source: Taking, names: Mapping[str, str], to: str = "") -> None:
    """Keys that are only called differently."""
    for key, name in names.items():
        source.copy(key, f"{to}{name}")
