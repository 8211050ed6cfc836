"""How the accounts of one provider log in and stay so, as data: addresses, the client that asks, the ways there are."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from aiproxy.config.schema import Settings
from aiproxy.credentials.base import Credential
from aiproxy.credentials.exchange import Web
from aiproxy.credentials.record import (
    REFUSED,
    Record,
    Unreadable,
    first_moment,
    first_token,
    login_mark,
)
from aiproxy.credentials.times import moment
from aiproxy.credentials.ways.desk import Way
from aiproxy.neutral.errors import CredentialRefused
from aiproxy.secrets import Secret, digest

Changes = Mapping[str, Any]
"""Of a record's fields, as `Record.with_changes` takes them."""


@dataclass(frozen=True, slots=True)
class Client:
    """The program that vendors know as asking. Published identifiers stand in declarations; a secret never does."""

    id: str
    secret: Secret = field(default_factory=lambda: Secret(""), repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """`access` is what calls bear, `expires` when it ends (None: nobody says), `issued` since when it holds."""

    access: Secret
    refresh: Secret
    expires: float | None
    issued: float | None


Renew = Callable[["Login", Record, Web, float], Coroutine[Any, Any, Changes]]
"""A login's new tokens. `float` is now. Raises as `exchange.granted` does."""


@dataclass(frozen=True, slots=True)
class Login:
    """`types` are the files' (the first is written). `urls` are named as in `upstreams` of the configuration, without
    `-url`. `lead` is how many seconds before its end a token is renewed. `secret_from` says where the vendor documents the
    client's secret, for clients that need one; `closed` what the vendor has said about others' use, and when. `ways` are
    the ways in, the first the usual one. `base` is where the upstream's own calls go. `completes` is asked once what `renew` gave
    is kept: nothing that fails after a refresh token was used may lose the next one. `signing` makes what signs for a file that holds a key
    and no token; it raises `Unreadable`."""

    provider: str
    types: tuple[str, ...]
    client: Client
    renew: Renew | None
    lead: float
    urls: Mapping[str, str] = field(default_factory=dict, hash=False)
    base: str = ""
    access: tuple[str, ...] = ("access_token", "token.access_token", "accessToken")
    refresh: tuple[str, ...] = ("refresh_token", "token.refresh_token", "refreshToken")
    expires: tuple[str, ...] = ("expired", "expiry", "token.expiry", "expiresAt", "expires_at", "expiry_date")
    secret_from: str = ""
    closed: str = ""
    ways: tuple[Way, ...] = ()
    completes: Renew | None = None
    signing: Callable[[Record], Credential] | None = None
    parallel: int = 2
    """Renewals of one provider at a time: they come from one address."""

    def way(self, name: str) -> Way | None:
        """`browser`, `device`, `cookie`; "" is the usual one."""
        return next((way for way in self.ways if name in ("", way.name)), None)

    def url(self, name: str) -> str:
        return self.urls[name]

    def resolved(self, settings: Settings) -> "Login":
        """With the operator's addresses and client."""
        replaced = settings.upstreams.get(self.provider)
        urls, base = dict(self.urls), self.base
        if replaced is not None:
            urls |= {name: value for name in urls if (value := getattr(replaced, f"{name}_url", ""))}
            base = replaced.base_url or base
        client = settings.oauth_clients.get(self.provider)
        if client is None:
            return replace(self, urls=urls, base=base)
        return replace(
            self, urls=urls, base=base, client=Client(client.client_id or self.client.id, client.client_secret)
        )

    def tokens(self, record: Record) -> Tokens:
        """Raises `Unreadable`."""
        if self.signing is not None:
            self.signing(record)
            return Tokens(Secret(""), Secret(""), None, None)
        expires = first_moment(record, self.expires)
        issued = moment(record.get("last_refresh")) or moment(record.get("timestamp"))
        lasts = record.get("expires_in")
        if expires is None and issued is not None and isinstance(lasts, int | float):
            expires = issued + lasts
        access, refresh = first_token(record, self.access), first_token(record, self.refresh)
        if not access and not refresh:
            raise Unreadable(f"holds neither `{self.access[0]}` nor `{self.refresh[0]}`")
        return Tokens(Secret(access), Secret(refresh), expires, issued)

    def renewable(self, record: Record) -> bool:
        return self.renew is not None and bool(first_token(record, self.refresh)) and not self.refused(record)

    def refused(self, record: Record) -> str:
        """Why the vendor won't have this login any more; "" while it does."""
        mark = record.get(REFUSED)
        if not isinstance(mark, dict) or mark.get("login") != login_mark(record.text(*self.refresh)):
            return ""
        return str(mark.get("reason") or "refused")

    def write(self, record: Record, access: str, refresh: str, expires: str) -> Changes:
        """New tokens wherever the file has them, else where its form has them first. "" leaves a field alone."""
        found: dict[str, Any] = {}
        for value, paths in ((access, self.access), (refresh, self.refresh), (expires, self.expires)):
            if value:
                present = [path for path in paths if record.get(path) is not None]
                found |= dict.fromkeys(present or paths[:1], value)
        return found

    def needs_secret(self, record: Record | None = None) -> Client:
        """The client, with its secret where it needs one; that of the file is the one its tokens were given to.

        Raises `CredentialRefused`."""
        own = Client(record.text("token.client_id"), Secret(record.text("token.client_secret"))) if record else None
        if own is not None and own.id and own.secret:
            return own
        if self.secret_from and not self.client.secret:
            raise CredentialRefused(
                f"`oauth-clients.{self.provider}.client-secret` is missing from the configuration: {self.secret_from}"
            )
        return self.client

    def identity(self, record: Record) -> str:
        """The same after every change of its secrets."""
        whose = record.text("account_id", "account_uuid", "email", "username", "profileArn", "profile_arn")
        return digest("login", self.provider, record.name, whose)
