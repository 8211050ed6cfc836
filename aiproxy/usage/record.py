"""The record of a call and of its attempts. Times are seconds of the gateway's clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

from aiproxy.neutral.usage import Usage
from aiproxy.usage.trace import Trace


class Outcome(StrEnum):
    COMPLETE = "complete"
    FAILED = "failed"
    """Before the first byte: the client got an error answer, or another attempt took over."""
    CUT = "cut"
    """After the first byte: the client's stream ended with an error."""
    CANCELLED = "cancelled"
    """The client left."""


class Passed(NamedTuple):
    """A candidate that was passed over: busy, tried, disabled, or resting after an error of this kind, until then."""

    account: str
    model: str
    why: str
    until: float | None = None


class Choice(NamedTuple):
    """Who was taken for an attempt (`account` "": nobody could be), why, in which stage of the call, after how long a wait;
    and who was passed over."""

    at: float
    account: str
    model: str
    why: str
    stage: str
    waited: float
    passed: tuple[Passed, ...]
    more: int = 0
    """How many besides, where those are not all."""


class Attempt(NamedTuple):
    """One try at one account. `error` is the kind of what went wrong."""

    account: str
    provider: str
    model: str
    started: float
    ended: float
    outcome: Outcome
    error: str = ""
    upstream_status: int | None = None
    usage: Usage | None = None
    estimated: bool = False
    """Nobody said what was used: `usage` is our estimate."""
    cost: float | None = None
    """US dollars by the prices of the version `prices`; None where there is no price, or nobody knows what was used."""
    prices: str = ""


@dataclass(slots=True)
class CallRecord:
    """One client request, filled while it runs."""

    request_id: str
    started: float
    client: str = ""
    tags: tuple[str, ...] = ()
    """The client's teams and projects."""
    protocol: str = ""
    operation: str = ""
    model: str = ""
    session: str = ""
    """What the conversation is known by."""
    trace: Trace | None = None
    """Its place in a distributed trace."""
    streamed: bool = False
    attempts: list[Attempt] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    rewritten: int = 0
    """How many requests in the upstream's own protocol did not pass as they came: the operator's rules or prompt, or what this
    upstream wants said otherwise, had them written anew."""
    warnings: tuple[str, ...] = ()
    """What the translation of the answer's attempt lost (`drop:seed`, …)."""
    continued: bool = False
    """Whether an answer that broke off went on at another account."""
    first_byte: float | None = None
    ended: float | None = None
    outcome: Outcome | None = None
    error: str = ""
    """The kind of the error the client was told."""

    @property
    def named(self) -> Mapping[str, Any]:
        """Fields of a line of the log that is about this call."""
        return {"request_id": self.request_id, **(self.trace.named if self.trace else {})}

    @property
    def provider(self) -> str:
        return self.attempts[-1].provider if self.attempts else ""
