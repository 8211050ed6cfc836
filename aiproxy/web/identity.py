"""Whose key it is."""

from aiproxy.clients import Client
from aiproxy.clients.keyring import Keyring
from aiproxy.neutral.errors import Authentication

CHALLENGE = {"www-authenticate": "Bearer"}


def identify(keyring: Keyring, key: str | None) -> Client:
    """Raises `Authentication`."""
    client = keyring.find(key)
    if client is None:
        said = "is missing" if not key else "is not one of this gateway's"
        raise Authentication(
            f"The API key {said}. Send it as 'Authorization: Bearer KEY'; the gateway's operator hands keys out.",
            headers=dict(CHALLENGE),
        )
    return client


def expired(objection: str) -> Authentication:
    """What there is to say to a key that was good once."""
    return Authentication(
        f"The API key {objection}. The gateway's operator can hand out another one.", headers=dict(CHALLENGE)
    )
