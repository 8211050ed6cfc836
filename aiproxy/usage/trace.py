"""A call's place in a distributed trace, by W3C Trace Context (https://www.w3.org/TR/trace-context/): read from the request,
told to upstreams. Pure: new ids are handed in."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

PARENT = "traceparent"
STATE = "tracestate"

SAMPLED = 0x01
"""The flag by which a caller says that it records."""

MOST_MEMBERS = 32
"""Of `tracestate`, by the specification."""

_PARENT = re.compile(
    r"(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)
_MEMBER = re.compile(
    r"([a-z0-9][a-z0-9_\-*/@]{0,255})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)


@dataclass(frozen=True, slots=True)
class Trace:
    """Ids in lower-case hexadecimal. `parent` is the caller's span, "" for none; `span` our own of the call, "" where the
    call isn't recorded; `state` is what other systems want passed on."""

    id: str
    parent: str
    flags: int
    state: str = ""
    span: str = ""

    @property
    def named(self) -> Mapping[str, str]:
        """Fields of a line of the log, by which it is found from the trace, and the trace from it; `span_id` where there is such a span."""
        return {"trace_id": self.id, "span_id": self.span} if self.span else {"trace_id": self.id}

    def attempt(self, number: int) -> str:
        """The span of the call's first, second, … attempt: its own id follows from the call's."""
        return f"{(int(self.span, 16) + number) % (1 << 64) or 1:016x}"

    def headers(self, number: int) -> Mapping[str, str]:
        """What this attempt's upstream is told. A call that isn't recorded names its caller."""
        span = self.attempt(number) if self.span else self.parent
        told = {PARENT: f"00-{self.id}-{span}-{self.flags:02x}"}
        return {**told, STATE: self.state} if self.state else told


def begin(headers: Mapping[str, str], share: float | None, new: Callable[[int], str]) -> Trace | None:
    """The caller decides whether a call is recorded; where it says nothing, `share` of all calls are, None for never, not
    even those of which it does. `new` gives so many random bytes in hexadecimal."""
    parent = read(headers)
    if share is None:
        return parent
    if parent is not None:
        return replace(parent, span=new(8)) if parent.flags & SAMPLED else parent
    trace = new(16)
    if int(trace[16:], 16) < share * (1 << 64):
        return Trace(trace, "", SAMPLED, span=new(8))
    return Trace(trace, new(8), 0)


def read(headers: Mapping[str, str]) -> Trace | None:
    """None where there is no `traceparent`, or one that the specification says to ignore."""
    told = headers.get(PARENT)
    found = _PARENT.fullmatch(told.strip()) if told else None
    if found is None or found["version"] == "ff" or (found["version"] == "00" and found["more"]):
        return None
    if not (int(found["trace"], 16) and int(found["span"], 16)):
        return None
    return Trace(found["trace"], found["span"], int(found["flags"], 16) & SAMPLED, _state(headers.get(STATE, "")))


def _state(told: str) -> str:
    """As it came, without empty members; "" for what can't be read."""
    members = [each.strip(" \t") for each in told.split(",") if each.strip(" \t")]
    read = [_MEMBER.fullmatch(each) for each in members]
    names = {found[1] for found in read if found}
    return ",".join(members) if len(names) == len(members) <= MOST_MEMBERS else ""
