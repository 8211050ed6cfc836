"""One login under way, shown and driven from outside: where it stands, and what a person brings.

Here a person's answer is a Deferred that a request fires."""

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from secrets import token_urlsafe
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.credentials.exchange import Answer, Ask, Web
from aiproxy.credentials.record import Record
from aiproxy.credentials.ways.desk import CALLBACK_SECONDS, LoginFailed, Redirect
from aiproxy.neutral.errors import GatewayError
from aiproxy.storage.store import StoreError

_log = Logger("aiproxy.logins")


class Stage(StrEnum):
    ASKING = "asking"
    """The vendor is asked; nobody has anything to do."""
    WAITING = "waiting"
    """For the person: to open `page`, to type `code` there, to bring back where the browser ends, or a line (`prompt`)."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a login stands. `page`, `code` and `prompt` are "" where there is none; the code is good for `lasts` seconds;
    `takes_callback` says that the address on which the browser ends is waited for. `account` is the new account's id, `problem` one sentence on what failed; `words`
    is what was told on the way."""

    id: str
    provider: str
    way: str
    stage: Stage
    page: str = ""
    code: str = ""
    lasts: float = 0.0
    prompt: str = ""
    takes_callback: bool = False
    words: tuple[str, ...] = ()
    account: str = ""
    problem: str = ""
    closed: str = ""

    @property
    def ended(self) -> bool:
        return self.stage in (Stage.DONE, Stage.FAILED, Stage.CANCELLED)


Listen = Callable[[Redirect, Callable[[str], str]], Callable[[], object]]
"""Listen where a redirect goes; what comes is given to the function, which says what is wrong with it. What is returned stops it.
Raises `OSError` for a port that can't be had."""


class Flow:
    """A `Desk`, of one login."""

    def __init__(
        self, web: Web, standing: Standing, clock: IReactorTime, listen: Listen | None, now: Callable[[], float]
    ) -> None:
        self._web = web
        self._clock = clock
        self._listen = listen
        self._now = now
        self.standing = standing
        self._running: Deferred[Any] | None = None
        self._awaited: Deferred[str] | None = None
        self._judge: Callable[[str], str] = lambda _text: ""

    def run(self, login: Coroutine[Any, Any, Record]) -> None:
        self._running = Deferred.fromCoroutine(login)
        self._running.addCallbacks(self._done, self._failed)

    def cancel(self) -> None:
        if not self.standing.ended and self._running is not None:
            self._show(stage=Stage.CANCELLED)
            self._running.cancel()

    def _done(self, record: Record) -> None:
        _log.info("{account} is logged in at {provider}", account=record.id, provider=self.standing.provider)
        self._show(stage=Stage.DONE, account=record.id)

    def _failed(self, failure: Failure) -> None:
        if failure.check(CancelledError) and self.standing.ended:
            return
        if failure.check(LoginFailed, GatewayError, StoreError):
            self._show(stage=Stage.FAILED, problem=getattr(failure.value, "message", str(failure.value)))
            return
        _log.failure("a bug in logging in", failure=failure)
        self._show(stage=Stage.FAILED, problem="A bug of aiproxy ended the login; the log tells more.")

    def _show(self, **changes: Any) -> None:
        ended: Mapping[str, Any] = {"page": "", "code": "", "lasts": 0.0, "prompt": "", "takes_callback": False}
        waits = changes.get("stage") in (None, Stage.WAITING)
        self.standing = replace(self.standing, **({} if waits else ended), **changes)

    # what the person brings

    def came(self, address: str) -> str:
        if not self.standing.takes_callback or self._awaited is None:
            return "This login waits for no address; it is over, or not so far yet."
        return self._judge(address) or self._give(address)

    def typed(self, line: str) -> str:
        if not self.standing.prompt or self._awaited is None:
            return "This login waits for nothing to be typed."
        return self._give(line)

    def _give(self, text: str) -> str:
        awaited, self._awaited = self._awaited, None
        self._show(stage=Stage.ASKING)
        assert awaited is not None
        awaited.callback(text)
        return ""

    async def _wait(self) -> str:
        awaited: Deferred[str] = Deferred()
        self._awaited = awaited
        awaited.addTimeout(CALLBACK_SECONDS, self._clock, lambda _, seconds: _nobody(seconds))
        return await awaited

    # what a way needs

    async def ask(self, question: Ask) -> Answer:
        return await self._web.ask(question)

    def now(self) -> float:
        return self._now()

    def random(self, length: int) -> str:
        return token_urlsafe(length)

    def tell(self, words: str) -> None:
        self._show(words=(*self.standing.words, words))

    async def pause(self, seconds: float) -> None:
        await deferLater(self._clock, seconds)

    async def visit(self, url: str, code: str = "", lasts: float = 0.0) -> None:
        self._show(stage=Stage.WAITING, page=url, code=code, lasts=lasts)

    async def enter(self, words: str) -> str:
        self._show(stage=Stage.WAITING, prompt=words)
        return await self._wait()

    async def callback(self, url: str, redirect: Redirect, judge: Callable[[str], str]) -> str:
        self._judge = judge
        self._show(stage=Stage.WAITING, page=url, takes_callback=True)
        stop = self._listening(redirect)
        try:
            return await self._wait()
        finally:
            stop()

    def _listening(self, redirect: Redirect) -> Callable[[], object]:
        if self._listen is not None:
            try:
                return self._listen(redirect, self.came)
            except OSError as error:
                ports = ", ".join(map(str, redirect.ports))
                self.tell(f"Port {ports} can't be listened on ({error}): bring the address on which the browser ends.")
        return lambda: None


def _nobody(seconds: float) -> Failure:
    return Failure(LoginFailed(f"Nobody has logged in within {seconds:g} seconds. Begin again."))
