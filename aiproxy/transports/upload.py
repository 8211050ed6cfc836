"""A large request body on its way up, as fast as the socket takes it."""

from collections.abc import Callable
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from aiproxy.transports.eager import write_some

UPLOAD_BYTES = 131072
"""Bytes of a body that are handed to the socket at once, as many as Twisted sends in one system call. A smaller body goes out
together with its head."""


@implementer(IPushProducer)
class Upload:
    """`progress` is called whenever the socket has taken some."""

    def __init__(self, body: bytes, transport: Any, progress: Callable[[], None]) -> None:
        self.done = False
        self._body, self._transport, self._progress = memoryview(body), transport, progress
        self._sent = 0
        self._paused = False

    def start(self) -> None:
        self._transport.registerProducer(self, True)
        self._pump()

    def stop(self) -> None:
        """Nothing more of it will be taken."""
        self._body = memoryview(b"")
        self._paused = True

    def _pump(self) -> None:
        """Straight from the body into the socket, until that is full; what it takes next goes the ordinary way, for the
        sake of being called again."""
        while not self._paused and not self.done:
            piece = self._body[self._sent : self._sent + UPLOAD_BYTES]
            taken = write_some(self._transport, piece)
            if not taken:
                taken = len(piece)
                self._transport.write(bytes(piece))
            self._sent += taken
            if self._sent >= len(self._body):
                self.done = True
                self._body = memoryview(b"")
                self._transport.unregisterProducer()

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        self._progress()
        self._pump()

    def stopProducing(self) -> None:
        self.stop()
