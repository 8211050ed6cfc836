"""A login's desk in a terminal: questions to vendors over blocking connections, a browser, a page to come back to, a line typed."""

import select
import sys
import time
import webbrowser
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import ExitStack, closing
from secrets import token_urlsafe
from threading import Thread
from typing import Any, TypeVar
from urllib.parse import urlsplit

import click

from aiproxy.credentials.base import Way
from aiproxy.credentials.exchange import ANSWER_BYTES, Answer, Ask
from aiproxy.credentials.ways.desk import CALLBACK_SECONDS, LoginFailed, Redirect
from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.storage.blocking_http import BlockingHttp
from aiproxy.storage.store import Unavailable
from aiproxy_config.listener import CallbackListener

T = TypeVar("T")

ANSWER_SECONDS = 15.0
"""Longest wait for a vendor's whole answer, however it trickles: less than a lock is held for (`HELD_SECONDS`), so that nobody
else sends a refresh token meanwhile."""

MOST_REFUSED = 20
"""Wrong answers that are passed over: pages of older tries reload by themselves."""


def run(doing: Coroutine[Any, Any, T]) -> T:
    """A coroutine whose every wait blocks: it ends at its first step."""
    try:
        doing.send(None)
    except StopIteration as ended:
        found: T = ended.value
        return found
    raise AssertionError("this waits for a reactor")


class BlockingWeb:
    """A `Web` by the proxies of the environment. A connection for each question: a kept one that died would have a token that
    is single use sent twice."""

    def __init__(self, _way: Way | None = None, _patience: float = 0) -> None:
        """As who renews wants it; the way is the environment's, the patience `ANSWER_SECONDS`."""

    async def ask(self, question: Ask) -> Answer:
        parts = urlsplit(question.url)
        origin = f"{parts.scheme}://{parts.netloc}"
        answered: Future[Answer] = Future()
        # A thread that nobody waits for at the end: a read has a time limit, all of them together have none.
        Thread(target=_fetch, args=(question, origin, answered), daemon=True).start()
        try:
            return answered.result(ANSWER_SECONDS)
        except TimeoutError:
            raise UpstreamFailed(f"{origin} gave no answer within {ANSWER_SECONDS:g} s.") from None
        except Unavailable as error:
            raise UpstreamFailed(str(error)) from error


def _fetch(question: Ask, origin: str, answered: Future[Answer]) -> None:
    parts = urlsplit(question.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = {"host": parts.netloc, **dict(question.headers)}
    try:
        with closing(BlockingHttp(origin, ANSWER_SECONDS)) as http:
            got = http.send(question.method, target, headers, question.body, ANSWER_BYTES)
    except Exception as error:  # noqa: BLE001 - raised again by whoever asked
        answered.set_exception(error)
    else:
        answered.set_result(Answer(got.status, got.headers, got.body))


class Terminal(BlockingWeb):
    """A `Desk`. `browser`: open pages, not only show them."""

    def __init__(self, *, browser: bool, seconds: float = CALLBACK_SECONDS) -> None:
        super().__init__()
        self._browser = browser
        self._seconds = seconds

    def now(self) -> float:
        return time.time()

    def random(self, length: int) -> str:
        return token_urlsafe(length)

    def tell(self, words: str) -> None:
        click.echo(words, err=True)

    async def pause(self, seconds: float) -> None:
        time.sleep(seconds)  # noqa: ASYNC251 - there is no loop to block

    async def visit(self, url: str, code: str = "", lasts: float = 0.0) -> None:
        self.tell(f"Open this page and log in:\n\n  {url}\n")
        if code:
            self.tell(f"The code to type there: {code}\n")
        if self._browser:
            webbrowser.open(url)
        if code:
            within = f", within {lasts / 60:.0f} minutes" if lasts else ""
            self.tell(f"Waiting until the code is typed{within} …")

    async def enter(self, words: str) -> str:
        typed: str = click.prompt(words, err=True)
        return typed

    async def callback(self, url: str, redirect: Redirect, judge: Callable[[str], str]) -> str:
        with ExitStack() as held:
            listener = self._listening(redirect)
            if listener is not None:
                held.enter_context(listener)
            await self.visit(url)
            return self._waited(listener, judge, redirect.url)

    def _listening(self, redirect: Redirect) -> CallbackListener | None:
        try:
            return CallbackListener(redirect.ports, redirect.paths)
        except OSError as error:
            if redirect.url:  # the address is brought by hand anyway
                return None
            raise LoginFailed(
                f"Port {redirect.port} of this machine can't be listened on ({error.strerror}). End the program that has it, or "
                "choose another one with --callback-port where the vendor allows that."
            ) from error

    def _waited(self, listener: CallbackListener | None, judge: Callable[[str], str], elsewhere: str) -> str:
        where = " If the browser is on another machine, its last page can't be shown: copy that page's address."
        if elsewhere:
            where = f" The browser will end on {elsewhere}?…, which it may not be able to open: copy that address."
        self.tell(f"Waiting for the login …{where}\nPaste the address here, if need be, and press Enter:")
        until, refused, typing = time.monotonic() + self._seconds, 0, True
        while refused < MOST_REFUSED:
            sources = [*(listener.sources if listener else ()), *([sys.stdin] if typing else ())]
            ready, _, _ = (
                select.select(sources, [], [], max(0.0, until - time.monotonic())) if sources else ([], [], [])
            )
            if not ready:
                break
            if listener is not None and ready[0] is not sys.stdin:
                found = listener.receive(ready[0], judge)
                if found:
                    return found
                refused += found is not None
                continue
            line = sys.stdin.readline()
            if not line:  # nobody types here
                typing = False
            elif line.strip():
                if not (wrong := judge(line)):
                    return line
                refused += 1
                self.tell(wrong)
        raise LoginFailed(f"Nobody has logged in within {self._seconds:g} seconds. Begin again.")
