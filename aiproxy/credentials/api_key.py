"""A key in a header: under which name, and with which word before it, is the upstream's custom."""

from dataclasses import dataclass

from aiproxy.secrets import Secret


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`Authorization: Bearer KEY` unless told otherwise; nothing at all for an empty key, as local servers want it."""

    key: Secret
    header: str = "authorization"
    scheme: str = "Bearer "

    def sign(self) -> tuple[tuple[str, str], ...]:
        """The headers that prove who we are. The only place that reveals the key."""
        return ((self.header, self.scheme + self.key.reveal()),) if self.key else ()
