"""Neutral values as plain JSON and back: for golden cases, the response store and the bus. What equals its default is left
out, and so is what isn't compared: a note beside the value.

A member of a union says which one it is in `is`: `{"is": "TextPart", "text": "hi"}`."""

import types
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from aiproxy.neutral.carried import Json

T = TypeVar("T")

TAG = "is"


def to_plain(value: object) -> Json:
    match value:
        case None | str() | int() | float():
            return value
        case tuple() | list():
            return [to_plain(item) for item in value]
        case Mapping():
            return {str(key): to_plain(item) for key, item in value.items()}
        case _ if is_dataclass(value) and not isinstance(value, type):
            said = {field.name: getattr(value, field.name) for field in fields(value) if field.compare}
            named = {name: to_plain(item) for name, item in said.items() if item != _default(type(value), name)}
            return {TAG: type(value).__name__, **named}
        case _:
            raise TypeError(f"{type(value).__name__} is not a neutral value")


def from_plain(kind: type[T], plain: Json) -> T:
    """The value of type `kind` (a neutral dataclass) that `to_plain` wrote. Raises `ValueError` for anything else."""
    return cast(T, _read(kind, plain))


def _read(kind: Any, plain: Json) -> Any:
    origin, arguments = get_origin(kind), get_args(kind)
    if kind is Any or origin is Literal or kind in (str, int, float, bool, types.NoneType):
        return plain
    if origin in (Union, types.UnionType):
        return _read_union(arguments, plain)
    if origin is tuple:
        if not isinstance(plain, list):
            raise ValueError(f"expected a list, found {plain!r:.60}")
        inner = [arguments[0]] * len(plain) if arguments[-1] is Ellipsis else arguments
        return tuple(_read(argument, item) for argument, item in zip(inner, plain, strict=True))
    if not isinstance(plain, dict):
        raise ValueError(f"expected an object, found {plain!r:.60}")
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        if unknown := plain.keys() - hints.keys() - {TAG}:
            raise ValueError(f"{kind.__name__} has no {sorted(unknown)}")
        return kind(**{name: _read(hints[name], item) for name, item in plain.items() if name != TAG})
    return {key: _read(arguments[1], item) for key, item in plain.items()}


def _read_union(members: tuple[Any, ...], plain: Json) -> Any:
    """The member that says its name; else the only one of that JSON shape."""
    if plain is None:
        return None
    if isinstance(plain, dict) and TAG in plain:
        for member in members:
            if getattr(member, "__name__", None) == plain[TAG]:
                return _read(member, plain)
    others = [member for member in members if member is not types.NoneType]
    if len(others) == 1:
        return _read(others[0], plain)
    raise ValueError(f"none of {[getattr(member, '__name__', str(member)) for member in others]}: {plain!r:.60}")


@cache
def _hints(kind: type) -> Mapping[str, Any]:
    return get_type_hints(kind)


@cache
def _defaults(kind: type) -> Mapping[str, Field[Any]]:
    return {field.name: field for field in fields(kind)}


def _default(kind: type, name: str) -> object:
    """The field's default; what no value equals when it has none."""
    field = _defaults(kind)[name]
    if field.default_factory is not MISSING:
        return field.default_factory()
    return field.default
