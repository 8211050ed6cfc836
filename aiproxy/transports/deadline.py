"""A deadline that is moved far more often than it is met: at every read of a connection, at every request."""

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorTime


class Deadline:
    """Moving it on, or lifting it, only notes a number; the one timer looks at that number when it rings."""

    __slots__ = ("_at", "_clock", "_expired", "_rings", "_timer")

    def __init__(self, clock: IReactorTime, expired: Callable[[], object]) -> None:
        self._clock = clock
        self._expired = expired
        self._at: float | None = None
        self._timer: IDelayedCall | None = None
        self._rings = 0.0

    def set(self, seconds: float) -> None:
        """`expired` is called so many seconds from now, unless it is set again or lifted before."""
        self._at = at = self._clock.seconds() + seconds
        if self._timer is None:
            self._rings = at
            self._timer = self._clock.callLater(seconds, self._rang)
        elif at < self._rings:
            self._rings = at
            self._timer.reset(seconds)

    def lift(self) -> None:
        self._at = None

    def stop(self) -> None:
        """For good: no timer is left behind, and nobody is held, who would be held in a ring."""
        self._at = None
        self._expired = _nobody
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _rang(self) -> None:
        self._timer = None
        if self._at is None:
            return
        left = self._at - self._clock.seconds()
        if left > 0:
            self._rings = self._at
            self._timer = self._clock.callLater(left, self._rang)
        else:
            self._at = None
            self._expired()


def _nobody() -> None: ...
