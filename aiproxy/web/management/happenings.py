"""What happens in a process, found by a look at it a few times a second while somebody listens: calls begun and ended, accounts whose
rests begin or end, what upstreams answer to calls from the console, configurations taken over, lines of the log, and figures once a
second. No call waits for it, or does anything for it while nobody listens."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from twisted.internet.task import LoopingCall

from aiproxy.gateway import Gateway
from aiproxy.logs.recent import Numbered, Recent
from aiproxy.pools.verdict import Scope
from aiproxy.usage import CallRecord
from aiproxy.web.metrics import Counted

LOOK_SECONDS = 0.25
"""Between looks: people see it as at once."""

FIGURES_EVERY = 4
"""Looks between figures: a second."""

MOST_ENDED = 500
"""Calls of one look that are told one by one; of more, the latest. The figures count all."""

MOST_TOLD = 32
"""Of one look, of what others tell: an operator tries one call at a time, which asks a few upstreams."""

KINDS = ("begun", "ended", "upstream", "account", "configuration", "log", "figures", "missed")

News = Sequence[tuple[str, Any]]
"""What one look has found: kinds, and what JSON says of each."""


class Happenings:
    """`configuration` tells when the one in use was taken over, and what is wrong with the latest; `offset` is what lies between
    the gateway's clock and the time of day; `worker` is the number of one of several."""

    def __init__(
        self,
        clock: Any,
        gateway: Gateway,
        recent: Recent,
        counted: Callable[[], Counted],
        configuration: Callable[[], tuple[float, str]],
        offset: Callable[[], float],
        worker: int | None = None,
    ) -> None:
        self._gateway = gateway
        self.mark: Mapping[str, int] = {} if worker is None else {"worker": worker}
        """What calls and lines are told with beside what they are."""
        self._recent = recent
        self._configuration = configuration
        self._offset = offset
        self._counted = counted
        self._ended: list[CallRecord] = []
        self._told_us: deque[tuple[str, Any]] = deque(maxlen=MOST_TOLD)
        self._listeners: list[Callable[[News], None]] = []
        self._looks = LoopingCall(self._look)
        self._looks.clock = clock
        self._number = 0
        self._seen_log = 0
        self._seen_calls: set[str] = set()
        self._seen_rests: Mapping[tuple[str, str, str], tuple[str, float]] = {}
        self._seen_configuration = 0.0, ""

    def listen(self, listener: Callable[[News], None]) -> Callable[[], None]:
        """What is returned ends it."""
        self._listeners.append(listener)
        if not self._looks.running:
            self._mark()
            self._gateway.ended.observers.append(self._observe)
            self._looks.start(LOOK_SECONDS)
        return lambda: self._leave(listener)

    def figures(self) -> Mapping[str, Any]:
        gateway, counted = self._gateway, self._counted()
        mean = counted.first_byte_seconds / counted.first_bytes if counted.first_bytes else None
        return {
            "at": gateway.now() + self._offset(),
            "under-way": gateway.under_way,
            "waiting": gateway.pool.waiting,
            "requests": counted.requests,
            "failed": counted.failed,
            "attempts": counted.attempts,
            "input-tokens": counted.input,
            "output-tokens": counted.output,
            "cost-usd": counted.cost,
            "first-byte-seconds": mean,
            "first-bytes": counted.first_bytes,
        }

    def under_way(self) -> Sequence[Mapping[str, Any]]:
        """Calls that have not ended, the latest first."""
        records = sorted(self._gateway.records_under_way, key=lambda record: -record.started)
        return [self._told(record) for record in records]

    def tell(self, kind: str, value: Mapping[str, Any]) -> None:
        """Something that no look would find."""
        if self._listeners:
            self._told_us.append((kind, value))

    # -- looks

    def _observe(self, records: Sequence[CallRecord]) -> None:
        self._ended += records
        del self._ended[:-MOST_ENDED]

    def _leave(self, listener: Callable[[News], None]) -> None:
        if listener in self._listeners:
            self._listeners.remove(listener)
        if not self._listeners and self._looks.running:
            self._looks.stop()
            self._gateway.ended.observers.remove(self._observe)
            self._ended.clear()
            self._told_us.clear()

    def _mark(self) -> None:
        """What is so now is no news."""
        self._number = 0
        self._seen_log = self._recent.as_of()
        self._seen_calls = {record.request_id for record in self._gateway.records_under_way}
        self._seen_rests = self._rests()
        self._seen_configuration = self._configuration()

    def _look(self) -> None:
        news = list(self._news())
        for listener in self._listeners.copy():
            listener(news)

    def _news(self) -> Iterator[tuple[str, Any]]:
        if self._number % FIGURES_EVERY == 0:
            yield "figures", self.figures()
        self._number += 1
        records = {record.request_id: record for record in self._gateway.records_under_way}
        for request_id, record in records.items():
            if request_id not in self._seen_calls:
                yield "begun", self._told(record)
        self._seen_calls = set(records)
        while self._told_us:
            yield self._told_us.popleft()
        ended, self._ended = self._ended, []
        for record in ended:
            yield "ended", self._told(record)
        yield from self._accounts()
        if (configuration := self._configuration()) != self._seen_configuration:
            self._seen_configuration = configuration
            yield "configuration", {"at": configuration[0], "problem": configuration[1]}
        for each in self._recent.after(self._seen_log):
            self._seen_log = each.number
            yield "log", {**line(each), **self.mark}

    def _accounts(self) -> Iterator[tuple[str, Any]]:
        pool = self._gateway.pool
        before, now = self._seen_rests, self._rests()
        self._seen_rests = now
        for place in before.keys() ^ now.keys():
            scope, name, model = place
            reason, until = now.get(place, before.get(place, ("", 0.0)))
            told = {"of": scope, "name": name, "model": model, "reason": reason, "rests": place in now}
            yield "account", {**told, "until": until if place in now else None, "disabled": name in pool.disabled}

    def _rests(self) -> Mapping[tuple[str, str, str], tuple[str, float]]:
        ahead, pool = self._offset(), self._gateway.pool
        found = {
            (scope.value, name, model): (health.reason, health.ready_at + ahead)
            for (scope, name, model), health in pool.resting()
        }
        return {**found, **{(Scope.ACCOUNT.value, name, "disabled"): ("disabled", 0.0) for name in pool.disabled}}

    def _told(self, record: CallRecord) -> Mapping[str, Any]:
        end = self._gateway.now() if record.ended is None else record.ended
        last = record.attempts[-1] if record.attempts else None
        costs = [attempt.cost for attempt in record.attempts if attempt.cost is not None]
        return {
            "request_id": record.request_id,
            "at": record.started + self._offset(),
            "client": record.client,
            "protocol": record.protocol,
            "operation": record.operation,
            "model": record.model,
            "streamed": record.streamed,
            "account": last.account if last else record.choices[-1].account if record.choices else "",
            "provider": record.provider,
            "attempts": len(record.attempts),
            "seconds": end - record.started,
            "first_byte": None if record.first_byte is None else record.first_byte - record.started,
            "outcome": record.outcome or "",
            "error": record.error,
            "tokens": sum((each.usage.output_total or 0) for each in record.attempts if each.usage),
            "cost": sum(costs) if costs else None,
            **self.mark,
        }


def line(each: Numbered) -> Mapping[str, Any]:
    record = each.record
    fields = {name: value for name, value in record.fields.items() if name not in ("msg", "level", "time", "logger")}
    return {
        "number": each.number,
        "at": record.time,
        "level": record.level,
        "logger": record.logger,
        "message": record.message,
        "traceback": record.traceback,
        "fields": fields,
    }


def kinds_of(text: str) -> Collection[str]:
    """Of an argument with commas. Raises `ValueError` that names what is none."""
    found = [kind for kind in text.split(",") if kind]
    for kind in found:
        if kind not in KINDS:
            raise ValueError(f"{kind!r} is none of {', '.join(KINDS)}")
    return found
