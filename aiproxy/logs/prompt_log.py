"""The prompt log: requests and answers in words, a JSON object a line. The reactor only collects an answer's bytes; reading, scrubbing and
writing are a thread's work. What would queue up beyond `MOST_WAITING` is left out and counted: a log must not stop the traffic it
tells of."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from twisted.internet.interfaces import IPushProducer
from twisted.logger import Logger

from aiproxy.logs.output import Output
from aiproxy.logs.prompt_entry import Told, line

MOST_ANSWER = 8 << 20
"""Bytes of one answer that are kept; longer than any text, shorter than some pictures."""

MOST_WAITING = 64 << 20
"""Bytes of requests and answers that may wait for the thread: as one request's limit."""

_log = Logger("aiproxy.prompts")


class Sink(Protocol):
    """Where an answer goes: the gateway's own."""

    def start(self, status: int, headers: Mapping[str, str]) -> None: ...
    def write(self, data: bytes) -> None: ...
    def abort(self) -> None: ...
    def register(self, producer: IPushProducer) -> None: ...
    def unregister(self) -> None: ...


class Copying:
    """A sink that keeps a copy of what passes."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._pieces: list[bytes] = []
        self._size = 0
        self.whole = True
        self.start = sink.start
        self.abort = sink.abort
        self.register = sink.register
        self.unregister = sink.unregister

    def write(self, data: bytes) -> None:
        if self.whole and self._size + len(data) <= MOST_ANSWER:
            self._pieces.append(data)
            self._size += len(data)
        else:
            self.whole = False
        self._sink.write(data)

    @property
    def answer(self) -> bytes:
        return b"".join(self._pieces)


class PromptLog:
    """`in_thread` does one thing after the other and gives a Deferred."""

    def __init__(
        self, output: Output, scrub: Callable[[str], str], in_thread: Callable[..., Any], *, media: bool
    ) -> None:
        self._output = output
        self._scrub = scrub
        self._in_thread = in_thread
        self._media = media
        self._waiting = 0
        self.left_out = 0
        """Calls that were too many to be written."""

    def note(self, told: Told) -> None:
        size = len(told.incoming.body) + len(told.answer)
        if self._waiting + size > MOST_WAITING:
            self.left_out += 1
            if self.left_out == 1:
                _log.warn("the prompt log can't keep up: calls are left out of it")
            return
        self._waiting += size
        self._in_thread(self._write, told).addBoth(self._written, size)

    def _write(self, told: Told) -> None:
        self._output.write(line(told, self._scrub, media=self._media))

    def _written(self, result: Any, size: int) -> None:
        self._waiting -= size
        if result is not None:
            _log.failure("a call could not be written to the prompt log", failure=result)

    def close(self) -> None:
        self._output.close()
