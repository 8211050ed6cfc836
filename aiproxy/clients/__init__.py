"""Who calls us and what they may: client keys. Pure."""

from aiproxy.clients.keyring import ANYONE, Client, Keyring

__all__ = ["ANYONE", "Client", "Keyring"]
