"""Who calls us and what they may: client keys. Pure."""

from aiproxy.clients.client import ANYONE, Client, moment
from aiproxy.clients.keyring import Keyring
from aiproxy.clients.limits import Exceeded, Limited, Limiter

__all__ = ["ANYONE", "Client", "Exceeded", "Keyring", "Limited", "Limiter", "moment"]
