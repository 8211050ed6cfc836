"""Who calls us and what they may: client keys. Pure."""

from aiproxy.clients.client import ANYONE, Client, moment
from aiproxy.clients.keyring import Keyring

__all__ = ["ANYONE", "Client", "Keyring", "moment"]
