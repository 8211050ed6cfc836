"""Values laid over the file's: environment variables `AIPROXY__SECTION__KEY`, then `--set key.path=value`.

Laying is type-driven like the reading, so that a name that leads nowhere is found here, at its own place.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_origin

from aiproxy.config.names import NOT_YET, hints, kebab, keys_of, nearest, required
from aiproxy.config.problems import Place, Problem, Severity, problem_at
from aiproxy.config.read import read_secret, reason
from aiproxy.config.schema import PLAIN_FORM, Settings
from aiproxy.config.tree import Entries, Form, Items, Node, Scalar, Unparsable, parse

PREFIX = "AIPROXY__"
FILE_TWIN = "_FILE"

Steps = tuple[str, ...]


class NoSuchPath(Exception):
    """The step at index `at` leads nowhere; `meant` is the step that would, "" when there is none like it."""

    def __init__(self, at: int, message: str, meant: str = "") -> None:
        super().__init__(message)
        self.at = at
        self.message = message
        self.meant = meant


@dataclass(frozen=True, slots=True)
class Laid:
    """The tree after a layer, and what was found on the way."""

    root: Node
    problems: tuple[Problem, ...] = ()
    files: tuple[Path, ...] = ()


def with_environment(root: Node, environ: Mapping[str, str]) -> Laid:
    """Every `AIPROXY__…` variable laid over the tree, in the order of their names."""
    problems: list[Problem] = []
    files: list[Path] = []
    for name in sorted(name for name in environ if name.startswith(PREFIX)):
        place, value = Place(name), environ[name]
        if _is_file_twin(name):
            twin = name.removesuffix(FILE_TWIN)
            if twin in environ:
                problems.append(_error(place, "set-twice", f"{twin} is set as well; unset one of the two"))
                continue
            files.append(Path(value).absolute())
            try:
                value = read_secret(files[-1])
            except (OSError, ValueError) as error:
                message = f"the file that this variable names can't be read: {reason(error)}"
                problems.append(_error(place, "unreadable-file", message, path=_path(_steps_of_variable(twin))))
                continue
            steps = _steps_of_variable(twin)
        else:
            steps = _steps_of_variable(name)
        try:
            root = lay(root, Settings, steps, Scalar(value, Form.GIVEN, place))
        except NoSuchPath as wrong:
            meant = _variable_of_steps((*steps[: wrong.at], wrong.meant)) if wrong.meant else ""
            problems.append(_error(place, "unknown-variable", wrong.message + _did_you_mean(meant), meant))
        except Unparsable as unparsable:
            problems.append(unparsable.problem)
    return Laid(root, tuple(problems), tuple(files))


def with_overrides(root: Node, overrides: Sequence[str]) -> Laid:
    """Every `key.path=value` laid over the tree, in the order given; values are YAML, and without one empty text."""
    problems: list[Problem] = []
    for override in overrides:
        path, equals, text = override.partition("=")
        if not equals or not path.strip():
            problems.append(_error(Place("--set"), "bad-override", "wants `key.path=value`"))
            continue
        place = Place(f"--set {path.strip()}")
        steps = tuple(re.sub(r"\[(\d+)\]", r".\1", path.strip()).split("."))
        try:
            value, found = parse(text, place.source, one_place=True)
            if not text:  # `--set host=` is empty text; nothing at all is written `null`
                value = Scalar("", Form.GIVEN, place)
            root = lay(root, Settings, steps, value)
            problems += found
        except NoSuchPath as wrong:
            meant = ".".join((*steps[: wrong.at], wrong.meant)) if wrong.meant else ""
            problems.append(_error(place, "unknown-key", wrong.message + _did_you_mean(meant), meant))
        except Unparsable as unparsable:
            problems.append(unparsable.problem)
    return Laid(root, tuple(problems))


def lay(root: Node, wanted: Any, steps: Steps, value: Node) -> Node:
    """The tree with one value replaced or added. What is of the wrong kind on the way stays, for the reading to name.

    Raises `NoSuchPath`, and `Unparsable` for a variable that should hold YAML."""
    return _lay(root, wanted, steps, 0, value)


def _lay(node: Node | None, wanted: Any, steps: Steps, at: int, value: Node) -> Node:
    wanted = required(wanted)
    if at == len(steps):
        return _understood(value, wanted)
    if isinstance(node, Scalar) and node.empty:
        node = None
    if is_dataclass(wanted) and isinstance(wanted, type):
        return _lay_key(_as_entries(node, wanted, value.place), wanted, steps, at, value)
    if get_origin(wanted) is tuple:
        return _lay_item(node, get_args(wanted)[0], steps, at, value)
    if get_origin(wanted) is not None:
        entries = _as_entries(node, wanted, value.place)
        return entries if not isinstance(entries, Entries) else _with(entries, ".".join(steps[at:]), value)
    raise NoSuchPath(at, f"`{steps[at - 1]}` holds a value; nothing lies under it")


def _lay_key(node: Node, cls: type, steps: Steps, at: int, value: Node) -> Node:
    step = steps[at]
    if step not in keys_of(cls):
        if step in NOT_YET.get(cls, ()):
            raise NoSuchPath(at, "this key is not supported by this version of aiproxy")
        raise NoSuchPath(at, "this names no key", nearest(step, keys_of(cls)))
    inner = node.get(step) if isinstance(node, Entries) else None
    laid = _lay(inner, hints(cls)[step.replace("-", "_")], steps, at + 1, value)
    return _with(node, step, laid) if isinstance(node, Entries) else node


def _lay_item(node: Node | None, element: Any, steps: Steps, at: int, value: Node) -> Node:
    node = Items((), value.place) if node is None else node
    count = len(node.values) if isinstance(node, Items) else 0
    if not re.fullmatch(r"[0-9]{1,6}", steps[at]) or int(steps[at]) > count:
        raise NoSuchPath(at, f"a list's entry is named by its number; here 0 to {count}, {count} to add one")
    index = int(steps[at])
    if not isinstance(node, Items):
        return node
    before = node.values[index] if index < count else None
    laid = _lay(before, element, steps, at + 1, value)
    return replace(node, values=(*node.values[:index], laid, *node.values[index + 1 :]))


def _with(entries: Entries, key: str, value: Node) -> Entries:
    kept = [(name, value if name.text == key else old) for name, old in entries.pairs]
    if all(name.text != key for name, _ in kept):
        kept.append((Scalar(key, Form.PLAIN, value.place), value))
    return replace(entries, pairs=tuple(kept))


def _as_entries(node: Node | None, cls: Any, place: Place) -> Node:
    """A mapping to lay a key into: what stands there, its plain form written out, or a new one."""
    if node is None:
        return Entries((), place)
    short = PLAIN_FORM.get(cls)
    if short and isinstance(node, Scalar):
        return Entries(((Scalar(kebab(short), Form.PLAIN, node.place), node),), node.place)
    return node


def _understood(value: Node, wanted: Any) -> Node:
    """A variable's text as YAML where only a list or a mapping can stand."""
    container = get_origin(wanted) is not None or (is_dataclass(wanted) and wanted not in PLAIN_FORM)
    if isinstance(value, Scalar) and value.form is Form.GIVEN and container:
        return parse(value.text, value.place.source, one_place=True)[0]
    return value


def _is_file_twin(name: str) -> bool:
    return (
        name.endswith(FILE_TWIN)
        and not _leads_somewhere(_steps_of_variable(name))
        and _leads_somewhere(_steps_of_variable(name.removesuffix(FILE_TWIN)))
    )


def _leads_somewhere(steps: Iterable[str]) -> bool:
    wanted: Any = Settings
    for step in steps:
        wanted = required(wanted)
        if get_origin(wanted) is tuple and step.isdecimal():
            wanted = get_args(wanted)[0]
        elif is_dataclass(wanted) and isinstance(wanted, type) and step in keys_of(wanted):
            wanted = hints(wanted)[step.replace("-", "_")]
        else:
            return False
    return True


def _steps_of_variable(name: str) -> Steps:
    return tuple(step.lower().replace("_", "-") for step in name.removeprefix(PREFIX).split("__"))


def _variable_of_steps(steps: Steps) -> str:
    return PREFIX + "__".join(step.upper().replace("-", "_") for step in steps)


def _did_you_mean(meant: str) -> str:
    return f"; did you mean `{meant}`?" if meant else ""


def _path(steps: Steps) -> str:
    """As the reading writes it: `api-keys[0].key`."""
    return re.sub(r"\.(\d+)(?=\.|\Z)", r"[\1]", ".".join(steps))


def _error(place: Place, code: str, message: str, suggestion: str = "", path: str = "") -> Problem:
    return problem_at(place, Severity.ERROR, code, message, path=path, suggestion=suggestion)
