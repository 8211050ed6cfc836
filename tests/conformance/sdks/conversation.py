"""What every official SDK is asked in the same way, and what its users get to see, in words of no protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Protocol

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082"
)

TOOL = "get_weather"
DESCRIPTION = "Weather of a city"
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}, "exact": {"type": "integer"}},
    "required": ["city"],
}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
KEY = "client-key-of-the-conformance-tests"


@dataclass(frozen=True, slots=True)
class Question:
    text: str = "How is the weather?"
    instructions: str = "Be brief."
    tools: bool = False
    thinks: bool = False
    structured: bool = False
    image: bool = False


@dataclass(frozen=True, slots=True)
class CallSeen:
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Usage:
    """None: the SDK showed no number."""

    input: int | None = None
    output: int | None = None
    cached: int | None = None
    reasoning: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    pieces: tuple[str, ...]
    finish: str
    usage: Usage
    thought: str = ""
    calls: tuple[CallSeen, ...] = ()
    warnings: str = ""
    """What the gateway says it could not carry over."""

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass
class Failed(Exception):
    """What the SDK raised, or ended its stream with. `status` None: the answer had begun, or the connection broke."""

    status: int | None
    message: str
    retry_after: float | None = None
    pieces: list[str] = field(default_factory=list)
    """Of text, before the failure."""


class Conversation(Protocol):
    """Two turns at most: what is asked, and what the called tools answer."""

    def ask(self) -> Seen: ...

    def give(self, results: Sequence[str]) -> Seen:
        """A result for each call, in their order."""

    def close(self) -> None: ...


class Headers:
    """Of the last answer, by a hook of the SDK's HTTP client. `begun` is set when an answer begins."""

    def __init__(self, begun: Event) -> None:
        self.last: Mapping[str, str] = {}
        self._begun = begun

    def hook(self, response: Any) -> None:
        self.last = response.headers
        self._begun.set()

    @property
    def warnings(self) -> str:
        return self.last.get("x-aiproxy-warnings", "")


def seconds(headers: Mapping[str, str] | None) -> float | None:
    found = (headers or {}).get("retry-after")
    return None if found is None else float(found)
