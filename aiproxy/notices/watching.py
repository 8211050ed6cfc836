"""What is worth a notice now, and which of it is news. Pure: times are seconds since the epoch, handed in."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from aiproxy.clients.limits import Standing, Window
from aiproxy.pools.quota import Window as Quota

LONG_REST = 60.0
"""Seconds that an account must still rest to be worth a notice; shorter rests come and go under load."""

LOW = 0.9
"""The share of a quota that is used when it is low."""

BUDGET_STEPS = (1.0, 0.8)
"""Shares of a client's limit over a day or a month at which it is told, the highest first."""

AGAIN_SECONDS = 3600.0
"""After which what is still so is told again."""

MOST_AN_HOUR = 120
"""Notices; what is beyond waits for the next hour, where it is still so."""


@dataclass(frozen=True, slots=True)
class Notice:
    """`kind` and `subject` name it; `words` is one sentence for people."""

    kind: str
    subject: str
    words: str


def seen(
    rests: Iterable[tuple[str, float, str]],
    quotas: Iterable[tuple[str, Quota]],
    standings: Iterable[tuple[str, Standing]],
) -> Iterator[Notice]:
    """From accounts, or models at them, with the seconds they still rest and why, their quotas, and how clients stand with their limits."""
    for account, seconds, reason in rests:
        if seconds >= LONG_REST:
            yield Notice("account.unhealthy", account, f"{account} rests for {seconds:.0f} s more ({reason}).")
    for account, window in quotas:
        if window.used >= LOW:
            yield Notice(
                "quota.low", f"{account} {window.name}", f"{window.used:.0%} of {account}'s {window.name} is used."
            )
    for client, standing in standings:
        limit = standing.limit
        share = standing.used / limit.most if limit.most else 0.0
        step = next((step for step in BUDGET_STEPS if share >= step), None)
        if step is not None and limit.window in (Window.DAY, Window.MONTH):
            who = standing.of.words.replace("This key", client).rstrip(",")
            told = f"{who}: {share:.0%} of {limit.name} is used."
            yield Notice(f"budget.{step * 100:.0f}", f"{who} {limit.name} {step:.0%}", told)


class Watching:
    """Remembers what has been told."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], float] = {}
        self._hour = (0, 0)

    def news(self, notices: Iterable[Notice], now: float) -> list[Notice]:
        """Those to tell now. What is no longer so is forgotten, and news if it comes again."""
        so = {(notice.kind, notice.subject): notice for notice in notices}
        self._told = {key: at for key, at in self._told.items() if key in so}
        hour, count = self._hour
        if hour != int(now // 3600):
            hour, count = int(now // 3600), 0
        due = [key for key in so if now - self._told.get(key, -AGAIN_SECONDS) >= AGAIN_SECONDS][: MOST_AN_HOUR - count]
        self._told.update(dict.fromkeys(due, now))
        self._hour = hour, count + len(due)
        return [so[key] for key in due]
