"""Converters for `Field.read`: a JSON value as what it must be, or `ValueError` saying what was expected."""

from collections.abc import Mapping
from typing import Any

from aiproxy.neutral.carried import Json


def text(value: Json) -> str:
    if not isinstance(value, str):
        raise ValueError("must be a string")
    return value


def boolean(value: Json) -> bool:
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def integer(value: Json) -> int:
    """A float without a fraction stays as it came: clients of every language write `1024.0`."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
        raise ValueError("must be an integer")
    return value  # type: ignore[return-value]


def number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("must be a number")
    return value


def record(value: Json) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise ValueError("must be an object")
    return value


def texts(value: Json) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError("must be a list of strings")
    return tuple(value)
