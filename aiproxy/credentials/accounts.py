"""The logins whose credential files a running gateway uses: their tokens, renewed ahead of their end or when one is refused.

A renewal that has begun is never given up: the vendor may have taken the old refresh token out of use already. Whoever waits
for one may leave; it goes on, and ends in the file."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from random import Random
from time import time
from typing import Any

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.credentials.base import Credential, Way
from aiproxy.credentials.login import Login
from aiproxy.credentials.record import Record, Unreadable
from aiproxy.credentials.renewer import Renewer, usable
from aiproxy.credentials.schedule import AT_ONCE, TICK_SECONDS, Failures, due
from aiproxy.credentials.token import Token, TokenCredential
from aiproxy.neutral.errors import CredentialRefused, GatewayError, UpstreamFailed
from aiproxy.secrets import Secret

_log = Logger("aiproxy.accounts")


@dataclass(frozen=True, slots=True)
class Used:
    """An account in use: how it logs in, and the way it goes."""

    login: Login
    way: Way


class Accounts:
    """`renewed` is told of every record with new tokens."""

    def __init__(self, clock: Any, renewer: Renewer, random: Random, now: Callable[[], float] = time) -> None:
        self._renewer = renewer
        renewer.seen = self._seen
        self._random = random
        self._now = now
        self._records: dict[str, Record] = {}
        self._used: Mapping[str, Used] = {}
        self._due: dict[str, float] = {}
        self._failures: dict[str, Failures] = {}
        self._renewing: dict[str, _Renewing] = {}
        self._all = DeferredSemaphore(AT_ONCE)
        self._of_provider: dict[str, DeferredSemaphore] = {}
        self._ticks = LoopingCall(self._tick)
        self._ticks.clock = clock
        self.renewed: Callable[[Record], object] = lambda _record: None

    # -- what is in use

    def follow(self, records: Iterable[Record], used: Mapping[str, Used]) -> None:
        """These files from now on; `used` by the file's name. A reading that is older than what was saved here since counts
        for nothing."""
        before, self._records = self._records, {}
        for record in records:
            known = before.get(record.name)
            stale = known is not None and record.version != known.version and self.ours(record.name, record.version)
            self._records[record.name] = known if stale and known is not None else record
        for gone in before.keys() - self._records.keys():
            self._renewer.forget(gone)
            self._failures.pop(gone, None)
        self._used = used
        self._due = {}
        for name in self._records:
            self._plan(name)

    def _seen(self, record: Record) -> None:
        if record.name in self._records:
            self._records[record.name] = record

    def ours(self, name: str, version: str) -> bool:
        """Whether this version of a file is one that we have written."""
        return self._renewer.ours(name, version)

    def credential(self, login: Login, record: Record) -> Credential:
        if login.signing is not None:
            return login.signing(record)
        return TokenCredential(AccountGrant(self, login, record))

    @property
    def secrets(self) -> list[Secret]:
        return [secret for record in self._records.values() for secret in record.secrets]

    def refused(self) -> Mapping[str, str]:
        """The accounts whose vendor won't have them any more, and why."""
        found = {}
        for name, used in self._used.items():
            record = self._records.get(name)
            if record is not None and (why := used.login.refused(record)):
                found[record.id] = f"{why} To log in again: `aiproxy-config login {used.login.provider}`"
        return found

    def start(self) -> None:
        self._ticks.start(TICK_SECONDS)

    async def stop(self) -> None:
        """Renewals under way come to their end."""
        if self._ticks.running:
            self._ticks.stop()
        for renewing in list(self._renewing.values()):
            await renewing.ended

    @property
    def records(self) -> Mapping[str, Record]:
        """All files that a kind of login is known for, by the document's name; those that are disabled, too."""
        return self._records

    # -- tokens

    async def refresh(self, login: Login, name: str, way: Way) -> Record:
        """Renew it now, whether or not it ends soon. Raises `KeyError` for a file that there is not, and as `token` does."""
        record = self._records[name]
        if not login.renewable(record):
            why = login.refused(record) or "it has no refresh token"
            raise CredentialRefused(f"The account {way.account!r} can't be refreshed ({why}).")
        return await self._renewal(login, name, record.text(*login.access), way).wait()

    async def token(self, login: Login, name: str, given: str, way: Way) -> Token:
        """One to call with. `given` is the one that was handed out before: it nears its end, or was refused.

        Raises `CredentialRefused` and other `UpstreamFailed`."""
        record = self._records.get(name)
        if record is None:
            raise CredentialRefused(f"The credential file of the account {way.account!r} is gone.")
        if (found := usable(login, record, given, self._now())) is not None:
            return found
        if not login.renewable(record):
            why = login.refused(record) or "it has no refresh token"
            next_step = f"aiproxy-config login {login.provider}"
            raise CredentialRefused(f"The account {way.account!r} must be logged in again ({why}): {next_step}")
        renewed = await self._renewal(login, name, given, way).wait()
        found = usable(login, renewed, given, self._now())
        if found is None:
            raise UpstreamFailed(
                f"The account {way.account!r} was given a token that has ended already: check the clock."
            )
        return found

    def _renewal(self, login: Login, name: str, given: str, way: Way) -> "_Renewing":
        """The one under way, or a new one."""
        renewing = self._renewing.get(name)
        if renewing is None:
            renewing = self._renewing[name] = _Renewing()
            asked = Deferred.fromCoroutine(self._renewer.renew(login, name, given, way))
            asked.addBoth(self._ended, name).addBoth(renewing.end)
        return renewing

    def _ended(self, result: Record | Failure, name: str) -> Record | Failure:
        del self._renewing[name]
        if isinstance(result, Failure):
            after = result.value.retry_after if isinstance(result.value, GatewayError) else None
            self._failures[name] = self._failures.get(name, Failures()).one_more(self._now(), after, self._random)
        else:
            self._failures.pop(name, None)
            self.renewed(result)
        self._plan(name)
        return result

    # -- ahead of the end

    def _plan(self, name: str) -> None:
        record, used = self._records.get(name), self._used.get(name)
        self._due.pop(name, None)
        if record is None or used is None:
            return
        try:
            if not used.login.renewable(record):
                return
            at = due(used.login.tokens(record), used.login.lead, self._random)
        except Unreadable:
            return
        if at is not None:
            self._due[name] = max(at, self._failures.get(name, Failures()).not_before)

    def _tick(self) -> None:
        now = self._now()
        for name in [name for name, at in self._due.items() if at <= now]:
            del self._due[name]
            Deferred.fromCoroutine(self._ahead(name)).addErrback(_failed)

    async def _ahead(self, name: str) -> None:
        used = self._used.get(name)
        if used is None:
            return
        lane = self._of_provider.setdefault(used.login.provider, DeferredSemaphore(used.login.parallel))
        await lane.acquire()
        await self._all.acquire()
        try:
            record = self._records.get(name)
            if record is not None:
                await self._renewal(used.login, name, record.text(*used.login.access), used.way).wait()
        except GatewayError as error:
            _log.info("account {account}: not renewed yet: {why}", account=used.way.account, why=error.message)
        finally:
            self._all.release()
            lane.release()


class AccountGrant:
    """A `Grant` by credential file."""

    def __init__(self, accounts: Accounts, login: Login, record: Record) -> None:
        self._accounts = accounts
        self.login = login
        self.name = record.name
        self._identity = login.identity(record)
        self._given = ""

    @property
    def identity(self) -> str:
        return self._identity

    def __eq__(self, other: object) -> bool:
        return isinstance(other, AccountGrant) and self._key == other._key

    def __hash__(self) -> int:
        return hash((self.name, self._identity))

    @property
    def _key(self) -> tuple[str, str, Login]:
        return self.name, self._identity, self.login

    async def ask(self, way: Way) -> Token:
        token = await self._accounts.token(self.login, self.name, self._given, way)
        self._given = token.access.reveal()
        return token


class _Renewing:
    """A renewal under way, and who waits for it."""

    def __init__(self) -> None:
        self._waiting: list[Deferred[Record]] = []
        self.ended: Deferred[None] = Deferred()

    def wait(self) -> Deferred[Record]:
        waiting: Deferred[Record] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        return waiting

    def end(self, result: Record | Failure) -> None:
        waited, self._waiting = self._waiting, []
        for waiting in waited:
            if isinstance(result, Failure):
                waiting.errback(result)
            else:
                waiting.callback(result)
        if isinstance(result, Failure) and not result.check(GatewayError):
            _log.failure("a bug in renewing a login", failure=result)
        self.ended.callback(None)


def _failed(failure: Failure) -> None:
    _log.failure("a bug in renewing a login", failure=failure)
