"""Client keys of a configuration: what each is called, and the text in which one is another."""

from collections.abc import Mapping

from aiproxy.config.edit import data_of, edited
from aiproxy.config.schema import ClientKey, Settings
from aiproxy.config.steps import NotEdited
from aiproxy.config.tree import parse

RANDOM_BYTES = 32
"""Of a new key: as many as nobody tries out, on networks or off."""


def named(settings: Settings) -> Mapping[str, ClientKey]:
    """As logs call them, in the order of the list."""
    return {key.name or f"key-{number}": key for number, key in enumerate(settings.api_keys, 1)}


def rotated(text: str, place: int, key: str) -> str:
    """A key that the text only refers to is changed where it is. Raises `NotEdited`, `Unparsable`."""
    listed = data_of(parse(text, "")[0]).get("api-keys") or []
    entry = listed[place] if place < len(listed) else None
    path, before = (
        (f"api-keys[{place}].key", entry.get("key")) if isinstance(entry, dict) else (f"api-keys[{place}]", entry)
    )
    if not isinstance(before, str) or "${" in before:
        raise NotEdited("this key stands in a variable or in a file of its own; change it there")
    return edited(text, path, key)
