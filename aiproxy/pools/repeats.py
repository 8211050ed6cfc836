"""A request's own fault that upstreams tell as theirs: known by accounts that say the same of it. Pure."""

import re

from aiproxy.neutral.errors import GatewayError
from aiproxy.pools.affinity import Candidate

SAME_FROM = 2
"""Accounts that say the same of one request before it is believed: one may be broken, and a third would only be asked for
nothing."""

STATUSES = frozenset((500, 502))
"""What a validation that throws comes as; others are outages and limits."""

WORDS = (
    "invalid",
    "validation",
    "malformed",
    "unsupported",
    "not supported",
    "must be",
    "must have",
    "is required",
    "missing",
    "unexpected",
    "schema",
    "not allowed",
    "cannot parse",
    "failed to parse",
    "too long",
    "too large",
)
"""Words that find fault with a request. "Internal server error" from every account is an outage, and goes on being tried."""

_VARIES = re.compile(r"[0-9a-fA-F-]{8,}|\d+")
"""Ids and times, which differ although the same is said."""


class Repeats:
    """What accounts have said of one request."""

    def __init__(self) -> None:
        self._by_words: dict[str, list[Candidate]] = {}

    def heard(self, candidate: Candidate, error: GatewayError) -> list[Candidate]:
        """Who has said the same, this one included, once they are enough to believe it; else nobody."""
        text = error.said.text if error.said else error.message
        if error.upstream_status not in STATUSES or not any(word in text.lower() for word in WORDS):
            return []
        words = _VARIES.sub("#", text)
        same = self._by_words.setdefault(words, [])
        if all(account != candidate[0] for account, _ in same):
            same.append(candidate)
        return same if len(same) >= SAME_FROM else []
