"""What became of each field of a translated request: mapped, approximated, dropped or refused.

The decoder says which field it read into which neutral feature, the encoder what it could not do with a feature; both by
the tables that do the work (`fields`). Nothing said about a field that was read means it arrived.
"""

import re
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from aiproxy.neutral.errors import Unsupported

Fate: TypeAlias = Literal["mapped", "approximated", "dropped", "refused"]

Verb: TypeAlias = Literal["drop", "clamp", "rename", "emulate", "ignore", "refuse"]

_FATE: Mapping[Verb, Fate] = {
    "drop": "dropped",
    "ignore": "dropped",
    "clamp": "approximated",
    "rename": "approximated",
    "emulate": "approximated",
    "refuse": "refused",
}

HEADER_LIMIT = 2048
"""Bytes of the warnings header. Clients and proxies commonly refuse header sections above 8 kB."""

_UNSAFE = re.compile(r"[^!-+\--~]")
"""What a client's field name may not bring into a header: controls, spaces, commas, all beyond ASCII."""


class Report:
    """Of one translation. `strict` refuses where lenient drops; `tolerated` names features whose refusal is only a drop."""

    def __init__(self, *, strict: bool = False, tolerated: frozenset[str] = frozenset()) -> None:
        self._strict = strict
        self._tolerated = tolerated
        self._fields: dict[str, str] = {}
        self._names: dict[str, list[str]] = {}
        self._said: dict[tuple[Verb, str], None] = {}
        self._spell: Callable[[str], str] = str

    def spelt(self, spell: Callable[[str], str]) -> None:
        """The decoder: how the client itself spells a field, where its protocol has two spellings."""
        self._spell = spell

    def read(self, field: str, feature: str) -> None:
        """The decoder: the client's `field` became neutral `feature`; one field may become several."""
        self._fields.setdefault(field, feature)
        names = self._names.setdefault(feature, [])
        if field not in names:
            names.append(field)

    def drop(self, feature: str) -> None:
        """The target has no word for it. Refused instead when the translation is strict."""
        if self._strict:
            self._refuse(feature, None)
        self._say("drop", feature)

    def clamp(self, feature: str) -> None:
        """Sent with the nearest value the target takes."""
        self._say("clamp", feature)

    def rename(self, feature: str) -> None:
        """Sent under another name that means nearly the same."""
        self._say("rename", feature)

    def emulate(self, feature: str) -> None:
        """Done by the gateway, or said to the model in words."""
        self._say("emulate", feature)

    def ignore(self, feature: str) -> None:
        """Dropped without a warning: telemetry, or a hint that changes no answer."""
        self._say("ignore", feature)

    def lose(self, feature: str) -> None:
        """The encoder of an answer: the client's protocol can't show it. Never an error, the answer is already paid for."""
        self._say("drop", feature)

    def refuse(self, feature: str, message: str | None = None, *, at: str | None = None) -> None:
        """Dropping it would change what was asked for. Raises `Unsupported` naming the client's field, or the place where it
        is, unless tolerated."""
        if feature in self._tolerated:
            self._say("drop", feature)
        else:
            self._refuse(feature, message, at)

    def becomes(self, feature: str, other: str) -> None:
        """The gateway made one feature of another: what is said of `other` is said of the client's field."""
        self._names.setdefault(other, []).extend(self._names.get(feature, ()))

    def says(self, verb: Verb, feature: str) -> bool:
        """Whether this has been said of the feature."""
        return (verb, feature) in self._said

    def name(self, feature: str) -> str:
        """The client's own name for a feature; the neutral one where none was read."""
        return self._spell(self._names[feature][0]) if feature in self._names else feature

    @property
    def warnings(self) -> tuple[str, ...]:
        """`drop:seed`, `clamp:temperature`, … in the order they happened."""
        told = (f"{verb}:{self.name(feature)}" for verb, feature in self._said if verb not in ("ignore", "refuse"))
        return tuple(dict.fromkeys(told))

    @property
    def header(self) -> str | None:
        """The value of `x-aiproxy-warnings`; the last ones give way when it would pass `HEADER_LIMIT`."""
        text = ", ".join(_UNSAFE.sub("?", warning) for warning in self.warnings)
        if len(text) > HEADER_LIMIT:
            text = text[:HEADER_LIMIT].rpartition(",")[0]
        return text or None

    @property
    def fates(self) -> Mapping[str, Fate]:
        """Every field that was read, and features that were emulated without one, with what became of it."""
        found: dict[str, Fate] = dict.fromkeys(self._fields, "mapped")
        for verb, feature in self._said:
            found.update(dict.fromkeys(self._names.get(feature, [feature]), _FATE[verb]))
        return found

    def fork(self) -> "Report":
        """For one attempt: what was read stays, what the attempt says is its own."""
        other = Report(strict=self._strict, tolerated=self._tolerated)
        other._fields = dict(self._fields)
        other._names = {feature: list(names) for feature, names in self._names.items()}
        other._said = dict(self._said)
        other._spell = self._spell
        return other

    def _say(self, verb: Verb, feature: str) -> None:
        self._said[verb, feature] = None

    def _refuse(self, feature: str, message: str | None, at: str | None = None) -> None:
        self._say("refuse", feature)
        field = self.name(feature)
        raise Unsupported(
            message or f"The chosen model's API has no equivalent of `{field}`: leave it out.", param=at or field
        )
