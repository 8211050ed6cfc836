"""What a model can do, looked up by its name in one dated data file, `capabilities.json`.

An entry says something of every model its globs match. Where several match, the more specific glob (the one with more
letters of its own; a whole name before any glob) has the last word, key by key; null takes back what a wider one said.
Only what a vendor documents stands there. Of unknown models all is asked: their defaults are permissive."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any, get_args

import orjson

from aiproxy.catalogue.globs import matches
from aiproxy.codecs.capabilities import ALL_EFFORTS, PERMISSIVE, Capabilities, ThinkingKind
from aiproxy.codecs.tool_ids import IdRule
from aiproxy.neutral.carried import Json
from aiproxy.neutral.request import SamplingParams

CACHED_NAMES = 1024
"""Names whose answer is kept: more than any one gateway serves, so that invented ones can't fill the memory."""

LONGEST_NAME = 200
"""Characters. No vendor's names come near; longer ones are nobody's model and aren't kept."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the data file says of the models whose names match any of the globs, by field of `Capabilities`."""

    models: tuple[str, ...]
    says: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Family:
    name: str
    source: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class CapabilityData:
    """The data file. `by_glob` is all of it, the most specific glob last."""

    written: date
    families: tuple[Family, ...]

    @property
    def by_glob(self) -> Sequence[tuple[str, Mapping[str, Any]]]:
        entries = [entry for family in self.families for entry in family.entries]
        pairs = [(glob, entry.says) for entry in entries for glob in entry.models]
        return sorted(pairs, key=lambda pair: _specificity(pair[0]))


def capabilities_of(model: str, vendor: str = "") -> Capabilities:
    """What this model can do, as far as it is documented. What stands before the last slash of a name is a path.

    `vendor` is whose models the upstream serves; "" where that is not one vendor's: then the name tells."""
    return _found(model.rpartition("/")[2].lower(), vendor) if len(model) <= LONGEST_NAME else _unknown(vendor)


def read_data(text: bytes) -> CapabilityData:
    """Raises `ValueError` that names the entry for a key, a word or a number that can't be right."""
    document = _members(orjson.loads(text), {"date", "families"}, "the file")
    data = CapabilityData(
        date.fromisoformat(_word(document["date"])), tuple(_family(each) for each in _listed(document["families"]))
    )
    seen: set[tuple[str, str]] = set()
    for glob, says in data.by_glob:
        if twice := {key for key in says if (glob, key) in seen}:
            raise ValueError(f"{glob}: said twice: {sorted(twice)}")
        seen |= {(glob, key) for key in says}
    return data


@cache
def packaged() -> CapabilityData:
    """The data file that came with this package."""
    return read_data(files("aiproxy.catalogue").joinpath("capabilities.json").read_bytes())


@cache
def _by_glob() -> Sequence[tuple[str, Mapping[str, Any]]]:
    return packaged().by_glob


@lru_cache(maxsize=CACHED_NAMES)
def _found(name: str, vendor: str) -> Capabilities:
    said: dict[str, Any] = {}
    for glob, says in _by_glob():
        if matches(name, (glob,)):
            said |= says
    return replace(PERMISSIVE, **said | {"vendor": vendor or said.get("vendor", "")})


def _unknown(vendor: str) -> Capabilities:
    return replace(PERMISSIVE, vendor=vendor)


def _specificity(glob: str) -> tuple[bool, int]:
    wild = glob.count("*") + glob.count("?")
    return not wild, len(glob) - wild


def _family(found: Json) -> Family:
    members = _members(found, {"family", "source", "entries"}, "a family")
    return Family(
        _word(members["family"]), _word(members["source"]), tuple(_entry(each) for each in _listed(members["entries"]))
    )


def _entry(found: Json) -> Entry:
    if not isinstance(found, dict) or not (models := _listed(found.get("models"))):
        raise ValueError(f"not an entry: {found}")
    if unknown := found.keys() - _READERS.keys() - {"models"}:
        raise ValueError(f"{models[0]}: unknown: {sorted(unknown)}")
    says: dict[str, Any] = {}
    for key, value in found.items():
        if key != "models":
            try:
                says[key] = _DEFAULTS[key] if value is None else _READERS[key](value)
            except ValueError as error:
                raise ValueError(f"{models[0]}: {key}: {error}") from error
    if not says:
        raise ValueError(f"{models[0]}: says nothing")
    return Entry(tuple(_word(each) for each in models), says)


def _members(found: Json, wanted: set[str], what: str) -> Mapping[str, Any]:
    if not isinstance(found, dict) or found.keys() != wanted:
        raise ValueError(f"{what} must have {sorted(wanted)}")
    return found


def _listed(found: Json) -> Sequence[Json]:
    if not isinstance(found, list):
        raise ValueError(f"not a list: {found}")
    return found


def _word(found: Json) -> str:
    if not isinstance(found, str) or not found:
        raise ValueError(f"not a word: {found}")
    return found


def _flag(found: Json) -> bool:
    if not isinstance(found, bool):
        raise ValueError(f"not true or false: {found}")
    return found


def _count(found: Json) -> int:
    if isinstance(found, bool) or not isinstance(found, int) or found < 0:
        raise ValueError(f"not a count: {found}")
    return found


def _number(found: Json) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or found < 0:
        raise ValueError(f"not a number: {found}")
    return float(found)


def _range(found: Json) -> tuple[int, int]:
    least, most = (_count(each) for each in _listed(found))
    if least > most:
        raise ValueError(f"the least is above the most: {found}")
    return least, most


def _one_of(*words: str) -> Callable[[Json], str]:
    def read(found: Json) -> str:
        if found not in words:
            raise ValueError(f"not one of {', '.join(words)}: {found}")
        return _word(found)

    return read


def _some_of(*words: str) -> Callable[[Json], frozenset[str]]:
    return lambda found: frozenset(_one_of(*words)(each) for each in _listed(found))


def _efforts(found: Json) -> tuple[str, ...]:
    efforts = tuple(_one_of(*ALL_EFFORTS)(each) for each in _listed(found))
    if not efforts or efforts != tuple(effort for effort in ALL_EFFORTS if effort in efforts):
        raise ValueError(f"not each once, weakest first: {found}")
    return efforts


_MODALITIES = ("text", "image", "audio", "video", "document")

_READERS: Mapping[str, Callable[[Json], object]] = {
    "vendor": _word,
    "context_tokens": _count,
    "max_output_tokens": _count,
    "input_modalities": _some_of(*_MODALITIES),
    "output_modalities": _some_of(*_MODALITIES, "embedding"),
    "media_urls": _some_of(*_MODALITIES),
    "thinking": _one_of(*get_args(ThinkingKind)),
    "efforts": _efforts,
    "budget_tokens": _range,
    "thinking_can_be_off": _flag,
    "thinking_placeholder": _flag,
    "refused_sampling": _some_of(*(field.name for field in fields(SamplingParams))),
    "temperature_max": _number,
    "stop_limit": _count,
    "tools": _flag,
    "tool_choices": _some_of("auto", "none", "required", "named", "allowed"),
    "parallel_tools": _flag,
    "freeform_tools": _flag,
    "hosted_tools": lambda found: frozenset(_word(each) for each in _listed(found)),
    "tool_id_rule": _one_of(*get_args(IdRule)),
    "tool_result_media": _flag,
    "json_object": _flag,
    "json_schema": _flag,
    "json_schema_tools": _flag,
    "system_turns_midway": _flag,
    "developer_role": _flag,
    "prefill": _flag,
}

_DEFAULTS: Mapping[str, Any] = {field.name: getattr(PERMISSIVE, field.name) for field in fields(Capabilities)}

assert _READERS.keys() == _DEFAULTS.keys()
