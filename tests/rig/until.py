"""Waiting for what another process does: by looking, not by guessing how long it takes."""

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds before a test that waits gives up. None passes by it."""

LOOK_EVERY = 0.02
"""Seconds."""


def until(look: Callable[[], T], wanted: Callable[[T], object] = bool) -> T:
    """What is seen, once it is what is wanted."""
    given_up = monotonic() + PATIENCE
    while not wanted(found := look()):
        assert monotonic() < given_up, found
        sleep(LOOK_EVERY)
    return found
