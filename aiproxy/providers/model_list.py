"""Lists of an account's models at back ends that speak no protocol in which one could be asked for: where, and what the answer says.

Source: provider sheets kiro, antigravity."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from aiproxy.neutral.carried import Json
from aiproxy.providers.quota_answers import listed, mapping


@dataclass(frozen=True, slots=True)
class ModelList:
    """`body` None asks by GET. `read` finds the names in the answer's JSON object, and raises nothing, whatever it holds."""

    url: str
    read: Callable[[Mapping[str, Any]], Iterable[str]]
    body: Mapping[str, Json] | None = None


def kiro(said: Mapping[str, Any]) -> Iterator[str]:
    yield from (name for each in listed(said.get("models")) if isinstance(name := each.get("modelId"), str) and name)


def antigravity(said: Mapping[str, Any]) -> Iterator[str]:
    """Its own tools' models, too, whose names are of no family."""
    yield from (name for name in mapping(said.get("models")) if name)
