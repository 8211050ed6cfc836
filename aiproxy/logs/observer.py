"""The observer: filter, read, render, write. It never raises."""

import time
from typing import TextIO

from twisted.logger import ILogObserver, LogEvent
from twisted.logger import LogLevel as TwistedLevel
from twisted.python.reflect import safe_repr
from zope.interface import implementer

from aiproxy.config.schema import LogFormat, Logging
from aiproxy.logs.json_lines import as_json
from aiproxy.logs.output import FileOutput, Output, StreamOutput
from aiproxy.logs.recent import Recent
from aiproxy.logs.record import Record, read
from aiproxy.logs.scrubbing import Scrubbing
from aiproxy.logs.text import as_text
from aiproxy.logs.threshold import Threshold

MEGABYTE = 1 << 20

_CHATTY = ("twisted.", "log_legacy")
"""Namespaces of Twisted, whose info is debug to us: it tells of every factory and port. The second one is twisted.python.log's."""


@implementer(ILogObserver)
class LogObserver:
    """What Twisted calls with each event. `reopen` and `close` are for who made it."""

    def __init__(
        self,
        threshold: Threshold,
        scrub: Scrubbing,
        output: Output,
        *,
        json: bool,
        terminal: bool,
        recent: Recent | None = None,
    ) -> None:
        self._threshold = threshold
        self._scrub = scrub
        self._output = output
        self._json = json
        self._terminal = terminal
        self._recent = recent

    def __call__(self, event: LogEvent) -> None:
        try:
            level = event.get("log_level", TwistedLevel.info)
            if level is TwistedLevel.info and str(event.get("log_namespace", "")).startswith(_CHATTY):
                level = TwistedLevel.debug
            if self._threshold.lets_through(level):
                record = read(event, self._scrub)
                if self._recent is not None:
                    self._recent.note(record)
                self._output.write(self._render(record))
        except Exception as error:  # noqa: BLE001  # an event may hold anything, and an observer that raises is dropped
            lost = self._scrub(
                f"An event of {safe_repr(event.get('log_namespace'))} can't be shown: {safe_repr(error)}"
            )
            self._output.write(self._render(Record(time.time(), "error", __name__, lost, {}, "")))

    def _render(self, record: Record) -> str:
        return as_json(record) if self._json else as_text(record, terminal=self._terminal)

    def reopen(self) -> None:
        """Raises OSError when the file can't be opened; the old one stays in use then."""
        self._output.reopen()

    def close(self) -> None:
        self._output.close()


def make_observer(
    logging: Logging,
    scrub: Scrubbing,
    stream: TextIO,
    *,
    isatty: bool,
    recent: Recent | None = None,
    threshold: Threshold | None = None,
) -> LogObserver:
    """Goes by `threshold` from then on, for good by `logging.level` where there is none. Writes to the configured file, else to `stream`, which must not be one that is itself logged (twistd replaces
    `sys.stdout` by such a one). Raises OSError when the file can't be opened."""
    output: Output = StreamOutput(stream)
    terminal = isatty and not logging.file
    if logging.file:
        output = FileOutput(logging.file, int(logging.max_total_size_mb * MEGABYTE), output)
    json = logging.format is LogFormat.JSON or (logging.format is LogFormat.AUTO and not terminal)
    threshold = threshold or Threshold(logging.level)
    return LogObserver(threshold, scrub, output, json=json, terminal=terminal, recent=recent)
