"""What Ollama's clients are told of time is what the clock says."""

from collections.abc import Iterable
from typing import Any, cast

from twisted.internet.task import Clock

from aiproxy.codecs.ollama.times import durations
from aiproxy.gateway.relay import Head, Setting
from aiproxy.gateway.sources import TimedSource
from aiproxy.gateway.stopwatch import Stopwatch
from aiproxy.neutral.events import ResponseFinished, ResponseStarted, StreamEvent, TextDelta
from aiproxy.neutral.timing import Timing


class Script:
    """A source whose bytes are names of events."""

    ended = False

    def feed(self, data: bytes) -> Iterable[StreamEvent]:
        events: dict[bytes, StreamEvent] = {
            b"start": ResponseStarted("r", "m"),
            b"word": TextDelta(0, "w"),
            b"end": ResponseFinished(),
        }
        return [events[data]]

    def close(self, *, clean: bool) -> Iterable[StreamEvent]:
        return ()


def setting(clock: Clock, *, received: float, sent: float) -> Setting:
    class Record:
        started = received

    class Call:
        record = Record

    return Setting(cast(Any, Call), cast(Any, None), Head(200, {}, {}, sent), clock, 0, cast(Any, str))


def test_each_phase_is_measured() -> None:
    clock = Clock()
    clock.advance(100)
    source = TimedSource(Script(), Stopwatch(setting(clock, received=99.5, sent=99.75)))
    for seconds, data in ((0.25, b"start"), (1, b"word"), (2, b"word"), (3, b"word")):
        clock.advance(seconds)
        list(source.feed(data))
    clock.advance(0.5)
    (end,) = source.feed(b"end")
    assert end == ResponseFinished(timing=Timing(before=0.25, waiting=1.5, telling=5.5))
    assert durations(end.timing) == {
        "total_duration": 7_250_000_000,
        "load_duration": 250_000_000,
        "prompt_eval_duration": 1_500_000_000,
        "eval_duration": 5_500_000_000,
    }


def test_nothing_takes_no_time() -> None:
    assert min(durations(Timing(0, 0, 0)).values()) == 1
    assert durations(None) == {}
