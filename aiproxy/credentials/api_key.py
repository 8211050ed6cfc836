"""A key in a header, as most upstreams want it."""

from dataclasses import dataclass

from aiproxy.secrets import Secret


@dataclass(frozen=True, slots=True)
class BearerKey:
    """`Authorization: Bearer KEY`; nothing at all for an empty key, as local servers want it."""

    key: Secret

    def sign(self) -> tuple[tuple[str, str], ...]:
        """The headers that prove who we are. The only place that reveals the key."""
        return (("authorization", f"Bearer {self.key.reveal()}"),) if self.key else ()
