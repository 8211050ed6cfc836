"""Sessions of browsers: a signed word in a cookie, and a token against requests that other pages send with it. Pure.

Nothing is kept of a session but that it was ended, so that any process that has the key knows it. The key is made anew at each start; with
several workers their supervisor makes it. What a session stands on (`basis`: the management key in effect) is signed along: another key
ends all sessions."""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_hex

LIFETIME_SECONDS = 12 * 3600.0
"""A working day."""

COOKIE = "aiproxy_session"

MOST_ENDED = 10_000
"""Ended sessions that are remembered; more would need that many log-ins in a day."""


@dataclass(frozen=True, slots=True)
class Session:
    word: str
    csrf: str
    ends: float
    """Seconds since the epoch."""


class Sessions:
    def __init__(self, key: str) -> None:
        """`key` is "" for one that is made now."""
        self._key = (key or token_hex(32)).encode()
        self._ended: dict[str, float] = {}

    def begin(self, basis: str, now: float) -> Session:
        ends = int(now + LIFETIME_SECONDS)
        word = f"{ends}.{token_hex(16)}"
        return self._session(f"{word}.{self._sign('session', word, basis)}", ends)

    def find(self, word: str, basis: str, now: float) -> Session | None:
        """The session of a cookie, if it is one of ours that still lasts."""
        signed, _, signature = word.rpartition(".")
        if not signed or not hmac.compare_digest(self._sign("session", signed, basis).encode(), signature.encode()):
            return None
        ends = float(signed.partition(".")[0])
        return self._session(word, ends) if now < ends and word not in self._ended else None

    def end(self, session: Session, now: float) -> None:
        self._ended = {word: ends for word, ends in self._ended.items() if ends > now}
        if len(self._ended) < MOST_ENDED:
            self._ended[session.word] = session.ends

    def _session(self, word: str, ends: float) -> Session:
        return Session(word, self._sign("csrf", word), ends)

    def _sign(self, *parts: str) -> str:
        return hmac.new(self._key, "\0".join(parts).encode("utf-8", "surrogateescape"), sha256).hexdigest()
