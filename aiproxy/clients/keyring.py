"""Client keys, looked up by digest, so that the time an answer takes says nothing about how much of a key was right: who
shows a key can't choose its digest, so a digest that is found by part of it is found by chance."""

from collections.abc import Collection, Iterable
from hashlib import sha256

from aiproxy.clients.client import ANYONE, Client
from aiproxy.secrets import Secret


class Keyring:
    """`managed` are keys of which only the digest is known. Where one key is both, the configuration has the say."""

    def __init__(self, keys: Iterable[tuple[Secret, Client]], managed: Iterable[tuple[bytes, Client]] = ()) -> None:
        configured = {_digest(key.reveal()): client for key, client in keys}
        self._clients = {**dict(managed), **configured}

    @property
    def open(self) -> bool:
        """No key is asked for."""
        return not self._clients

    @property
    def clients(self) -> Collection[Client]:
        """Everybody who has a key."""
        return self._clients.values()

    def find(self, candidate: str | None) -> Client | None:
        """The holder of this key; None for a wrong or missing one. With no keys at all, anyone."""
        if self.open:
            return ANYONE
        return self._clients.get(_digest(candidate)) if candidate else None


def _digest(key: str) -> bytes:
    return sha256(key.encode("utf-8", "surrogateescape")).digest()
