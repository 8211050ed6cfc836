"""A model's name is a script: what to answer, and how to go wrong.

    NAME { "@" OPTION [ "=" VALUE ] }        for one, demo-echo@latency=2@cut=5

    demo, demo-story    a short fixed text
    demo-echo           the text of the last message
    demo-embed          embeddings: small vectors that depend on the text alone

    @latency=SECONDS        wait between the headers and the first event
    @tps=N                  tokens per second of a stream; 0 is as fast as it goes
    @words=N                repeat or cut the text to this many tokens
    @tool                   call the first tool that is offered
    @refuse                 refuse the connection
    @slow-headers=SECONDS   wait before the headers
    @status=CODE            answer this error, 400 to 599
    @retry-after=SECONDS    with a Retry-After of this
    @cut=N                  lose the connection after N events; 0 is before the first
    @stall=N                say nothing more after N events
    @short=N                end cleanly after N events, without finish and [DONE]
    @error=N                send an error event after N events, and end
    @malformed=N            event N is not JSON; the first is 1
    @first=N                only the first N requests with this very name go wrong, later ones don't

An event is one SSE `data:` line; `[DONE]` is the last. In a whole (not streamed) answer a fault at 0 strikes before the
body, a later one in its middle; an error or a malformed event replaces the body, and the status remains 200.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from aiproxy.config.schema import Demo
from aiproxy.neutral.errors import InvalidRequest, NotFound

LONGEST_WAIT = 3600.0
"""Seconds of any wait: an hour outlasts every deadline worth rehearsing."""

MOST_EVENTS = 1_000_000
"""Events or words a script may name; more is a typing error."""


class Kind(StrEnum):
    STORY = "demo-story"
    ECHO = "demo-echo"
    EMBED = "demo-embed"


KINDS: Mapping[str, Kind] = {"demo": Kind.STORY} | {kind.value: kind for kind in Kind}
MODELS: tuple[str, ...] = tuple(KINDS)
"""The names a model list shows; options after them make more."""


@dataclass(frozen=True, slots=True)
class Script:
    """Fields are the options of the module's table; None means that it doesn't happen."""

    kind: Kind
    latency: float = 0.0
    tps: float = 0.0
    words: int | None = None
    tool: bool = False
    refuse: bool = False
    slow_headers: float = 0.0
    status: int | None = None
    retry_after: float | None = None
    cut: int | None = None
    stall: int | None = None
    short: int | None = None
    error: int | None = None
    malformed: int | None = None
    first: int | None = None

    def recovered(self) -> "Script":
        """The same without anything that goes wrong: how it plays once `first` requests have failed."""
        return replace(
            self,
            refuse=False,
            slow_headers=0.0,
            status=None,
            retry_after=None,
            cut=None,
            stall=None,
            short=None,
            error=None,
            malformed=None,
        )


def is_demo(model: str) -> bool:
    """Whether the name is ours to read. It may still hold a mistake, which `read_script` explains."""
    name = model.partition("@")[0]
    return name == "demo" or name.startswith("demo-")


def read_script(model: str, demo: Demo) -> Script:
    """Raises `NotFound` for an unknown name and `InvalidRequest` for an option that can't be read."""
    name, *options = model.split("@")
    if name not in KINDS:
        raise NotFound(
            f"The demo has no model {name!r}; it has {', '.join(MODELS)}.", code="model_not_found", param="model"
        )
    values: dict[str, Any] = {"latency": demo.latency, "tps": demo.tokens_per_second}
    seen: set[str] = set()
    for option in options:
        key, _, text = option.partition("=")
        if key not in OPTIONS:
            raise _refused(f"The demo has no option {key!r}; it has {', '.join(OPTIONS)}.")
        if key in seen:
            raise _refused(f"Option {key!r} stands twice in the model's name.")
        seen.add(key)
        try:
            values[key.replace("-", "_")] = OPTIONS[key](text)
        except ValueError as error:
            raise _refused(f"Option {key!r} of the model's name must be {error}; it is {text!r}.") from None
    if "retry-after" in seen and "status" not in seen:
        raise _refused("Option 'retry-after' needs 'status', as in demo-echo@status=429@retry-after=7.")
    return Script(KINDS[name], **values)


def _refused(message: str) -> InvalidRequest:
    return InvalidRequest(message, code="invalid_value", param="model")


def _number(text: str, convert: Callable[[str], float], low: float, high: float, words: str) -> Any:
    try:
        value = convert(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        raise ValueError(words)
    return value


def _seconds(text: str) -> Any:
    return _number(text, float, 0, LONGEST_WAIT, f"seconds, 0 to {LONGEST_WAIT:g}")


def _rate(text: str) -> Any:
    return _number(text, float, 0, MOST_EVENTS, f"a number, 0 to {MOST_EVENTS}")


def _count(text: str) -> Any:
    return _number(text, int, 0, MOST_EVENTS, f"a whole number, 0 to {MOST_EVENTS}")


def _ordinal(text: str) -> Any:
    return _number(text, int, 1, MOST_EVENTS, f"a whole number, 1 to {MOST_EVENTS}")


def _status(text: str) -> Any:
    return _number(text, int, 400, 599, "an HTTP status, 400 to 599")


def _flag(text: str) -> Any:
    if text:
        raise ValueError("without a value")
    return True


OPTIONS: Mapping[str, Callable[[str], Any]] = {
    "latency": _seconds,
    "tps": _rate,
    "words": _ordinal,
    "tool": _flag,
    "refuse": _flag,
    "slow-headers": _seconds,
    "status": _status,
    "retry-after": _seconds,
    "cut": _count,
    "stall": _count,
    "short": _count,
    "error": _count,
    "malformed": _ordinal,
    "first": _ordinal,
}
