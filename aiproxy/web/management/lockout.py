"""Who has guessed too often. Pure: times are seconds handed in."""

from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

MOST_FAILURES = 5
"""Wrong keys from one address before it is locked out; CLIProxyAPI's number."""

LOCKED_SECONDS = 1800.0
"""How long; half an hour, as there: 240 guesses a day."""

FORGOTTEN_SECONDS = 7200.0
"""After this long without a failure an address starts anew."""

MOST_ADDRESSES = 10_000
"""That are remembered, the latest: about 2 MB."""


class Standing(NamedTuple):
    """An address's failures, `latest` when, and until when it is locked out, 0 for not at all."""

    failures: int = 0
    latest: float = 0.0
    locked_until: float = 0.0


def _untold(_address: str, _standing: Standing) -> None: ...


class Lockout:
    def __init__(self) -> None:
        self._known: OrderedDict[str, Standing] = OrderedDict()
        self.tell: Callable[[str, Standing], None] = _untold
        """Told how it stands with an address, when that has changed here."""

    def locked_for(self, address: str, now: float) -> float:
        """Seconds; 0 for who may try."""
        return max(0.0, self._known.get(address, Standing()).locked_until - now)

    def failed(self, address: str, now: float) -> bool:
        """Count a failure: whether the address is locked out by it. Attempts under way count as failures until they succeed, so
        that many at once are no more guesses than one by one."""
        found = self._known.get(address, Standing())
        if now - found.latest > FORGOTTEN_SECONDS or 0 < found.locked_until <= now:
            found = Standing()
        locks = found.failures + 1 >= MOST_FAILURES and not found.locked_until
        standing = Standing(found.failures + 1, now, now + LOCKED_SECONDS if locks else found.locked_until)
        self.take(address, standing)
        self.tell(address, standing)
        return locks

    def succeeded(self, address: str) -> None:
        self.take(address, Standing())
        self.tell(address, Standing())

    def take(self, address: str, standing: Standing) -> None:
        """How it stands by now, here or where somebody else has counted."""
        self._known.pop(address, None)
        if standing.failures:
            self._known[address] = standing
        if len(self._known) > MOST_ADDRESSES:
            self._known.popitem(last=False)
