"""Google service accounts: an assertion signed by the account's own key buys a token for an hour.

Source: Google Identity, OAuth 2.0 for server to server applications; RFC 7523."""

import base64
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from aiproxy.config.service_account import TOKEN_URL, ServiceAccount, private_key
from aiproxy.credentials.base import Way
from aiproxy.credentials.token import Token
from aiproxy.credentials.token_endpoint import ask_for_token
from aiproxy.secrets import digest

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

SCOPE = "https://www.googleapis.com/auth/cloud-platform"

ASSERTION_SECONDS = 3600
"""The longest Google accepts."""

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class ServiceAccountGrant:
    account: ServiceAccount

    @property
    def identity(self) -> str:
        return digest(self.account.email, self.account.token_url, self.account.key.reveal())

    async def ask(self, way: Way) -> Token:
        signed = assertion(self.account, private_key(self.account.key), int(time.time()))
        return await ask_for_token(way, self.account.token_url, {"grant_type": GRANT, "assertion": signed})


def assertion(account: ServiceAccount, key: "RSAPrivateKey", now: int) -> str:
    """`now` is seconds since the epoch. It is meant for Google, whatever mirror it is sent to."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    header = {"alg": "RS256", "typ": "JWT"} | ({"kid": account.key_id} if account.key_id else {})
    claims = {
        "iss": account.email,
        "scope": SCOPE,
        "aud": TOKEN_URL,
        "iat": now,
        "exp": now + ASSERTION_SECONDS,
    }
    signed = b".".join(_encoded(orjson.dumps(each)) for each in (header, claims))
    return b".".join((signed, _encoded(key.sign(signed, PKCS1v15(), SHA256())))).decode()


def _encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")
