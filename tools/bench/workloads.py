"""The workloads W1 to W10: what is asked, how often, and what is counted."""

from collections.abc import Callable
from dataclasses import dataclass

from bench.answers import BULK_EVENTS, KEY, LARGE, PACED_EVENTS, anthropic_request, on_the_wire, openai_request

Request = Callable[[], bytes]
"""Makes the request as it goes over the wire; one of 8 MB is made only when it is wanted."""


def _openai(model: str, *, stream: bool = True, size: int = 0) -> Request:
    def request() -> bytes:
        body = openai_request(model, stream=stream, size=size)
        return on_the_wire("/v1/chat/completions", body, {"authorization": f"Bearer {KEY}"})

    return request


def _anthropic(model: str) -> Request:
    def request() -> bytes:
        return on_the_wire(
            "/v1/messages", anthropic_request(model), {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
        )

    return request


PACED = _openai("openai-paced")


@dataclass(frozen=True, slots=True)
class Workload:
    """`events` is how many marked events an answer holds; CPU is told per event then, else per request. `connections` ask
    again and again, or once each (`once`), which is how streams are opened that stay; `warm_up` is a shorter request then.
    `translates` leaves out systems that only relay. Without a request only the start is timed."""

    id: str
    title: str
    request: Request | None
    events: int = 0
    connections: int = 64
    once: bool = False
    warm_up: Request | None = None
    translates: bool = False
    tls: bool = False
    workers: int = 1

    @property
    def unit(self) -> str:
        return "event" if self.events else "request"


WORKLOADS = (
    Workload("W1", "relay, 1 KB each way", _openai("openai-whole", stream=False)),
    Workload("W2", "relay, stream of 200 events at once", _openai("openai-bulk"), BULK_EVENTS),
    Workload("W3", "Anthropic client, OpenAI upstream", _anthropic("openai-bulk"), BULK_EVENTS, translates=True),
    Workload("W4", "OpenAI client, Anthropic upstream", _openai("anthropic-bulk"), BULK_EVENTS, translates=True),
    Workload("W5", "OpenAI client, Gemini upstream", _openai("gemini-bulk"), BULK_EVENTS, translates=True),
    Workload(
        "W6",
        "1,000 open streams, each event alone",
        PACED,
        events=PACED_EVENTS,
        connections=1000,
        once=True,
        warm_up=_openai("openai-bulk"),
    ),
    Workload(
        "W6t",
        "the same, translated as W3",
        _anthropic("openai-paced"),
        events=PACED_EVENTS,
        connections=1000,
        once=True,
        warm_up=_anthropic("openai-bulk"),
        translates=True,
    ),
    Workload("W7", "start to the first healthy answer", None),
    Workload("W8", "request of 8 MB", _openai("openai-whole", stream=False, size=LARGE), connections=4),
    Workload("W8q", "request of 8 MB, 100 at once", _openai("openai-whole", stream=False, size=LARGE), connections=100),
    Workload("W8a", "answer of 8 MB, 100 at once", _openai("openai-large", stream=False), connections=100),
    Workload("W9", "W1 over TLS", _openai("openai-whole", stream=False), tls=True),
    Workload("W10", "W1, two workers on two cores", _openai("openai-whole", stream=False), workers=2),
)
