"""Edits of a configuration's text that change the lines concerned and no others: comments, order and quoting stay.

`edited`, `without` and `moved` are pure, and never wrong: the new text is read again, and one that doesn't hold exactly what was meant
is not returned. Whether the result makes sense is asked of `load.configuration`, by the caller."""

from collections.abc import Callable
from typing import Any

from aiproxy.config.names import kebab
from aiproxy.config.schema import Settings
from aiproxy.config.spans import Span, Spans
from aiproxy.config.steps import NotEdited, Steps, plain_field, steps_of, type_within
from aiproxy.config.text_edits import move, put, take_out
from aiproxy.config.tree import Entries, Form, Items, Node, Scalar, core, parse


def edited(text: str, path: str, value: Any) -> str:
    """The text with this value (as JSON has it) at this path, which is made if it isn't there. Raises `NotEdited`, and
    `tree.Unparsable` for a text that is no YAML."""
    steps = steps_of(path)
    return _checked(text, lambda spans, root: put(spans, root, steps, value), lambda data: _put(data, steps, value))


def without(text: str, path: str) -> str:
    """The text without what stands at this path. Raises as `edited` does."""
    steps = steps_of(path)
    return _checked(text, lambda spans, root: take_out(spans, root, steps), lambda data: _pop(data, steps))


def moved(text: str, path: str, to: int) -> str:
    """The text with a list's entry at another place of it, with what is said of it beside and above. Raises as `edited` does."""
    steps = steps_of(path)
    return _checked(text, lambda spans, root: move(spans, root, steps, to), lambda data: _moved(data, steps, to))


def data_of(node: Node) -> Any:
    """A text's tree as JSON has it, variables as they are written."""
    match node:
        case Scalar():
            return core(node.text) if node.form is Form.PLAIN else node.text
        case Items():
            return [data_of(value) for value in node.values]
        case Entries():
            return {key.text: data_of(value) for key, value in node.pairs}


def _checked(text: str, change: Callable[[Spans, Span], str], meant: Callable[[Any], Any]) -> str:
    root, problems = parse(text, "")
    if problems:
        raise NotEdited("this file has a duplicate key or the like; `validate` says where")
    body = text.removeprefix("\ufeff")
    spans = Spans(body)
    changed = change(spans, spans.read())
    wanted = meant(data_of(root))
    try:
        again, problems = parse(changed, "")
        right = not problems and _same(data_of(again), wanted)
    except Exception:  # noqa: BLE001 - whatever a text of ours is refused with, it is not the text that was meant
        right = False
    if not right:
        raise NotEdited("this place is written in a way that can't be edited without changing others; edit it by hand")
    return text[: len(text) - len(body)] + changed


def _same(one: Any, other: Any) -> bool:
    """Equal, as JSON has it: 1 is 1.0 but not true. What is empty is as good as absent."""
    if one in (None, {}, []) and other in (None, {}, []):
        return True
    match one, other:
        case dict(), dict():
            return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
        case list(), list():
            return len(one) == len(other) and all(map(_same, one, other))
    number = isinstance(one, int | float) and not isinstance(one, bool) and not isinstance(other, bool)
    return (number or type(one) is type(other)) and bool(one == other)


def _put(data: Any, steps: Steps, value: Any, wanted: Any = Settings) -> Any:
    if not steps:
        return value
    step, rest, inner = steps[0], steps[1:], type_within(wanted, steps[0])
    if data is not None and not isinstance(data, dict | list):
        short = plain_field(wanted)
        data = {kebab(short): data} if short else {}
    if isinstance(data, list) or (data is None and isinstance(step, int)):
        before = list(data or [])
        assert isinstance(step, int)
        if step > len(before):
            raise NotEdited(
                f"a list's entry is named by its number; here there are {len(before)}, so {len(before)} adds one"
            )
        if step == len(before):
            return [*before, _put(None, rest, value, inner)]
        before[step] = _put(before[step], rest, value, inner)
        return before
    key = str(step)
    return {**(data or {}), key: _put((data or {}).get(key), rest, value, inner)}


def _pop(data: Any, steps: Steps) -> Any:
    step, rest = steps[0], steps[1:]
    if isinstance(data, list):
        assert isinstance(step, int)
        inner = [_pop(data[step], rest)] if rest else []
        left = [*data[:step], *inner, *data[step + 1 :]]
    else:
        key = str(step)
        kept = {name: inner for name, inner in data.items() if name != key or rest}
        return {name: _pop(inner, rest) if name == key else inner for name, inner in kept.items()} or None
    return left or None


def _moved(data: Any, steps: Steps, to: int) -> Any:
    if len(steps) > 1:
        inner = _moved(data[steps[0]], steps[1:], to)
        if isinstance(data, dict):
            return {**data, steps[0]: inner}
        return [inner if place == steps[0] else each for place, each in enumerate(data)]
    left = [each for place, each in enumerate(data) if place != steps[0]]
    return [*left[:to], data[steps[0]], *left[to:]]
