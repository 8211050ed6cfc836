"""One scalar to one typed value, or the sentence that says why not. Pure: no file, no place, no variable."""

import math
import re
from collections.abc import Mapping
from contextlib import suppress
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from aiproxy.codecs.retry_after import duration
from aiproxy.config.tree import core


class Refused(Exception):
    """The scalar is not what is wanted. The message doesn't quote text, which may be a secret in the wrong place."""

    def __init__(self, code: str, message: str, suggestion: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.suggestion = suggestion


def wish(wanted: type) -> str:
    """What is wanted, in words."""
    if issubclass(wanted, StrEnum):
        return "one of " + ", ".join(wanted)
    return {bool: "true or false", int: "a whole number", float: "a number"}.get(wanted, "text")


def kind(value: object, *, show: bool) -> str:
    """What stands there, in words; a number or boolean itself only where no secret belongs."""
    match value:
        case bool():
            return str(value).lower() if show else "a boolean"
        case int() | float():
            return f"{value:g}" if isinstance(value, float) and show else str(value) if show else "a number"
        case None:
            return "nothing"
    return "text"


def typed(wanted: type, text: str, rule: Mapping[str, Any]) -> Any:
    """A plain scalar as a boolean, a number or one of an enumeration, within its limits. Raises `Refused`."""
    if issubclass(wanted, StrEnum):
        return _choice(wanted, text)
    value = core(text)
    if wanted is bool:
        return _boolean(value)
    number = _number(wanted, value if (seconds := _duration(text, rule)) is None else seconds)
    low, high = rule.get("minimum"), rule.get("maximum")
    if low is not None and number < low:
        raise Refused("out-of-range", f"must be at least {low:g}, but {number:g} stands here", f"{low:g}")
    if high is not None and number > high:
        raise Refused("out-of-range", f"must be at most {high:g}, but {number:g} stands here", f"{high:g}")
    return number


def _duration(text: str, rule: Mapping[str, Any]) -> float | None:
    return duration(text) if rule.get("duration") else None


def _choice(wanted: type[StrEnum], text: str) -> StrEnum:
    with suppress(ValueError):
        return wanted(text)
    close = get_close_matches(text.lower().replace("_", "-"), list(wanted), n=1)
    hint = f"; did you mean `{close[0]}`?" if close else ""
    raise Refused("unknown-value", f"wants {wish(wanted)}{hint}", close[0] if close else "")


_SAID_OTHERWISE = {
    "yes": "true",
    "on": "true",
    "y": "true",
    "1": "true",
    "no": "false",
    "off": "false",
    "n": "false",
    "0": "false",
}


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    meant = _SAID_OTHERWISE.get(str(value).lower(), "")
    hint = f"; write `{meant}` (in YAML 1.2 `{str(value).lower()}` is not a boolean)" if meant else ""
    raise Refused("wrong-type", f"wants true or false, but {kind(value, show=True)} stands here{hint}", meant)


_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)\Z")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def _number(wanted: type, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        hint, meant = "", ""
        duration = _DURATION.match(value) if isinstance(value, str) else None
        if duration and len(duration[1]) < 10:
            meant = f"{float(duration[1]) * _SECONDS[duration[2]]:g}"
            hint = f"; as a number of seconds that is {meant}"
        raise Refused("wrong-type", f"wants {wish(wanted)}, but {kind(value, show=True)} stands here{hint}", meant)
    if not math.isfinite(value):
        raise Refused("wrong-type", f"wants {wish(wanted)}, but this is not a finite one")
    if wanted is float:
        return value
    if isinstance(value, float):
        whole = f"{value:.0f}" if value.is_integer() and abs(value) < 1e15 else ""
        hint = f"; write {whole}" if whole else ""
        raise Refused("wrong-type", f"wants a whole number, but {value:g} stands here{hint}", whole)
    return value
