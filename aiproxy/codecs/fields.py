"""Tables that say what a protocol calls each feature of a request, and do the copying, the reporting and the documenting.

A codec's table has three kinds of rows: `Field` for what is copied as it stands, `Shape` for what the codec's own code reads
and writes, `Own` for fields of the protocol that neutral has no word for (they ride in `extensions`). Every feature of
`features.FEATURES` has exactly one row; a wire path is dotted (`output_config.effort`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Literal, TypeAlias

from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.features import FEATURES, GROUPS, PLAIN, SCALARS
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.request import GenerateRequest, ReasoningConfig

Action: TypeAlias = Literal["map", "approximate", "emulate", "carry", "drop", "ignore", "refuse"]
"""What happens to a feature on the way out: renamed, nearest thing, done by us, kept in an opaque carrier, dropped with or
without a warning, refused."""

SPELLING = "~spelling"
"""The note in a codec's extensions that says by which of two names a field came in."""

SAID = "~said"
"""The note that says which fields came in although they say what neutral assumes anyway (`stream: false`)."""

TILDE = "~"
"""The note that holds the sender's own keys that start with a tilde: nobody may write our notes for us."""

_MODEL_LIMITS = {"sampling.temperature": "temperature_max", "sampling.max_output_tokens": "max_output_tokens"}
"""Scalars with a limit of the model's own, by its name in `Capabilities`."""

_NO_WISH: Mapping[str, object] = {
    "sampling.temperature": 1,
    "sampling.top_p": 1,
    "sampling.min_p": 0,
    "sampling.frequency_penalty": 0,
    "sampling.presence_penalty": 0,
    "sampling.repetition_penalty": 1,
    "sampling.logit_bias": {},
    "sampling.n": 1,
    "sampling.logprobs": False,
    "sampling.top_logprobs": 0,
}
"""Values that ask for what a model does anyway that has no such setting: nothing is lost with them."""

_DEFAULTS: Mapping[str, object] = {"stream": False, "reasoning.mode": ReasoningConfig().mode}


@dataclass(frozen=True, slots=True)
class Field:
    """`feature` is copied to and from `wire`; with no wire name the action says what is done with it. `also` are other
    spellings that are read. `limits` clamp (least, most). `read` and `write` convert; `read` raises `ValueError`."""

    feature: str
    wire: str = ""
    also: tuple[str, ...] = ()
    action: Action = "map"
    limits: tuple[float | None, float | None] = (None, None)
    read: Callable[[Json], object] = lambda value: value
    write: Callable[[Any], Json] = lambda value: value
    note: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """`feature` is written by the codec's code, as `wire` (for people to read); the code calls `FieldTable.report`."""

    feature: str
    wire: str = ""
    action: Action = "map"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Own:
    """A top-level field only this protocol has: what becomes of it at a foreign upstream. At its `default` it says nothing;
    of one with `members` each is told by its own name."""

    wire: str
    action: Literal["drop", "ignore", "refuse"] = "drop"
    note: str = ""
    default: Json = None
    members: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What a table found in a body: values by feature, and the rest of the body for the codec's own code to take from."""

    values: Mapping[str, Any]
    rest: dict[str, Json] = field(default_factory=dict)

    def group(self, name: str) -> Mapping[str, Any]:
        """The values of one group, to be spread into its record: `SamplingParams(**reading.group("sampling"))`."""
        prefix = f"{name}."
        return {key.removeprefix(prefix): value for key, value in self.values.items() if key.startswith(prefix)}


class FieldTable:
    def __init__(self, codec: str, rows: Sequence[Field | Shape | Own]) -> None:
        self.codec = codec
        self.rows = tuple(rows)
        self._fields = [row for row in rows if isinstance(row, Field)]
        self._own = {row.wire: row for row in rows if isinstance(row, Own)}
        self._by_feature = {row.feature: row for row in rows if not isinstance(row, Own)}
        named = [row.feature for row in rows if not isinstance(row, Own)]
        if wrong := {name for name in (*named, *FEATURES) if (named.count(name), FEATURES.count(name)) != (1, 1)}:
            raise ValueError(f"{codec}: features unknown, missing or named twice: {sorted(wrong)}")
        if wrong := {row.feature for row in self._fields if row.feature not in SCALARS}:
            raise ValueError(f"{codec}: not scalars, use Shape: {sorted(wrong)}")

    def read(self, body: Mapping[str, Json], report: Report) -> Reading:
        """Takes what the `Field` rows know out of a copy of the body. Nulls and empty lists stay in the rest: they say nothing.

        Raises `InvalidRequest` with the wire name when a value can't be read."""
        rest = _unmistakable(body)
        values: dict[str, object] = {}
        spelling: dict[str, str] = {}
        said: dict[str, Json] = {}
        for row in self._fields:
            for wire in (row.wire, *row.also) if row.wire else ():
                if row.feature in values or (found := _get(rest, wire)) in (None, []):
                    continue
                try:
                    values[row.feature] = row.read(found)
                except ValueError as error:
                    raise InvalidRequest(f"`{wire}`: {error}.", param=wire) from error
                rest = _without(rest, wire)
                report.read(wire, row.feature)
                if wire != row.wire:
                    spelling[row.feature] = wire
                if values[row.feature] == _DEFAULTS.get(row.feature):
                    said[row.feature] = found
        notes = {SPELLING: spelling, SAID: said}
        rest |= {name: note for name, note in notes.items() if note}
        return Reading(values, rest)

    def extensions(self, rest: Mapping[str, Json], report: Report) -> dict[str, Mapping[str, Json]]:
        """What the codec's code left of the rest, as the request's extensions; each is reported as read."""
        for name, value in rest.items():
            if value not in (None, []) and not name.startswith(TILDE):
                report.read(name, f"{self.codec}.{name}")
        return {self.codec: dict(rest)} if rest else {}

    def write(
        self,
        request: GenerateRequest,
        body: dict[str, Json],
        capabilities: Capabilities,
        report: Report,
        *,
        foreign: bool = True,
    ) -> None:
        """Copies what the `Field` rows know into the body. `foreign`: the request came by another codec, so that values are
        clamped and losses reported; else all goes back as it came."""
        notes = request.extensions.get(self.codec, {})
        spelling, said = notes.get(SPELLING, {}), notes.get(SAID, {})
        for row in self._fields:
            value = attrgetter(row.feature)(request)
            if value is None or value == ():
                continue
            if value == _DEFAULTS.get(row.feature):
                if row.feature in said:
                    _set(body, spelling.get(row.feature, row.wire), said[row.feature])
                continue
            refused = row.feature.removeprefix("sampling.") in capabilities.refused_sampling
            if (not row.wire or (foreign and refused)) and value == _NO_WISH.get(row.feature):
                report.ignore(row.feature)
            elif not row.wire:
                self.report(row.feature, report)
            elif not foreign:
                _set(body, spelling.get(row.feature, row.wire), row.write(value))
            elif refused:
                report.drop(row.feature)
            else:
                if row.action != "map":
                    self.report(row.feature, report)
                _set(body, spelling.get(row.feature, row.wire), row.write(_clamped(row, value, capabilities, report)))

    def report(self, feature: str, report: Report) -> None:
        """Says what this protocol does with a feature that is present. Raises `Unsupported` where that is to refuse it."""
        match self._by_feature[feature].action:
            case "drop":
                report.drop(feature)
            case "ignore":
                report.ignore(feature)
            case "refuse":
                report.refuse(feature)
            case "approximate":
                report.rename(feature)
            case "emulate":
                report.emulate(feature)
            case "map" | "carry":
                pass

    def own(self, wire: str) -> Own:
        """What a foreign upstream does with a field that rides in our extensions; unknown ones are dropped and told."""
        return self._own.get(wire, Own(wire))


def restore(extensions: Mapping[str, Mapping[str, Json]], codec: str, target: dict[str, Json]) -> None:
    """Puts back what rode along for `codec`; where both have a field the target's stands, objects are merged."""
    riding = extensions.get(codec, {})
    _merge(target, {key: value for key, value in riding.items() if not key.startswith(TILDE)})
    _merge(target, riding.get(TILDE, {}))


def carried(codec: str, found: Mapping[str, Json], known: Iterable[str]) -> dict[str, Mapping[str, Json]]:
    """The extensions of a nested object: all of it but the `known` keys."""
    rest = _unmistakable({key: value for key, value in found.items() if key not in known})
    return {codec: rest} if rest else {}


def _unmistakable(found: Mapping[str, Json]) -> dict[str, Json]:
    """A copy whose own tilde keys can't be taken for notes of ours."""
    rest = {key: value for key, value in found.items() if not key.startswith(TILDE)}
    if len(rest) < len(found):
        rest[TILDE] = {key: value for key, value in found.items() if key.startswith(TILDE)}
    return rest


assert set(PLAIN) | {name.split(".")[0] for name in SCALARS} == set(PLAIN) | set(GROUPS)


def _clamped(row: Field, value: Any, capabilities: Capabilities, report: Report) -> Any:
    least, most = row.limits
    if row.feature in _MODEL_LIMITS and (limit := getattr(capabilities, _MODEL_LIMITS[row.feature])) is not None:
        most = limit if most is None else min(limit, most)
    if least is not None and value < least:
        report.clamp(row.feature)
        return least
    if most is not None and value > most:
        report.clamp(row.feature)
        return most
    return value


def _get(body: Mapping[str, Json], wire: str) -> Json:
    found: Json = body
    for key in wire.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found


def _without(body: Mapping[str, Json], wire: str) -> dict[str, Json]:
    """A copy without that path; objects that become empty go with it."""
    key, _, inner = wire.partition(".")
    copy = dict(body)
    if inner and (left := _without(copy[key], inner)):
        copy[key] = left
    else:
        del copy[key]
    return copy


def _set(body: dict[str, Json], wire: str, value: Json) -> None:
    *outer, last = wire.split(".")
    for key in outer:
        body = body.setdefault(key, {})
    body[last] = value


def _merge(target: dict[str, Json], source: Mapping[str, Json]) -> None:
    for key, value in source.items():
        if isinstance(value, Mapping) and isinstance(target.get(key), dict):
            _merge(target[key], value)
        else:
            target.setdefault(key, value)
