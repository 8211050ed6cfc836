"""Who calls us and what they may: client keys. Pure."""

from aiproxy.clients.client import ANYONE, Client, moment
from aiproxy.clients.keyring import Keyring
from aiproxy.clients.limiter import Limiter
from aiproxy.clients.limits import Exceeded, Limited, OutOfSlice

__all__ = ["ANYONE", "Client", "Exceeded", "Keyring", "Limited", "Limiter", "OutOfSlice", "moment"]
