"""Who may use the management API: what can be said against a request at once (`objection`), and who it is (`admit`)."""

import hmac
from collections.abc import Callable
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from twisted.logger import Logger

from aiproxy.config.schema import RemoteManagement
from aiproxy.neutral.errors import Authentication, GatewayError, NotFound, Permission
from aiproxy.secrets import Secret, digest
from aiproxy.storage.threads import OneThread
from aiproxy.web.keys import header
from aiproxy.web.management.addresses import client_address, counted_as, is_local, networks
from aiproxy.web.management.keys import LatestRight, is_right
from aiproxy.web.management.lockout import MOST_FAILURES, Lockout
from aiproxy.web.management.routes import Who
from aiproxy.web.management.sessions import COOKIE, Session, Sessions
from aiproxy.web.origins import is_loopback
from aiproxy.web.request import HttpRequest

SETUP_SECONDS = 3600.0
"""How long the link of the first start is good."""

CSRF = b"x-csrf-token"
"""The header that repeats a session's token."""

SAFE = frozenset((b"GET", b"HEAD"))
"""Methods that change nothing."""

_log = Logger("aiproxy.audit")


class Gate:
    """`password` is another key, `settings` are those in use now, `now` is seconds since the epoch."""

    def __init__(
        self,
        reactor: Any,
        password: str,
        session_key: str,
        settings: Callable[[], RemoteManagement],
        now: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._now = now
        self._password = Secret(password)
        self._thread = OneThread(reactor, "management-keys")
        self._running = False
        self._latest = LatestRight()
        self._sessions = Sessions(session_key)
        self.lockout = Lockout()
        self._setup: tuple[Secret, float] | None = None
        self._was_set_up = False
        self.for_now = Secret("")
        """A key (its hash) that holds until the next start: where there is no file to write it to."""

    def start(self) -> None:
        self._thread.start()
        self._running = True

    def stop(self) -> None:
        if self._running:
            self._thread.stop()

    async def in_thread(self, do: Callable[..., Any], *arguments: Any) -> Any:
        """For what blocks: hashing."""
        return await self._thread.run(do, *arguments)

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """That the configuration doesn't know of."""
        return tuple(secret for secret in (self._password, self.for_now) if secret)

    @property
    def has_key(self) -> bool:
        return any(self._expected())

    def _expected(self) -> tuple[Secret, ...]:
        return (self._settings().secret_key or self.for_now, self._password)

    @property
    def _basis(self) -> str:
        return digest(*(secret.reveal() for secret in self._expected()))

    # -- at once

    def address(self, request: HttpRequest) -> str:
        forwarded = [value.decode("latin-1") for value in request.received.get(b"x-forwarded-for", ())]
        said = forwarded or [header(request, name) for name in (b"forwarded", b"x-real-ip") if header(request, name)]
        peer = getattr(request.getClientAddress(), "host", "")
        return client_address(peer, said, networks(self._settings().trusted_proxies))

    def objection(self, request: HttpRequest) -> GatewayError | None:
        """What there is to say against a request whoever sends it, and before its body is read."""
        if closed := self.closed_to(request):
            return closed
        if wait := self.lockout.locked_for(counted_as(self.address(request)), self._now()):
            told = f"Too many wrong keys from this address: try again in {wait / 60:.0f} minutes."
            return Permission(told, retry_after=wait)
        return _of_another_site(request)

    def closed_to(self, request: HttpRequest) -> GatewayError | None:
        """What there is to say against it already because there is no management, or none for where it comes from."""
        setup = self._setup is not None and self._now() < self._setup[1]
        if not (self.has_key or setup or self._was_set_up):
            return NotFound(
                f"There is nothing at {(request.path or b'').decode('utf-8', 'replace')}.", code="unknown_url"
            )
        address = self.address(request)
        remote = self._settings().allow_remote or bool(self._password)
        if not remote and not is_local(address):
            return Permission("Management is for this machine only; remote-management.allow-remote opens it to others.")
        return None if remote else _of_another_name(request)

    # -- who

    async def admit(self, request: HttpRequest) -> Who:
        """Raises `Authentication`, `Permission`."""
        shown = _shown(request)
        if shown:
            await self.judge(request, shown)
            return Who("key", self.address(request))
        session = self.session(request)
        if session is None:
            raise Authentication(
                "The management key is missing. Send it as 'Authorization: Bearer KEY'.",
                headers={"www-authenticate": "Bearer"},
            )
        if request.method not in SAFE and not _shows_token(request, session):
            raise Permission("The CSRF token is missing or of another session: repeat it as X-CSRF-Token.")
        return Who("session", self.address(request))

    async def judge(self, request: HttpRequest, shown: str) -> None:
        """Raises `Authentication` for a wrong key, and counts it."""
        basis = self._basis
        if self._latest.knows(shown, basis):
            return
        address = self.address(request)
        counted = counted_as(address)
        if self.lockout.failed(counted, self._now()):
            _log.warn("{address} is locked out after {count} wrong keys", address=address, count=MOST_FAILURES)
        for expected in self._expected():
            if expected and await self.in_thread(is_right, shown, expected):
                self.lockout.succeeded(counted)
                self._latest.note(shown, basis)
                return
        _log.warn("a wrong management key from {address}", address=address)
        raise Authentication("The management key is not the right one.", headers={"www-authenticate": "Bearer"})

    # -- sessions

    def session(self, request: HttpRequest) -> Session | None:
        word = (request.getCookie(COOKIE.encode()) or b"").decode("latin-1")
        return self._sessions.find(word, self._basis, self._now()) if word else None

    def is_at_the_console(self, request: HttpRequest) -> bool:
        """Of a client's call: whether a page of ours makes it, for somebody who is signed in and may be."""
        session = self.session(request)
        return session is not None and _shows_token(request, session) and self.objection(request) is None

    def still(self, request: HttpRequest) -> Callable[[], bool]:
        """Of a request that was admitted: whether it would be so later, too. The key in effect is still the same, and a session
        hasn't ended."""
        basis, by_session = self._basis, not _shown(request)
        return lambda: self._basis == basis and (not by_session or self.session(request) is not None)

    def begin_session(self, request: HttpRequest) -> Session:
        session = self._sessions.begin(self._basis, self._now())
        request.addCookie(
            COOKIE, session.word, path="/", httpOnly=True, sameSite="strict", secure=self._is_secure(request)
        )
        return session

    def end_session(self, request: HttpRequest) -> None:
        if session := self.session(request):
            self._sessions.end(session, self._now())
        request.addCookie(COOKIE, "", path="/", max_age=b"0", httpOnly=True, sameSite="strict")

    def _is_secure(self, request: HttpRequest) -> bool:
        """As far as the browser can see."""
        return request.isSecure() or header(request, b"x-forwarded-proto") == "https"

    # -- the first start

    def open_setup(self) -> str:
        """A one-time token."""
        token = token_urlsafe(32)
        self._setup = Secret(token), self._now() + SETUP_SECONDS
        return token

    def take_setup(self, request: HttpRequest, token: str) -> None:
        """Raises `Authentication`."""
        setup = self._setup
        if setup is None or self._now() >= setup[1] or not setup[0].matches(token):
            address = self.address(request)
            self.lockout.failed(counted_as(address), self._now())
            raise Authentication("The set-up link is used or too old. Start the gateway again for another one.")
        self._setup = None
        self._was_set_up = True


def _shows_token(request: HttpRequest, session: Session) -> bool:
    return hmac.compare_digest(session.csrf.encode(), header(request, CSRF).encode("latin-1"))


def _of_another_name(request: HttpRequest) -> GatewayError | None:
    """A name of a stranger that leads to this machine (DNS rebinding)."""
    try:
        named = urlsplit(f"//{header(request, b'host')}").hostname
    except ValueError:
        return Permission("Host is no address.")
    return None if is_loopback(named) else Permission(f"Ask for this machine's own address, not for {named!r}.")


def _of_another_site(request: HttpRequest) -> GatewayError | None:
    origin = header(request, b"origin")
    try:
        own = not origin or urlsplit(origin).netloc == header(request, b"host")
    except ValueError:
        return Permission("Origin is no address.")
    if own and header(request, b"sec-fetch-site") != "cross-site":
        return None
    return Permission("Pages of other sites may not use this API.")


def _shown(request: HttpRequest) -> str:
    """The management key, right or wrong, "" for none."""
    authorization = header(request, b"authorization")
    scheme, _, key = authorization.partition(" ")
    if authorization:
        return key.strip() if scheme.lower() == "bearer" else authorization
    return header(request, b"x-management-key")
