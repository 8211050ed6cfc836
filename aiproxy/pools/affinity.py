"""Which account a conversation is bound to, so that the prompt cache it has filled there is used again. Pure.

A binding slides: each use keeps it for another lifetime. It is not undone while its account is only busy; whoever finds
the account resting binds the conversation anew. What a conversation is known by is not decided here."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

MOST_SESSIONS = 50_000
"""Conversations that are remembered, the longest unused forgotten first: 15 MB at most, and a day's for a large team."""

Candidate = tuple[str, str]
"""An account's id and what its upstream calls the model."""


@dataclass(frozen=True, slots=True)
class Bound:
    """A binding, as it is kept outside the process too: there `account` is the account's identity, and `until` is in
    seconds since the epoch."""

    session: str
    account: str
    model: str
    until: float


class Bindings:
    """`lifetime` is seconds, 0 for none at all."""

    def __init__(self) -> None:
        self.lifetime = 0.0
        self._bound: OrderedDict[str, Bound] = OrderedDict()

    def find(self, session: str, now: float) -> Candidate | None:
        found = self._bound.get(session)
        return (found.account, found.model) if found is not None and now < found.until else None

    def bind(self, session: str, candidate: Candidate, now: float) -> None:
        """Bind a session, or keep it bound."""
        if not session or not self.lifetime:
            return
        self._bound[session] = Bound(session, *candidate, now + self.lifetime)
        self._bound.move_to_end(session)
        if len(self._bound) > MOST_SESSIONS:
            self._bound.popitem(last=False)

    def release(self, account: str) -> None:
        """Nobody is bound to this account any more."""
        for session in [session for session, bound in self._bound.items() if bound.account == account]:
            del self._bound[session]

    def all(self) -> Iterable[Bound]:
        return self._bound.values()

    def take(self, bound: Bound, now: float) -> None:
        """Take over a binding that was kept, unless a later one is known."""
        known = self._bound.get(bound.session)
        if self.lifetime and now < bound.until and (known is None or known.until < bound.until):
            self._bound[bound.session] = bound
