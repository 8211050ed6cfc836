"""What is pushed, and where the script's fault falls into it. Pure: events in, steps out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto

from aiproxy.providers.demo.script import Script
from aiproxy.providers.demo.wire import error_body, event

SCRIPTED = "The demo failed here because the model's name says so."


@dataclass(frozen=True, slots=True)
class Send:
    """Bytes to push. `tokens` is how many of the speed's tokens they hold: a stream waits for those alone."""

    data: bytes
    tokens: int = 0


class Stop(Enum):
    """An end other than the good one, which is the end of the steps."""

    CUT = auto()
    STALL = auto()


Step = Send | Stop


def spoil_stream(script: Script, events: Iterable[Send]) -> Iterator[Step]:
    sent = 0
    for step in events:
        if (ending := _ending(script, sent)) is not None:
            yield from ending
            return
        sent += 1
        yield Send(event(b'{"malformed": '), step.tokens) if sent == script.malformed else step
    yield from _ending(script, sent) or ()


def _ending(script: Script, sent: int) -> tuple[Step, ...] | None:
    """The last steps, when they follow `sent` events."""
    match sent:
        case script.cut:
            return (Stop.CUT,)
        case script.stall:
            return (Stop.STALL,)
        case script.short:
            return ()
        case script.error:
            return (Send(event(error_body(500, SCRIPTED))),)
        case _:
            return None


def spoil_whole(script: Script, body: bytes) -> Iterator[Step]:
    """The same for an answer that isn't streamed: a fault strikes before the body, or in its middle."""
    if script.error is not None:
        body = error_body(500, SCRIPTED)
    elif script.malformed is not None:
        body = body[:-1]
    for place, ending in ((script.cut, (Stop.CUT,)), (script.stall, (Stop.STALL,)), (script.short, ())):
        if place is not None:
            if place > 0:
                yield Send(body[: len(body) // 2])
            yield from ending
            return
    yield Send(body)
