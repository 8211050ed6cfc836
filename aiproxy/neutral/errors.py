"""Every error a client can be told of, and nothing else. Codecs render them; libraries' errors become ours at the
line that calls the library."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Said:
    """An upstream's failure as it came, for whoever judges whom it blames; never shown. Header names in lower case."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


@dataclass(eq=False)
class GatewayError(Exception):
    """One sentence for the client, with the next step in it. `kind` is stable: clients and metrics may depend on it.

    `retry_after` is seconds, or None when nobody said. `upstream_status` is what the upstream answered, if it did.
    `code` and `param` are the upstream's own words where it gave some; a codec fills its protocol's default otherwise.
    `said` is all it said. `headers` belong to HTTP itself (Allow, for one), not to a protocol."""

    message: str
    code: str | None = None
    param: str | None = None
    retry_after: float | None = None
    upstream_status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    said: Said | None = field(default=None, repr=False)

    kind: ClassVar[str] = "server_error"
    status: ClassVar[int] = 500

    def __str__(self) -> str:
        return self.message


class InvalidRequest(GatewayError):
    kind, status = "invalid_request", 400


class ContextLength(InvalidRequest):
    kind = "context_length"


class ContentBlocked(InvalidRequest):
    kind = "content_blocked"


class Unsupported(InvalidRequest):
    """The target can't express a field that matters; `param` names it."""

    kind = "unsupported"


class NotShown(InvalidRequest):
    """The upstream thinks, but shows its thinking to others only."""


class ForeignState(InvalidRequest):
    """The request brings back opaque state (signed or encrypted thinking) that the upstream can't use: another account made it,
    or another model."""


class RequestTimeout(InvalidRequest):
    """The client fell silent in the middle of its request."""

    status = 408


class UnsupportedEncoding(InvalidRequest):
    """The body is compressed in a way that nobody here reads."""

    status = 415


class ExpectationFailed(InvalidRequest):
    """`Expect` asks for something other than 100-continue."""

    status = 417


class UpgradeRequired(InvalidRequest):
    """The path speaks WebSocket only."""

    status = 426


class VersionNotSupported(InvalidRequest):
    status = 505


class Authentication(GatewayError):
    """The client's own key is missing or wrong. A fault of our key at an upstream is `CredentialRefused`."""

    kind, status = "authentication", 401


class Billing(GatewayError):
    kind, status = "billing", 402


class Permission(GatewayError):
    kind, status = "permission", 403


class EndedByOperator(Permission):
    """Whoever manages this gateway has ended the call. No status that clients try again by themselves."""

    kind = "ended_by_operator"


class NotFound(GatewayError):
    kind, status = "not_found", 404


class MethodNotAllowed(GatewayError):
    kind, status = "method_not_allowed", 405


class Conflict(GatewayError):
    kind, status = "conflict", 409


class TooLarge(GatewayError):
    kind, status = "too_large", 413


class HeadersTooLarge(GatewayError):
    kind, status = "headers_too_large", 431


class RateLimited(GatewayError):
    kind, status = "rate_limit", 429


class QuotaExhausted(RateLimited):
    kind = "quota_exhausted"


class Internal(GatewayError):
    """Our bug. The message holds an incident id and no detail."""

    kind, status = "server_error", 500


class UpstreamServerError(GatewayError):
    """The upstream answered 500: its fault, told as it is."""

    kind, status = "server_error", 500


class UpstreamFailed(GatewayError):
    """The upstream could not be reached, or its reply made no sense."""

    kind, status = "upstream_failed", 502


class Unreachable(UpstreamFailed):
    """No connection to the upstream came about: nothing that was asked can be to blame."""


class UpstreamTruncated(UpstreamFailed):
    """The upstream's stream ended before its protocol says it is complete."""

    kind = "upstream_truncated"


class CredentialRefused(UpstreamFailed):
    """The upstream refused *our* credential. Never shown to the client as its own 401 or 403."""

    kind = "credential_refused"


class Overloaded(GatewayError):
    kind, status = "overloaded", 503


class Draining(Overloaded):
    """This process is stopping; another one may answer."""

    kind = "draining"


class Timeout(GatewayError):
    kind, status = "timeout", 504


class ConnectTimeout(Timeout):
    """No connection to the upstream came about in time."""
