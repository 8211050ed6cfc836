"""Who has guessed too often. Pure: times are seconds handed in."""

from collections import OrderedDict
from dataclasses import dataclass

MOST_FAILURES = 5
"""Wrong keys from one address before it is locked out; CLIProxyAPI's number."""

LOCKED_SECONDS = 1800.0
"""How long; half an hour, as there: 240 guesses a day."""

FORGOTTEN_SECONDS = 7200.0
"""After this long without a failure an address starts anew."""

MOST_ADDRESSES = 10_000
"""That are remembered, the latest: about 2 MB."""


@dataclass(slots=True)
class _Failures:
    count: int
    latest: float
    locked_until: float = 0.0


class Lockout:
    def __init__(self) -> None:
        self._known: OrderedDict[str, _Failures] = OrderedDict()

    def locked_for(self, address: str, now: float) -> float:
        """Seconds; 0 for who may try."""
        found = self._known.get(address)
        return max(0.0, found.locked_until - now) if found else 0.0

    def failed(self, address: str, now: float) -> bool:
        """Count a failure: whether the address is locked out by it. Attempts under way count as failures until they succeed, so
        that many at once are no more guesses than one by one."""
        found = self._known.pop(address, None)
        if found is None or now - found.latest > FORGOTTEN_SECONDS or 0 < found.locked_until <= now:
            found = _Failures(0, now)
        self._known[address] = found
        found.count, found.latest = found.count + 1, now
        if len(self._known) > MOST_ADDRESSES:
            self._known.popitem(last=False)
        if found.count >= MOST_FAILURES and not found.locked_until:
            found.locked_until = now + LOCKED_SECONDS
            return True
        return False

    def succeeded(self, address: str) -> None:
        self._known.pop(address, None)
