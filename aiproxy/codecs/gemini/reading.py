"""JSON as it comes: exact numbers, and what was expected where something else stands.

Everything here raises `ValueError` with a sentence; whoever knows whose JSON it was makes it an `InvalidRequest` or `UpstreamFailed`."""

import json
from collections.abc import Mapping

from msgspec.json import decode

from aiproxy.neutral.carried import Json


def parse(data: bytes) -> Json:
    """Any JSON, integers of any size and lone surrogates included."""
    try:
        return decode(data)
    except RecursionError as error:
        raise ValueError("it nests too deep") from error
    except ValueError:
        if b"\\u" not in data:
            raise
        return _slowly(data)


def _slowly(data: bytes) -> Json:
    try:
        return json.loads(data, parse_constant=_no_constant)
    except RecursionError as error:
        raise ValueError("it nests too deep") from error


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def objects(value: Json, where: str) -> list[Mapping[str, Json]]:
    """A repeated field. One object in place of a list is taken for a list of one, as Google's own parser does; nothing is none."""
    if value is None:
        return []
    items = value if isinstance(value, list) else [value]
    if not all(isinstance(item, dict) for item in items):
        raise ValueError(f"`{where}` must be a list of objects")
    return items


def member(value: Mapping[str, Json], name: str, where: str) -> Mapping[str, Json]:
    found = value.get(name)
    if not isinstance(found, dict):
        raise ValueError(f"`{where}.{name}` must be an object")
    return found


def text(value: Mapping[str, Json], name: str, where: str) -> str:
    found = value.get(name)
    if not isinstance(found, str):
        raise ValueError(f"`{where}.{name}` must be a string")
    return found


def without(value: Mapping[str, Json], *names: str) -> dict[str, Json]:
    """The rest, to ride along. What starts with `~` would be taken for a note of ours: no such field exists."""
    return {key: inner for key, inner in value.items() if key not in names and not key.startswith("~")}
