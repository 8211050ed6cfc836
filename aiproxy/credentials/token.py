"""A login whose requests bear a token for a while: asked for when it is needed, kept, and renewed before it ends."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from aiproxy.credentials.base import Headers, Way
from aiproxy.neutral.errors import GatewayError, UpstreamFailed
from aiproxy.secrets import Secret

LEAD_SECONDS = 300.0
"""How long before its end a token is renewed: longer than any call waits for its answer to begin, and time enough for a
token endpoint that is out for minutes."""

LEAD_SHARE = 0.25
"""Largest share of a token's life that the lead may be, so that a short-lived one isn't asked for at each call."""

PATIENCE_SECONDS = 15.0
"""Longest wait for a token: real endpoints take a fifth of a second, and a client waits all the while."""

AGAIN_SECONDS = 30.0
"""Between tries to renew a token that is still good, after one has failed."""


@dataclass(frozen=True, slots=True)
class Token:
    """`lifetime` is seconds from now."""

    access: Secret
    lifetime: float


class Grant(Hashable, Protocol):
    """Who logs in, and how a token is had for it. A value: what it compares equal to is the same login.

    One whose own secret changes (a refresh token that is single use) keeps it before `ask` returns; `ask` is never called
    twice at a time."""

    @property
    def identity(self) -> str:
        """A digest of the login, the same in every process and after every change of its secret."""

    async def ask(self, way: Way) -> Token:
        """Raises `CredentialRefused` or another `UpstreamFailed`. May be cancelled."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """Times are the clock's."""

    headers: Headers
    due: float
    end: float


class TokenCredential:
    """A `Credential` by grant. However many calls want a token, it is asked for once, and for as long as one of them waits."""

    def __init__(self, grant: Grant) -> None:
        self.grant = grant
        self._kept: _Kept | None = None
        self._not_before = 0.0
        self._asked: Deferred[None] | None = None
        self._waiting: list[Deferred[Headers]] = []

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TokenCredential) and self.grant == other.grant

    def __hash__(self) -> int:
        return hash(self.grant)

    @property
    def identity(self) -> str:
        return self.grant.identity

    async def sign(self, way: Way) -> Headers:
        kept, now = self._kept, way.clock.seconds()
        if kept is None or now >= kept.end:
            return await self._next(way)
        if now < kept.due or now < self._not_before or self._asked is not None:
            return kept.headers
        try:
            return await self._next(way)
        except GatewayError:
            return kept.headers  # good until its end, whatever ails the endpoint

    def refused(self, headers: Headers) -> bool:
        """The token ended before its time, or was withdrawn. Another call may have got a new one already."""
        if self._kept is not None and self._kept.headers == headers:
            self._kept = None
        return True

    def _next(self, way: Way) -> Deferred[Headers]:
        waiting: Deferred[Headers] = Deferred(self._left)
        self._waiting.append(waiting)
        if self._asked is None:
            self._ask(way)
        return waiting

    def _ask(self, way: Way) -> None:
        asked = Deferred.fromCoroutine(self.grant.ask(way))
        asked.addTimeout(PATIENCE_SECONDS, way.clock, lambda _, seconds: _late(way, seconds))
        self._asked = settled = asked.addCallbacks(
            self._got, self._failed, callbackArgs=(way.clock,), errbackArgs=(way.clock,)
        )
        if settled.called:
            self._asked = None

    def _got(self, token: Token, clock: IReactorTime) -> None:
        now, lead = clock.seconds(), min(LEAD_SECONDS, LEAD_SHARE * token.lifetime)
        headers = (("authorization", f"Bearer {token.access.reveal()}"),)
        self._kept = _Kept(headers, now + token.lifetime - lead, now + token.lifetime)
        for waiting in self._served():
            waiting.callback(headers)

    def _failed(self, failure: Failure, clock: IReactorTime) -> None:
        self._not_before = clock.seconds() + AGAIN_SECONDS
        for waiting in self._served():
            # Each call adds to its error; a bug of ours is told to all as it is.
            told = Failure(replace(failure.value)) if isinstance(failure.value, GatewayError) else failure
            waiting.errback(told)

    def _served(self) -> list[Deferred[Headers]]:
        self._asked = None
        waited, self._waiting = self._waiting, []
        return waited

    def _left(self, waiting: Deferred[Headers]) -> None:
        """A call was cancelled; with the last of them goes the question."""
        if waiting in self._waiting:
            self._waiting.remove(waiting)
        if not self._waiting and self._asked is not None:
            self._asked.cancel()


def _late(way: Way, seconds: float) -> Failure:
    told = f"The token endpoint of the account {way.account!r} gave no token within {seconds:g} s."
    return Failure(UpstreamFailed(told))
