"""Asking accounts whether they work, when nobody else does: at the start, from time to time, or by hand.

An account with a `check-model` is asked for a few tokens of it, which proves all; another one for its provider's list of
models, which costs nothing and proves the way and the key, but says nothing of limits and quotas. Where a provider has no
list, the account's first model is asked."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.report import Report
from aiproxy.credentials.base import Way
from aiproxy.credentials.sending import send
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.gateway.upstream_headers import headers_for
from aiproxy.neutral.errors import GatewayError, Timeout
from aiproxy.neutral.parts import TextPart
from aiproxy.neutral.request import GenerateRequest, SamplingParams, Turn
from aiproxy.pools.pool import Pool
from aiproxy.providers.base import Endpoint, Operation, Upstream
from aiproxy.transports.base import Request
from aiproxy.transports.body import read_body

PATIENCE_SECONDS = 30.0
"""Longest wait for an answer: one token of a loaded model may take as long as people wait for the first of theirs."""

ANSWER_BYTES = 1 << 20
"""Most bytes of an answer that are read: it is looked at for errors only."""

CHECK_TOKENS = 16
"""Most tokens of an answer to a check: the fewest that OpenAI's Responses takes as a limit."""

SPREAD = 0.5
"""Share of the interval over which the checks of a round are spread at random, so that no upstream sees them in step."""

SPREAD_AT_START = 2.0
"""Seconds over which the checks at the start are spread."""

_log = Logger("aiproxy.checks")


@dataclass(frozen=True, slots=True)
class Question:
    """What an account is asked; `model` is "" where it is only for its list."""

    endpoint: Endpoint
    request: Request
    model: str


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of a question. Not `asked`: there is nothing to ask this account for. `model` is "" where it was its list."""

    asked: bool
    model: str = ""
    error: GatewayError | None = None
    seconds: float = 0.0


class HealthChecks:
    """`snapshot` gives the configuration in effect. Never more than one check of an account at a time."""

    def __init__(self, clock: IReactorTime, random: Random, pool: Pool, snapshot: Callable[[], Snapshot]) -> None:
        self._clock = clock
        self._random = random
        self._pool = pool
        self._snapshot = snapshot
        self._alarms: set[IDelayedCall] = set()
        self._running: dict[str, Deferred[Checked]] = {}
        self._failing: set[str] = set()

    def start(self) -> None:
        settings = self._snapshot().settings.health_check
        self.follow()
        if settings.startup:
            self._ask_all(SPREAD_AT_START)

    def follow(self) -> None:
        """Go by the configuration in effect, from now on."""
        self._cancel_alarms()
        if self._snapshot().settings.health_check.enabled:
            self._later(self._snapshot().settings.health_check.interval, self._round)

    def stop(self) -> None:
        self._cancel_alarms()
        for running in list(self._running.values()):
            running.cancel()

    def check(self, account: str) -> None:
        """Ask this account now, unless that is being done."""
        upstream = self._snapshot().upstreams.get(account)
        if upstream is None or account in self._running:
            return
        running = Deferred.fromCoroutine(self._check(self._snapshot(), upstream))
        if not running.called:
            self._running[account] = running
        running.addBoth(self._ended, account)

    async def ask(self, account: str, model: str = "") -> Checked:
        """Ask this account of the configuration in effect now, for a few tokens of this model if one is named, and tell what came.
        The pool goes by it, too. Raises `KeyError` for an account that there is not."""
        snapshot = self._snapshot()
        upstream = snapshot.upstreams[account]
        return await self._check(snapshot, replace(upstream, check_model=model) if model else upstream)

    # -- rounds

    def _round(self) -> None:
        interval = self._snapshot().settings.health_check.interval
        self._ask_all(interval * SPREAD)
        self._later(interval, self._round)

    def _ask_all(self, spread: float) -> None:
        snapshot = self._snapshot()
        providers = {name.lower() for name in snapshot.settings.health_check.providers}
        for upstream in snapshot.upstreams.values():
            if upstream.id not in self._pool.disabled and (
                not providers or upstream.provider.name.lower() in providers
            ):
                self._later(self._random.random() * spread, self.check, upstream.id)

    def _later(self, seconds: float, do: Callable[..., None], *arguments: str) -> None:
        def due() -> None:
            self._alarms.discard(alarm)
            do(*arguments)

        alarm = self._clock.callLater(seconds, due)
        self._alarms.add(alarm)

    def _cancel_alarms(self) -> None:
        for alarm in self._alarms:
            alarm.cancel()
        self._alarms.clear()

    # -- one check

    async def _check(self, snapshot: Snapshot, upstream: Upstream) -> Checked:
        question = _question(upstream, snapshot)
        if question is None:
            return Checked(asked=False)
        began = self._clock.seconds()
        error = await self._failure(question, snapshot.ways[upstream.id], upstream)
        self._found(upstream, error, question.model)
        return Checked(True, question.model, error, self._clock.seconds() - began)

    async def _failure(self, question: Question, way: Way, upstream: Upstream) -> GatewayError | None:
        """None where it works."""
        try:
            sending = Deferred.fromCoroutine(send(question.request, upstream.credential, way, upstream.provider.stale))
            response = (await sending.addTimeout(PATIENCE_SECONDS, self._clock)).response
            body = await read_body(response, ANSWER_BYTES, self._clock, PATIENCE_SECONDS)
            if not 200 <= response.status < 300:
                return question.endpoint.wire.decode_error(response.status, response.headers, body)
        except TookTooLong:
            return Timeout(f"No answer to a check within {PATIENCE_SECONDS:g} s.")
        except GatewayError as error:
            return error
        return None

    def _found(self, upstream: Upstream, error: GatewayError | None, model: str) -> None:
        self._pool.found(upstream.id, error, model)
        if error is None and upstream.id in self._failing:
            self._failing.discard(upstream.id)
            _log.info("{account} works again", account=upstream.id)
        elif error is not None and upstream.id not in self._failing:
            self._failing.add(upstream.id)
            _log.warn("{account} fails its check: {kind}", account=upstream.id, kind=error.kind)

    def _ended(self, result: object, account: str) -> None:
        self._running.pop(account, None)
        if isinstance(result, Failure) and not result.check(CancelledError):
            _log.failure("the check of {account} broke", failure=result, account=account)


def _question(upstream: Upstream, snapshot: Snapshot) -> Question | None:
    provider, proxy = upstream.provider, snapshot.ways[upstream.id].proxy
    lists = next((each for each in provider.endpoints if each.operation is Operation.MODELS), None)
    if lists is not None and not upstream.check_model:
        headers = tuple(headers_for(upstream, {}, {}).items())
        return Question(lists, Request("GET", upstream.base_url + lists.path, headers, b"", proxy), "")
    model = upstream.check_model or next((served.name for names in upstream.models.values() for served in names), "")
    chat = provider.endpoint(Operation.CHAT, "", model)
    if not model or chat is None or chat.codec is None:
        return None
    hi = (Turn("user", (TextPart("Hi"),)),)
    asked = GenerateRequest(model, hi, sampling=SamplingParams(max_output_tokens=CHECK_TOKENS))
    outgoing = chat.codec.encode_request(
        Exchange(asked, Sealer(snapshot.sealing_key), "check", capabilities=snapshot.capabilities(model, provider))
    )
    body = chat.repaired(outgoing.body, Report(), upstream.members)
    said = {"content-type": "application/json", **headers_for(upstream, outgoing.headers, {}), **chat.headers(body)}
    url = chat.url(upstream.base_url, model, stream=False)
    return Question(chat, Request("POST", url, tuple(said.items()), body, proxy), model)
