"""Google's token endpoint: a token an hour long for an assertion that Google's own library finds right.

Source: Google Identity, OAuth 2.0 for server to server applications."""

import json
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from google.auth import jwt

from tests.rig.upstream import Received, Wire

EMAIL = "gateway@stand-in.iam.gserviceaccount.com"
PROJECT = "stand-in-project"
KEY_ID = "key-id-0123456789"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
AUDIENCE = "https://oauth2.googleapis.com/token"
"""Whatever address the question came to."""
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
HOUR = 3600


@cache
def account_key() -> RSAPrivateKey:
    return generate_private_key(65537, 2048)


def pem(key: Any = None, form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    found: bytes = (key or account_key()).private_bytes(Encoding.PEM, form, NoEncryption())
    return found.decode()


def service_account(token_url: str, **instead: Any) -> dict[str, Any]:
    """The file that Google gives, whose key the endpoint knows. None leaves a field out."""
    found = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": KEY_ID,
        "private_key": pem(),
        "client_email": EMAIL,
        "client_id": "1234567890",
        "auth_uri": "https://accounts.google.com/o/oauth2/auth",
        "token_uri": token_url,
        "universe_domain": "googleapis.com",
        **instead,
    }
    return {name: value for name, value in found.items() if value is not None}


class TokenEndpoint:
    """`given` are the tokens in the order they were asked for; those in `good` are taken by the vendor."""

    def __init__(self) -> None:
        self.given: list[str] = []
        self.good: set[str] = set()
        self.lifetime = HOUR
        self.refused: list[str] = []

    def withdraw(self) -> None:
        """End every token before its time."""
        self.good.clear()

    def serve(self, received: Received, wire: Wire) -> None:
        try:
            self._check(received)
        except (AssertionError, KeyError, ValueError) as reason:
            self.refused.append(repr(reason))
            said = {"error": "invalid_grant", "error_description": f"Invalid JWT: {reason!r:.100}"}
            wire.answer(400, json.dumps(said).encode())
            return
        token = f"ya29.stand-in-token-{len(self.given)}-0123456789"
        self.given.append(token)
        self.good.add(token)
        given = {"access_token": token, "expires_in": self.lifetime, "token_type": "Bearer"}
        wire.answer(200, json.dumps(given).encode())

    def _check(self, received: Received) -> None:
        assert received.method == "POST"
        assert received.headers["content-type"] == "application/x-www-form-urlencoded"
        form = parse_qs(received.body.decode(), strict_parsing=True)
        assert form.keys() == {"grant_type", "assertion"}
        assert form["grant_type"] == [GRANT]
        (assertion,) = form["assertion"]
        form_of_key = (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        public = account_key().public_key().public_bytes(*form_of_key)
        claims = jwt.decode(assertion, certs=public, audience=AUDIENCE)
        assert claims["iss"] == EMAIL
        assert claims["scope"] == SCOPE
        assert claims["exp"] - claims["iat"] <= HOUR
        header = jwt.decode_header(assertion)
        assert header == {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}
