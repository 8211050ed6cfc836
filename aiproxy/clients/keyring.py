"""Client keys, looked up by digest, so that the time an answer takes says nothing about how much of a key was right."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

from aiproxy.secrets import Secret


@dataclass(frozen=True, slots=True)
class Client:
    """Whoever holds a key. `may_use` judges a model name. `tenant` is whose state is whose: the name that the configuration
    gives, else the key's digest; a place in its list may become somebody else's."""

    name: str
    tenant: str
    may_use: Callable[[str], bool]


def _any_model(_name: str) -> bool:
    return True


ANYONE = Client("anonymous", "anyone", _any_model)
"""Who calls a gateway that asks for no key: it listens on loopback only."""


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
