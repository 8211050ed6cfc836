"""The management key: how it is hashed, and whether one that is shown is right. Hashing takes a fifth of a second on purpose, so it
belongs into a thread."""

import hmac
from hashlib import sha256
from secrets import token_bytes

import bcrypt

from aiproxy.config.management_rules import is_hash
from aiproxy.secrets import Secret

ROUNDS = 12
"""bcrypt's cost: about 0.2 s a guess. Hashes of any cost are taken, CLIProxyAPI's (10) too."""


def hashed(key: str) -> str:
    """Raises `ValueError` for a key of more than 72 bytes."""
    return bcrypt.hashpw(key.encode("utf-8", "surrogateescape"), bcrypt.gensalt(ROUNDS)).decode("ascii")


def is_right(shown: str, expected: Secret) -> bool:
    """`expected` is a key, or the hash of one."""
    if not expected:
        return False
    if not is_hash(expected):
        return expected.matches(shown)
    try:
        return bcrypt.checkpw(shown.encode("utf-8", "surrogateescape"), expected.reveal().encode("ascii"))
    except ValueError:  # longer than bcrypt reads, so longer than any key that was hashed
        return False


class LatestRight:
    """The key that was found right last, so that a program that asks often doesn't wait for bcrypt each time. Kept as a digest that
    means nothing outside this process, and for one basis."""

    def __init__(self) -> None:
        self._salt = token_bytes(32)
        self._known = b""

    def note(self, shown: str, basis: str) -> None:
        self._known = self._digest(shown, basis)

    def knows(self, shown: str, basis: str) -> bool:
        return hmac.compare_digest(self._known, self._digest(shown, basis))

    def _digest(self, shown: str, basis: str) -> bytes:
        return hmac.new(self._salt, f"{basis}\0{shown}".encode("utf-8", "surrogateescape"), sha256).digest()
