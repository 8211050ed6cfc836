"""Client keys, looked up by digest, so that the time an answer takes says nothing about how much of a key was right."""

from collections.abc import Iterable
from hashlib import sha256

from aiproxy.clients.client import ANYONE, Client
from aiproxy.secrets import Secret


class Keyring:
    def __init__(self, keys: Iterable[tuple[Secret, Client]]) -> None:
        self._clients = {_digest(key.reveal()): client for key, client in keys}

    @property
    def open(self) -> bool:
        """No key is asked for."""
        return not self._clients

    def find(self, candidate: str | None) -> Client | None:
        """The holder of this key; None for a wrong or missing one. With no keys at all, anyone."""
        if self.open:
            return ANYONE
        return self._clients.get(_digest(candidate)) if candidate else None


def _digest(key: str) -> bytes:
    return sha256(key.encode("utf-8", "surrogateescape")).digest()
