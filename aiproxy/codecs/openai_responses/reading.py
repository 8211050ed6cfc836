"""JSON of the wire on its way to neutral: what is taken leaves the rest, what can't be written back the same way is noted."""

from collections.abc import Mapping
from typing import Final, TypeVar

from aiproxy.codecs.fields import TILDE, carried
from aiproxy.codecs.openai_responses.table import NAME
from aiproxy.neutral.carried import Extensions, Json

T = TypeVar("T")

CAME: Final = "~came"
"""The note that holds fields neutral has in another form than they came in: they go back as they came."""
ABSENT: Final = "~absent"
"""The note that lists fields this protocol always has, and this object did not."""
OWN: Final = "~own"
"""The note that a part is from an answer of this protocol: it is shown as it is, nothing is filled in."""


class Malformed(Exception):
    """An object that isn't what it says it is: `where` is the path inside it."""

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where, self.problem = where, problem

    def inside(self, outer: str) -> "Malformed":
        inner = self.where if self.where.startswith("[") or not self.where else f".{self.where}"
        return Malformed(f"{outer}{inner}", self.problem)


class Taking:
    """One object, read key by key. Values of another type than expected stay in the rest; nulls do, too."""

    __slots__ = ("_came", "rest")

    def __init__(self, found: Json) -> None:
        if not isinstance(found, dict):
            raise Malformed("", "must be an object")
        self.rest: dict[str, Json] = dict(found)
        self._came: dict[str, Json] = {}

    def text(self, key: str) -> str:
        """Required."""
        if not isinstance(self.rest.get(key), str):
            raise Malformed(key, "must be a string")
        return str(self.rest.pop(key))

    def maybe(self, key: str, kind: type[T]) -> T | None:
        found = self.rest.get(key)
        if not isinstance(found, kind) or (isinstance(found, bool) and kind is not bool):
            return None
        del self.rest[key]
        return found

    def keep(self, key: str) -> None:
        """The field is understood, but goes back only as it came."""
        self._came[key] = self.rest.pop(key)

    def extensions(self, notes: Mapping[str, Json] | None = None, absent: tuple[str, ...] = ()) -> Extensions:
        if not (self.rest or self._came or notes or absent):
            return {}
        found: dict[str, Json] = dict(carried(NAME, self.rest, ()).get(NAME, {}))
        if self._came:
            found[CAME] = self._came
        if absent:
            found[ABSENT] = list(absent)
        return {NAME: found | dict(notes or {})}


def written(built: dict[str, Json], extensions: Extensions) -> dict[str, Json]:
    """The object with all that `Taking` left of it put back."""
    riding = extensions.get(NAME)
    if not riding:
        return built
    built |= {key: value for key, value in riding.items() if not key.startswith(TILDE)}
    built |= riding.get(CAME, {})
    built |= riding.get(TILDE, {})
    for key in riding.get(ABSENT, ()):
        built.pop(key, None)
    return built


def note(extensions: Extensions, name: str) -> Json:
    return extensions.get(NAME, {}).get(name)
