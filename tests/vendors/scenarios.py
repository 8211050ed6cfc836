"""What a stand-in vendor does when asked for a model: told in plain words, rendered by a writer per protocol.

A model's name is its scenario. Names and limits of the public APIs stay out of here."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

Stop = Literal["stop", "length", "calls", "filtered", "refused"]
"""`refused`: the model itself said no, `filtered`: someone else stopped it. Not every vendor tells them apart."""


@dataclass(frozen=True, slots=True)
class Call:
    id: str
    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Thought:
    """What the model thought, and what the vendor must get back with the next turn to go on from there."""

    pieces: tuple[str, ...]
    state: str

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Counts:
    """Tokens. `input` holds the cached ones, `output` those of reasoning."""

    input: int = 19
    output: int = 7
    cached: int = 0
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    pieces: tuple[str, ...] = ()
    thought: Thought | None = None
    calls: tuple[Call, ...] = ()
    stop: Stop = "stop"
    counts: Counts = Counts()

    @property
    def text(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True)
class Failure:
    status: int
    message: str
    retry_after: int | None = None


@dataclass(frozen=True, slots=True)
class Scenario:
    name: str
    first: Answer | Failure
    after_results: Answer | None = None
    breaks: Literal["error", "cut"] | None = None
    """How a stream ends at its middle. A whole answer is never broken."""
    write_size: int | None = None
    """Bytes a write, so that characters fall apart between them. None: an event a write."""

    def answer(self, *, with_results: bool) -> Answer | Failure:
        return self.after_results if with_results and self.after_results else self.first


CALL = Call("call_zurich_1", "get_weather", {"city": "Zürich", "days": 2, "exact": 12345678901234567})
THOUGHT_OF = Call("call_geneva_3", "get_weather", {**CALL.arguments, "city": "Genève"})
"""Not one of another scenario: what was thought is remembered by the call."""

ANOTHER = Call("call_oslo_2", "get_weather", {"city": "Oslo", "days": 1, "exact": 1})
THOUGHT = Thought(
    ("The user ", "asks for ", "the weather."),
    # Bytes that both base64 alphabets spell differently.
    base64.b64encode(b"\xfb\xef\xbe signed by the vendor \xff\xfe\xfd").decode(),
)
SUNNY = Answer(("It ", "is ", "sunny", "."))
OUT_OF_PATIENCE = "Slow down, says the vendor."
BROKEN_INSIDE = "The vendor broke inside."
BREAKS_OFF = "The vendor has a sudden fault."
FIVE_MEGABYTES = 5_000_000

SCENARIOS = {
    scenario.name: scenario
    for scenario in (
        Scenario("plain", Answer(("Hello", ", ", "world", "."))),
        Scenario(
            "unicode",
            Answer(("Grüße — ", "日本語", " 🌍👩‍👩‍👧", " un\u2028ter", "brochen \U0001d11e")),
            write_size=5,
        ),
        Scenario("call", Answer(calls=(CALL,), stop="calls"), SUNNY),
        Scenario("said-and-called", Answer(("Let me ", "see."), calls=(CALL,), stop="calls"), SUNNY),
        Scenario("parallel", Answer(calls=(CALL, ANOTHER), stop="calls"), SUNNY),
        Scenario(
            "thinking",
            Answer(thought=THOUGHT, calls=(THOUGHT_OF,), stop="calls", counts=Counts(output=30, reasoning=20)),
            SUNNY,
        ),
        Scenario("thought-text", Answer(("Yes", "."), thought=THOUGHT, counts=Counts(output=30, reasoning=20))),
        Scenario("structured", Answer(('{"city": "Zü', 'rich", "days": 2}'))),
        Scenario("image", Answer(("A dot", "."))),
        Scenario("cached", Answer(("Again", "."), counts=Counts(input=100, cached=64, output=9))),
        Scenario("length", Answer(("I was ", "going to"), stop="length")),
        Scenario("filtered", Answer(("I must ", "not"), stop="filtered")),
        Scenario("refused", Answer(("I would ", "rather not"), stop="refused")),
        Scenario("status-429", Failure(429, OUT_OF_PATIENCE, retry_after=7)),
        Scenario("status-500", Failure(500, BROKEN_INSIDE)),
        Scenario("error-amid", Answer(("So far, ", "so ", "good ", "it ", "went")), breaks="error"),
        Scenario("cut", Answer(("So far, ", "so ", "good ", "it ", "went")), breaks="cut"),
        Scenario("5-mb", Answer(tuple("0123456789abcdé" * 3000 for _ in range(FIVE_MEGABYTES // 48_000 + 1)))),
    )
}


def unbroken(scenario: Scenario) -> Scenario:
    return replace(scenario, breaks=None)
