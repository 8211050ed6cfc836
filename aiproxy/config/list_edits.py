"""Lists of a configuration's text, changed entry by entry so that the others stay as they are written. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiproxy.config.edit import data_of, edited, without
from aiproxy.config.names import element_type, hints, kebab
from aiproxy.config.schema import PLAIN_FORM, Settings
from aiproxy.config.tree import parse

AUTH_INDEX = "auth-index"
"""What a list's reader is told beside each entry, and is no part of it."""


def entries(text: str, section: str) -> list[Any]:
    """As they are written. Raises `Unparsable`."""
    data = data_of(parse(text.removeprefix("\ufeff"), "")[0])
    found = data.get(section) if isinstance(data, dict) else None
    return found if isinstance(found, list) else []


def as_mapping(entry: Any, section: str) -> Mapping[str, Any]:
    """An entry's long form."""
    if isinstance(entry, dict):
        return entry
    kind = element_type(hints(Settings)[section.replace("-", "_")])
    return {kebab(PLAIN_FORM[kind]): entry}


def replaced(text: str, section: str, wanted: Sequence[Any]) -> str:
    """With this list. What is in it already stays as it is written, as far as the order allows."""
    there = entries(text, section)
    if not wanted:
        return without(text, section) if there else text
    if not there:
        return edited(text, section, list(wanted))
    if len(wanted) < len(there):
        for index in range(len(there) - 1, -1, -1):
            if len(there) > len(wanted) and not _among(there[index], wanted, section):
                text = without(text, f"{section}[{index}]")
                del there[index]
    for index in range(len(there) - 1, len(wanted) - 1, -1):
        text = without(text, f"{section}[{index}]")
    for index, value in enumerate(wanted):
        if index >= len(there) or not _alike(there[index], value, section):
            text = edited(text, f"{section}[{index}]", value)
    return text


def changed(text: str, section: str, index: int, values: Mapping[str, Any]) -> str:
    """With these values in one entry; what is empty is taken out."""
    for key, value in values.items():
        there = as_mapping(entries(text, section)[index], section)
        if value not in (None, "", [], {}):
            text = edited(text, f"{section}[{index}].{key}", value)
        elif key in there:
            text = without(text, f"{section}[{index}].{key}")
    return text


def _among(entry: Any, wanted: Sequence[Any], section: str) -> bool:
    return any(_alike(entry, each, section) for each in wanted)


def _alike(one: Any, other: Any, section: str) -> bool:
    return as_mapping(one, section) == as_mapping(other, section)
