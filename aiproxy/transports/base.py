"""What an attempt needs of a transport: send one request, get one answer whose body is pushed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol


@dataclass(frozen=True, slots=True)
class Request:
    """One request to an upstream. `proxy` is a proxy's URL, or "" for none: the caller has resolved `direct` and defaults.
    `address` is the IP address to connect to where the caller has chosen it; "" asks for the host's. `upgrade` names the
    protocol to switch to: an answer of 101 is then a `Switched`."""

    method: str
    url: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    proxy: str = ""
    address: str = ""
    upgrade: str = ""

    def with_headers(self, more: tuple[tuple[str, str], ...]) -> "Request":
        """Each field by hand: `dataclasses.replace` takes three times as long, and every attempt comes by here."""
        return Request(self.method, self.url, (*self.headers, *more), self.body, self.proxy, self.address, self.upgrade)


class Response(Protocol):
    """An answer whose headers have come. The body waits, unread, for `deliver` or `abort`: one of them must be called."""

    @property
    def status(self) -> int: ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in lower case; several values of a name joined by ", ". Without those of the connection and the framing,
        but for `content-length` where the upstream gave one."""

    def deliver(self, body: IProtocol) -> None:
        """Push the body: `makeConnection` with an `IPushProducer` that also has `abortConnection()`, `dataReceived` for
        each read, `connectionLost` once, with `ResponseDone` (complete), `PotentialDataLoss` (ended by close, length
        unknown) or anything else (cut). Never calls `connectionLost` before `makeConnection`."""

    def abort(self) -> None:
        """Close the connection now; the rest of the answer is not wanted."""


class Transport(Protocol):
    def send(self, request: Request) -> Deferred[Response]:
        """Fires when the headers are there. Cancelling it closes the socket in whatever phase it is.

        Fails with `UpstreamFailed` (can't connect, TLS, proxy, broken answer) or `Timeout` (a named deadline), whose
        messages name the upstream's host and the phase, and never a secret."""


class Network(Transport, Protocol):
    """A transport that reaches the network."""

    def resolve(self, host: str) -> Deferred[str]:
        """One IP address of the host, as a request without an address would find it. Fails with `DNSLookupError`."""
