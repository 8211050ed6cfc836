"""What no line of the log may show: gathered from who knows it, and added to as tokens are renewed."""

from collections.abc import Callable, Iterable

from aiproxy.credentials.record import Record
from aiproxy.logs import Scrubbing, spellings
from aiproxy.secrets import Scrubber, Secret

MOST_FRESH = 500
"""Secrets of renewed logins, before all that are known are put together anew."""


class KnownSecrets:
    """`all_known` tells all there are now."""

    def __init__(self, scrubbing: Scrubbing, all_known: Callable[[], Iterable[Secret]]) -> None:
        self._scrubbing = scrubbing
        self._all_known = all_known
        self._fresh: list[Secret] = []

    def gather(self) -> None:
        self._fresh = []
        self._scrubbing.scrubber = Scrubber(spellings(list(self._all_known())))

    def renewed(self, record: Record) -> None:
        """Tokens are as secret as keys, from the moment they are renewed."""
        self._fresh += record.secrets
        if len(self._fresh) > MOST_FRESH:
            self.gather()
        else:
            self._scrubbing.add(Scrubber(spellings(self._fresh)))
