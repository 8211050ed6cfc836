"""A key that also signs: iFlow wants each request's session and time under an HMAC by the key. Source: provider sheet iflow."""

import hmac
import time
from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

from aiproxy import __version__
from aiproxy.credentials.base import Credential, Headers, Way

AGENT = f"aiproxy/{__version__}"


@dataclass(frozen=True)
class SignedKey:
    """`credential` gives the key, as a bearer's."""

    credential: Credential

    @property
    def identity(self) -> str:
        return self.credential.identity

    async def sign(self, way: Way) -> Headers:
        given = await self.credential.sign(way)
        key = next((value.removeprefix("Bearer ") for name, value in given if name == "authorization"), "")
        return (*given, *signature(key, f"session-{uuid4()}", int(time.time() * 1000))) if key else given

    def refused(self, headers: Headers) -> bool:
        return self.credential.refused(
            tuple(pair for pair in headers if not pair[0].startswith(("x-iflow-", "session-")))
        )


def signature(key: str, session: str, milliseconds: int) -> Headers:
    """`milliseconds` since the epoch. It is made over the `user-agent` that goes with it."""
    signed = hmac.new(key.encode(), f"{AGENT}:{session}:{milliseconds}".encode(), sha256).hexdigest()
    return (("session-id", session), ("x-iflow-timestamp", str(milliseconds)), ("x-iflow-signature", signed))
