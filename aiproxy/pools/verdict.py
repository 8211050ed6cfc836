"""Whom a failure blames, whether another account is worth a try, and how long the blamed one rests at first. Pure.

What the kind of an error says is corrected by the provider's table, and that by the operator's rules; of each table the
first row that fits speaks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from re import Pattern

from aiproxy.neutral import errors
from aiproxy.neutral.errors import GatewayError

FIRST_REST = 1.0
"""Seconds. Outlasts a token bucket's refill; CLIProxyAPI starts there too."""

FIRST_REST_REFUSED = 60.0
"""Seconds. A key that was refused doesn't heal by itself; a minute lets an operator's fix count soon."""

FIRST_REST_UNKNOWN_MODEL = 600.0
"""Seconds. Vendors add models a few times a month; asking each account again every ten minutes finds them soon enough."""


class Scope(StrEnum):
    """What a failure says something about."""

    REQUEST = "request"
    """The request itself: no account would do better."""
    MODEL = "model"
    """This model at this account."""
    ACCOUNT = "account"
    """The account, with all its models."""
    PROVIDER = "provider"
    """This model at the provider, whichever account asks; believed when a second account finds the same."""
    NETWORK = "network"
    """The way to an address; believed of all accounts there when a second one finds the same."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`stops`: the client is told at once, nobody else is tried. `cools`: who is blamed rests, for `rest` seconds at first
    where the upstream names no time."""

    scope: Scope
    stops: bool = False
    cools: bool = True
    rest: float = FIRST_REST


@dataclass(frozen=True, slots=True)
class FaultRule:
    """A row of a table. It fits a failure that has all it names: one of `statuses` (the upstream's, or for an error inside
    a 200 what it amounts to), one of `words` (lower case) or `patterns` in what the upstream said, all of `headers`.
    What it says nothing of (None) stays as it was."""

    statuses: frozenset[int] = frozenset()
    words: tuple[str, ...] = ()
    patterns: tuple[Pattern[str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    scope: Scope | None = None
    stops: bool | None = None
    cools: bool | None = None
    rest: float | None = None

    def fits(self, error: GatewayError) -> bool:
        if self.statuses and not self.statuses & {error.upstream_status, error.status}:
            return False
        said = error.said
        if any(value != (said.headers.get(name, "") if said else "") for name, value in self.headers.items()):
            return False
        if not (self.words or self.patterns):
            return True
        text = said.text if said else error.message
        lower = text.lower()
        return any(word in lower for word in self.words) or any(pattern.search(text) for pattern in self.patterns)

    def correct(self, verdict: Verdict) -> Verdict:
        scope, stops, cools = verdict.scope, verdict.stops, verdict.cools
        if self.scope is not None:
            scope = self.scope
            stops, cools = scope is Scope.REQUEST, scope is not Scope.REQUEST
        stops = stops if self.stops is None else self.stops
        cools = cools if self.cools is None else self.cools
        if cools and scope is Scope.REQUEST:
            scope = Scope.MODEL  # something has to rest
        return Verdict(scope, stops, cools, self.rest or verdict.rest)


_THE_REQUEST = Verdict(Scope.REQUEST, stops=True, cools=False)


def by_kind(error: GatewayError) -> Verdict:
    """What the kind of an error says by itself."""
    match error:
        case errors.CredentialRefused() | errors.Billing():
            return Verdict(Scope.ACCOUNT, rest=FIRST_REST_REFUSED)
        case errors.QuotaExhausted():
            return Verdict(Scope.ACCOUNT)
        case errors.NotFound(code="model_not_found"):
            return Verdict(Scope.MODEL, rest=FIRST_REST_UNKNOWN_MODEL)
        case errors.Unreachable() | errors.ConnectTimeout():
            return Verdict(Scope.NETWORK)
        case errors.Overloaded():
            return Verdict(Scope.PROVIDER)
        case errors.RateLimited() | errors.Timeout() | errors.UpstreamFailed() | errors.UpstreamServerError():
            return Verdict(Scope.MODEL)
        case _:
            return _THE_REQUEST


def judge(error: GatewayError, *tables: Sequence[FaultRule]) -> Verdict:
    """`tables` in the order in which they correct one another."""
    verdict = by_kind(error)
    for table in tables:
        for rule in table:
            if rule.fits(error):
                verdict = rule.correct(verdict)
                break
    return verdict


@dataclass(frozen=True, slots=True)
class Judge:
    """`judge` with an account's own tables: its provider's, then the operator's. One that doesn't cool never rests."""

    tables: tuple[Sequence[FaultRule], ...] = ()
    cools: bool = True

    def __call__(self, error: GatewayError) -> Verdict:
        verdict = judge(error, *self.tables)
        return verdict if self.cools else replace(verdict, cools=False)


JUDGE = Judge()
"""Goes by an error's kind alone."""
