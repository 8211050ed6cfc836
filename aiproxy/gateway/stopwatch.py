"""How long the phases of one attempt take, by the clock of its setting."""

from aiproxy.gateway.relay import Setting
from aiproxy.neutral.timing import Timing


class Stopwatch:
    def __init__(self, setting: Setting) -> None:
        self._clock = setting.clock
        self._received = setting.call.record.started
        self._sent = setting.head.sent
        self._first: float | None = None

    def first_word(self) -> None:
        """Something the client waits for has come; only the first time counts."""
        if self._first is None:
            self._first = self._clock.seconds()

    def read(self) -> Timing:
        now = self._clock.seconds()
        first = now if self._first is None else self._first
        return Timing(self._sent - self._received, first - self._sent, now - first)
