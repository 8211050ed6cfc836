"""What vendors say of accounts' quotas: heard beside their answers, and asked for where they tell it to who asks.

Asked are accounts that calls have used since they were asked last, at an interval; one whose quota a call has found used up, at
once, for its vendor knows until when; and any, by hand. Never more than one question of an account at a time."""

from collections.abc import Callable, Iterable, Mapping
from random import Random
from time import time

import orjson
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.codecs.failures import error_of
from aiproxy.credentials.sending import send
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.gateway.upstream_headers import headers_for
from aiproxy.neutral.errors import Billing, GatewayError, QuotaExhausted, Timeout, UpstreamFailed
from aiproxy.pools.pool import Pool
from aiproxy.pools.quota import QuotaBook, Window
from aiproxy.providers.base import Upstream
from aiproxy.transports.base import Request
from aiproxy.transports.body import read_body
from aiproxy.usage import CallRecord

PATIENCE_SECONDS = 30.0
"""Longest wait for an answer: what the vendors' own programs give theirs."""

ANSWER_BYTES = 1 << 20
"""Most bytes of an answer that are read: the largest, a list of all models, has tens of thousands."""

SPREAD = 0.5
"""Share of the interval over which a round's questions are spread at random, so that no vendor sees them in step."""

USED_UP = frozenset((QuotaExhausted.kind, Billing.kind))
"""Kinds of errors after which a vendor is asked at once."""

_log = Logger("aiproxy.quotas")

Windows = Mapping[str, Window]


class QuotaQuestions:
    """`snapshot` gives the configuration in effect."""

    def __init__(
        self, clock: IReactorTime, random: Random, pool: Pool, book: QuotaBook, snapshot: Callable[[], Snapshot]
    ) -> None:
        self._clock = clock
        self._random = random
        self._pool = pool
        self._book = book
        self._snapshot = snapshot
        self._started = False
        self._used: set[str] = set()
        self._alarms: set[IDelayedCall] = set()
        self._running: dict[str, Deferred[None]] = {}
        self._waiting: dict[str, list[Deferred[Windows]]] = {}

    def start(self) -> None:
        self._started = True
        self.follow()

    def follow(self) -> None:
        """Go by the configuration in effect, from now on."""
        self._cancel_alarms()
        if self._started and self._snapshot().settings.quota_check.enabled:
            self._later(self._snapshot().settings.quota_check.interval, self._round)

    def stop(self) -> None:
        self._started = False
        self._cancel_alarms()
        for running in list(self._running.values()):
            running.cancel()

    # -- what is heard

    def heard(self, account: str, windows: Iterable[Window], asked: float) -> None:
        """What a vendor says of an account's windows, to a request of that time by the clock; the pool goes by it from now on.
        Some is left again of what the vendor itself called used up before, and says otherwise of now: nothing else ends a
        rest, and no answer ends one that began after it was asked for."""
        now = time()
        before = self._book.full(account, now)
        self._book.saw(account, windows)
        used_up = {model: until - now for model, until in self._book.used_up(account, now).items()}
        fullest = self._book.fullest(account, now)
        spent = None
        if fullest is not None:
            lasts = self._snapshot().settings.quota_check.interval if fullest.ends is None else fullest.ends - now
            spent = fullest.used, lasts
        self._pool.told_quota(account, used_up, before - self._book.full(account, now), asked, spent)

    def observe(self, record: CallRecord) -> None:
        """A call has ended."""
        for attempt in record.attempts:
            self._used.add(attempt.account)
            if attempt.error in USED_UP and self._started and self._snapshot().settings.quota_check.enabled:
                self._ask_unless_asked(attempt.account)

    # -- what is asked

    def ask(self, account: str) -> "Deferred[Windows]":
        """The account's windows, asked for now, or with the question that is under way. Fails with a `GatewayError`; what is
        known already where its vendor can't be asked."""
        waiting: Deferred[Windows] = Deferred(lambda gone: self._waiting[account].remove(gone))
        self._waiting.setdefault(account, []).append(waiting)
        if not self._ask_unless_asked(account):
            self._settle(account, None)
        return waiting

    def _ask_unless_asked(self, account: str) -> bool:
        """Whether a question is under way, or was and has been answered."""
        upstream = self._snapshot().upstreams.get(account)
        if upstream is None or upstream.quota is None:
            return False
        if account in self._running:
            return True
        self._used.discard(account)
        running = Deferred.fromCoroutine(self._ask(self._snapshot(), upstream))
        if not running.called:
            self._running[account] = running
        running.addBoth(self._ended, account)
        return True

    async def _ask(self, snapshot: Snapshot, upstream: Upstream) -> None:
        """Raises `GatewayError`."""
        question, way = upstream.quota, snapshot.ways[upstream.id]
        assert question is not None
        body = b"" if question.body is None else orjson.dumps(question.body)
        kind = {} if question.body is None else {"content-type": "application/json"}
        headers = {**headers_for(upstream, {"accept": "application/json"}, {}), **kind, **question.headers}
        method = "GET" if question.body is None else "POST"
        request = Request(method, question.url, tuple(headers.items()), body, way.proxy)
        credential = question.credential or upstream.credential
        try:
            sending = Deferred.fromCoroutine(send(request, credential, way))
            sent = await sending.addTimeout(PATIENCE_SECONDS, self._clock)
            response = sent.response
            said = await read_body(response, ANSWER_BYTES, self._clock, PATIENCE_SECONDS)
        except TookTooLong:
            raise Timeout(f"No word of a quota within {PATIENCE_SECONDS:g} s.") from None
        if response.status != 200:
            raise error_of(response.status, response.headers, said)
        try:
            found = orjson.loads(said)
        except ValueError as error:
            raise UpstreamFailed("What should tell of a quota is not JSON.") from error
        self.heard(upstream.id, question.read(found if isinstance(found, dict) else {}, time()), sent.at)

    def _ended(self, result: object, account: str) -> None:
        self._running.pop(account, None)
        self._settle(account, result if isinstance(result, Failure) else None)
        match result:
            case Failure(value=GatewayError(kind=kind)):
                _log.info("{account} doesn't tell its quota: {why}", account=account, why=kind)
            case Failure() if not result.check(CancelledError):
                _log.failure("the question for {account}'s quota broke", failure=result, account=account)

    def _settle(self, account: str, failure: Failure | None) -> None:
        for waiting in self._waiting.pop(account, ()):
            if failure is not None:
                waiting.errback(failure)
            else:
                waiting.callback(self._book.of(account, time()))

    # -- rounds

    def _round(self) -> None:
        interval = self._snapshot().settings.quota_check.interval
        for account in sorted(self._used):
            self._later(self._random.random() * interval * SPREAD, self._ask_unless_asked, account)
        self._used.clear()
        self._later(interval, self._round)

    def _later(self, seconds: float, do: Callable[..., object], *arguments: str) -> None:
        def due() -> None:
            self._alarms.discard(alarm)
            do(*arguments)

        alarm = self._clock.callLater(seconds, due)
        self._alarms.add(alarm)

    def _cancel_alarms(self) -> None:
        for alarm in self._alarms:
            alarm.cancel()
        self._alarms.clear()
