"""What a supervisor leaves to the next image of its process: all that outlives `exec`, so that what is installed now goes on where the
former code stopped. The process's id stays, and with it the workers, who are its children.

What is left goes by the environment, once to a rehearsal, which is another process, and then to the image itself. A version that doesn't
understand it says so at the rehearsal."""

import os
import signal
from collections.abc import Iterable, MutableMapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NoReturn

import orjson

VARIABLE = "AIPROXY_SUCCESSION"

HELD = (signal.SIGHUP, signal.SIGUSR2, signal.SIGTERM, signal.SIGINT)
"""Signals that wait from before `exec` until the new image takes them: by default each of them would end it."""

AGAIN_SECONDS = 1.0
"""Between attempts to start of an image that has workers already."""


@dataclass(frozen=True, slots=True)
class LeftWorker:
    """`lifeline` is our end of its lifeline, a descriptor; `age` is in seconds."""

    pid: int
    lifeline: int
    age: float


@dataclass(frozen=True, slots=True)
class LeftSlot:
    number: int
    pause: float
    worker: LeftWorker | None
    predecessors: tuple[LeftWorker, ...]

    @property
    def workers(self) -> Sequence[LeftWorker]:
        return (*((self.worker,) if self.worker is not None else ()), *self.predecessors)


@dataclass(frozen=True, slots=True)
class Succession:
    """`listening` and `metrics` are the descriptors of sockets; `directory` and `session_key` are what the workers share; `pidfile` is to
    be removed at the end."""

    listening: int
    metrics: int | None
    directory: str
    session_key: str = field(repr=False)
    pidfile: str
    slots: tuple[LeftSlot, ...]
    rehearsal: bool = False
    """Nothing is left in truth: whoever gets this shows that it could go on with it, and ends."""

    @property
    def descriptors(self) -> Sequence[int]:
        lifelines = [worker.lifeline for slot in self.slots for worker in slot.workers]
        return [self.listening, *([self.metrics] if self.metrics is not None else []), *lifelines]

    def encoded(self) -> str:
        return orjson.dumps(self).decode()


def decoded(text: str) -> Succession:
    """Raises `ValueError` for what another version has left in other words."""
    try:
        told = orjson.loads(text)
        slots = tuple(
            LeftSlot(slot["number"], slot["pause"], _worker(slot["worker"]), tuple(_workers(slot["predecessors"])))
            for slot in told.pop("slots")
        )
        return Succession(slots=slots, **told)
    except (TypeError, KeyError, ValueError) as error:
        raise ValueError(f"what the former supervisor has left is of another version: {error!r}") from None


def _worker(told: Any) -> LeftWorker | None:
    return None if told is None else LeftWorker(**told)


def _workers(told: Iterable[Any]) -> Iterable[LeftWorker]:
    return (LeftWorker(**each) for each in told)


def take(environ: MutableMapping[str, str]) -> Succession | None:
    """What was left to us, for once: it is nothing for our workers. Raises `ValueError`."""
    text = environ.pop(VARIABLE, None)
    if text is None:
        return None
    left = decoded(text)
    if not left.rehearsal:
        for each in left.descriptors:
            os.set_inheritable(each, False)
    return left


def has_workers(environ: MutableMapping[str, str]) -> bool:
    """Whether we are an image that must not end for what may pass, since workers would end with it."""
    with suppress(KeyError, ValueError):
        return not decoded(environ[VARIABLE]).rehearsal
    return False


def leave(command: Sequence[str], left: Succession, environ: MutableMapping[str, str]) -> NoReturn:
    """Become `command`. Raises `OSError` where that can't be, and nothing has changed then."""
    for each in left.descriptors:
        os.set_inheritable(each, True)
    try:
        os.execve(command[0], [*command], {**environ, VARIABLE: left.encoded()})  # noqa: S606 - our own interpreter
    except OSError:
        for each in left.descriptors:
            os.set_inheritable(each, False)
        raise


def hold_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, HELD)


def release_signals() -> None:
    """They are ours to take now."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)


def asked_to_stop_within(seconds: float) -> bool:
    """While signals are held."""
    return signal.sigtimedwait((signal.SIGTERM, signal.SIGINT), seconds) is not None
