"""A client's HTTP request as the gateway's `Sink`."""

from collections.abc import Mapping

from twisted.internet.interfaces import IPushProducer
from twisted.web.server import Request


class HttpSink:
    """Ended by the handler's return, which finishes the request. Twisted ignores what is written to a client that left."""

    def __init__(self, request: Request) -> None:
        self._request = request

    def start(self, status: int, headers: Mapping[str, str]) -> None:
        self._request.setResponseCode(status)
        for name, value in headers.items():
            self._request.setHeader(name, value)

    def write(self, data: bytes) -> None:
        self._request.write(data)

    def abort(self) -> None:
        self._request.loseConnection()

    def register(self, producer: IPushProducer) -> None:
        self._request.registerProducer(producer, True)

    def unregister(self) -> None:
        if self._request.channel is not None:  # else the client has left, and Twisted has unregistered it
            self._request.unregisterProducer()
