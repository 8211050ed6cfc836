"""A key in a header: under which name, and with which word before it, is the upstream's custom."""

from dataclasses import dataclass

from aiproxy.credentials.base import Headers, Way
from aiproxy.secrets import Secret, digest


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`Authorization: Bearer KEY` unless told otherwise; nothing at all for an empty key, as local servers want it."""

    key: Secret
    header: str = "authorization"
    scheme: str = "Bearer "

    @property
    def identity(self) -> str:
        return digest(self.header, self.scheme, self.key.reveal())

    async def sign(self, _way: Way) -> Headers:
        """Waits for nothing."""
        return ((self.header, self.scheme + self.key.reveal()),) if self.key else ()

    def refused(self, _headers: Headers) -> bool:
        """There is no other key."""
        return False
