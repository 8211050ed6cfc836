"""A call's way past its client's limits: reserve what it may use, then commit what it did."""

from time import time

from aiproxy.clients import Exceeded, Limiter
from aiproxy.clients.limits import Reservation
from aiproxy.clients.told import headers, refusal
from aiproxy.gateway.call import Call


class Admission:
    """`leave` is called in any case; it gives back what `enter` took, if it did."""

    def __init__(self, limiter: Limiter, call: Call) -> None:
        self._limiter = limiter
        self._call = call
        self._reserved: Reservation | None = None

    def enter(self) -> None:
        """Raises `RateLimited`."""
        call, limits = self._call, self._call.client.limits
        if not limits:
            return
        now = time()
        try:
            self._reserved = self._limiter.reserve(limits, call.may_use, now)
        except Exceeded as exceeded:
            error = refusal(exceeded.standing)
            error.headers.update(headers(self._limiter.standings(limits, now)))
            raise error from None
        call.told = headers(self._limiter.standings(limits, now))

    def leave(self) -> None:
        if self._reserved is not None:
            self._limiter.commit(self._reserved, self._used(self._reserved.tokens), time())
            self._reserved = None

    def _used(self, reserved: int) -> int:
        """What the attempts say; all that was reserved where an answer has begun and nobody says, so that leaving early
        spares nothing."""
        said = [attempt.usage for attempt in self._call.record.attempts if attempt.usage is not None]
        if said:
            return sum((usage.input_total or 0) + (usage.output_total or 0) for usage in said)
        return reserved if self._call.committed else 0
