"""Settings as anybody may see them: each value with the layer that it came from, and no secret."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from aiproxy.config.load import BUILT_IN, Configuration, leaves
from aiproxy.config.names import kebab
from aiproxy.secrets import MASK, Scrubber, Secret


@dataclass(frozen=True, slots=True)
class Effective:
    """`value` is as JSON has it; `origin` is `built-in`, `FILE:LINE:COL`, a variable's name, or `--set …`."""

    path: str
    value: Any
    origin: str

    @property
    def changed(self) -> bool:
        """Whether anybody has set it."""
        return self.origin != BUILT_IN


def effective(configuration: Configuration) -> Iterator[Effective]:
    """Every value, in the order of the schema."""
    scrub = Scrubber(configuration.secrets)
    for path, value in leaves(configuration.settings):
        yield Effective(path, plain(value, scrub), configuration.origins.get(path, BUILT_IN))


def plain(value: Any, scrub: Scrubber) -> Any:
    """As JSON has it, without secrets."""
    match value:
        case Secret():
            return MASK if value else ""
        case str():
            return scrub(str(value))
        case Mapping():
            return {scrub(key): plain(inner, scrub) for key, inner in value.items()}
        case tuple() | list():
            return [plain(inner, scrub) for inner in value]
    if is_dataclass(value):
        return {kebab(each.name): plain(getattr(value, each.name), scrub) for each in fields(value)}
    return value
