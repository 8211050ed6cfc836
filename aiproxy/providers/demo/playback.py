"""Plays steps as the body of an answer: by the clock, at the reader's pace, and gone at once when it leaves."""

from collections.abc import Iterator, Mapping

from twisted.internet.error import ConnectionAborted, ConnectionLost
from twisted.internet.interfaces import IDelayedCall, IProtocol, IPushProducer, IReactorTime
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from zope.interface import implementer

from aiproxy.providers.demo.faults import Send, Step, Stop

MOST_STEPS_A_READ = 64
"""Steps due together that are pushed together, before other connections get their turn."""


@implementer(IPushProducer)
class Playback:
    """A `transports.Response`, and the producer of its own body.

    At most one timer is set, and none while the reader pauses, after a stall, and after the end. An abort is told to the
    reader in the next turn, as TCP does."""

    def __init__(
        self,
        clock: IReactorTime,
        status: int,
        headers: Mapping[str, str],
        steps: Iterator[Step],
        *,
        latency: float = 0.0,
        tps: float = 0.0,
    ) -> None:
        self.status = status
        self.headers = headers
        self._clock = clock
        self._steps = steps
        self._step: Step | None = None
        self._due = latency
        self._tps = tps
        self._reader: IProtocol | None = None
        self._paused = False
        self._timer: IDelayedCall | None = None

    def deliver(self, body: IProtocol) -> None:
        self._reader = body
        self._due += self._clock.seconds()
        self._take()
        body.makeConnection(self)  # type: ignore[arg-type]  # a reader needs no more of a transport than this
        self._wait()

    def abort(self) -> None:
        self._unset()
        if self._reader is not None:
            reader, self._reader = self._reader, None
            self._clock.callLater(0, reader.connectionLost, Failure(ConnectionAborted()))

    def pauseProducing(self) -> None:
        self._paused = True
        self._unset()

    def resumeProducing(self) -> None:
        self._paused = False
        self._wait()

    def stopProducing(self) -> None:
        self.abort()

    def abortConnection(self) -> None:
        self.abort()

    def loseConnection(self) -> None:
        self.abort()

    def _take(self) -> None:
        self._step = next(self._steps, None)
        if self._tps and isinstance(self._step, Send):
            self._due += self._step.tokens / self._tps

    def _wait(self) -> None:
        if self._reader is not None and not self._paused and self._timer is None:
            self._timer = self._clock.callLater(max(0.0, self._due - self._clock.seconds()), self._turn)

    def _unset(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _turn(self) -> None:
        self._timer = None
        match self._step:
            case Send():
                self._push()
            case Stop.STALL:
                pass
            case Stop.CUT:
                self._end(Failure(ConnectionLost()))
            case None:
                self._end(Failure(ResponseDone()))

    def _push(self) -> None:
        """What is due, in one read. The first step is: its timer rang, whatever rounding says."""
        now = self._clock.seconds()
        read: list[bytes] = []
        while isinstance(self._step, Send) and len(read) < MOST_STEPS_A_READ and (not read or self._due <= now):
            read.append(self._step.data)
            self._take()
        assert self._reader is not None
        self._reader.dataReceived(b"".join(read))
        self._wait()

    def _end(self, reason: Failure) -> None:
        assert self._reader is not None
        reader, self._reader = self._reader, None
        reader.connectionLost(reason)
