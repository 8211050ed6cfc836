"""A call's way past its client's limits: reserve what it may use, then commit what it did."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from math import ceil
from time import time

from aiproxy.catalogue.globs import matches
from aiproxy.clients import Exceeded, Limiter, OutOfSlice
from aiproxy.clients.limits import MICRO, Counts, Limited, Reservation, TallyKey
from aiproxy.clients.told import headers, refusal
from aiproxy.gateway.call import Call
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.neutral.errors import RateLimited

MOST_REFILLS = 3
"""Times a call asks for a larger slice: others that wait may take what came."""

Refill = Callable[[Mapping[TallyKey, int]], Awaitable[None]]
"""Asks for larger slices of limits that several processes share, so much each; done when the answer is known."""


async def no_refill(_asked: Mapping[TallyKey, int]) -> None: ...


class Admission:
    """`leave` is called in any case; it gives back what `enter` took, if it did."""

    def __init__(self, limiter: Limiter, call: Call, snapshot: Snapshot, refill: Refill = no_refill) -> None:
        self._limiter = limiter
        self._call = call
        self._snapshot = snapshot
        self._refill = refill
        self._reserved: Reservation | None = None

    async def enter(self) -> None:
        """Raises `RateLimited`. Waits only for a slice of a shared limit."""
        limits = self.limits
        if not limits:
            return
        for _ in range(MOST_REFILLS):
            try:
                self._reserve(limits)
                return
            except OutOfSlice as dry:
                await self._refill(dry.asked)
        raise RateLimited("What is left of this key's limits is with the gateway's other processes.", retry_after=1)

    @property
    def limits(self) -> Sequence[Limited]:
        call, common = self._call, self._snapshot.model_limits
        if not common and not any(each.models for each in call.client.limits):
            return call.client.limits
        everything = (*call.client.limits, *common)
        return [each for each in everything if not each.models or matches(call.model, each.models)]

    def leave(self) -> None:
        if self._reserved is not None:
            tokens, micro_usd = self._used(self._reserved)
            self._limiter.commit(self._reserved, tokens, time(), micro_usd)
            self._reserved = None

    def _reserve(self, limits: Sequence[Limited]) -> None:
        call, now = self._call, time()
        dollars = any(limit.counts is Counts.MICRO_USD for each in limits for limit in each.limits)
        try:
            reserved = self._limiter.reserve(limits, sum(call.may_use), now, self._most_micro_usd() if dollars else 0)
        except Exceeded as exceeded:
            error = refusal(exceeded)
            error.headers.update(headers(self._limiter.standings(limits, now)))
            raise error from None
        self._reserved = reserved
        call.told = headers(self._limiter.standings(limits, now))

    def _most_micro_usd(self) -> int:
        """By the dearest of the models it may be served by; what has no price costs nothing here."""
        call, snapshot = self._call, self._snapshot
        models = {
            (snapshot.upstreams[account].provider.name, served.name)
            for step in snapshot.catalogue.plan(call.model, call.provider, snapshot.reach(call.client))
            for account, several in step.served.items()
            for served in several
        }
        prices = (snapshot.prices.price(*each) for each in models)
        return ceil(max((price.most(*call.may_use) for price in prices if price), default=0.0) * MICRO)

    def _used(self, reserved: Reservation) -> tuple[int, int]:
        """What the attempts say, in tokens and micro-dollars; all that was reserved where an answer has begun and nobody
        says, so that leaving early spares nothing."""
        said = [attempt for attempt in self._call.record.attempts if attempt.usage is not None]
        if said:
            usages = [attempt.usage for attempt in said if attempt.usage is not None]
            tokens = sum((usage.input_total or 0) + (usage.output_total or 0) for usage in usages)
            return tokens, round(sum(attempt.cost or 0.0 for attempt in said) * MICRO)
        return (reserved.tokens, reserved.micro_usd) if self._call.committed else (0, 0)
