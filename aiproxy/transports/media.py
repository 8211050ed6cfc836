"""Media that clients name by URL, fetched for upstreams that take bytes only.

The URL is a stranger's: nothing here trusts it. Each name is resolved once, the address is checked, and that very address
is connected to, also after a redirect and behind a proxy. Messages name the host and nothing else of a URL."""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol as Contract
from urllib.parse import urljoin, urlsplit

from twisted.internet.defer import Deferred, DeferredSemaphore
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss

from aiproxy import __version__
from aiproxy.catalogue.globs import matches
from aiproxy.codecs.data_urls import sniffed
from aiproxy.neutral.errors import InvalidRequest, Timeout, UpstreamFailed
from aiproxy.transports.addresses import parse_target
from aiproxy.transports.base import Network, Request, Response
from aiproxy.transports.networks import networks, public

LONGEST_URL = 8192
"""Characters: signed URLs of object stores have some 2,000."""

SNIFFED = 24
"""Bytes by which a file without a media type is recognised."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})

_SAYS_NOTHING = frozenset({"", "application/octet-stream", "binary/octet-stream"})

_HEADERS = (("accept", "*/*"), ("user-agent", f"aiproxy/{__version__}"))


class Limits(Contract):
    """`MediaFetch` of the configuration has them."""

    @property
    def max_size_mb(self) -> float: ...

    @property
    def seconds(self) -> float:
        """Of one fetch, with its redirects and its wait for a place."""

    @property
    def redirects(self) -> int: ...

    @property
    def concurrent(self) -> int: ...

    @property
    def types(self) -> Sequence[str]: ...

    @property
    def allow(self) -> Sequence[str]: ...


@dataclass(frozen=True, slots=True)
class Fetched:
    media_type: str
    data: bytes


class MediaFetcher:
    """`proxy` is a proxy's URL or "": it is given the checked address, so that it looks up no name of its own."""

    def __init__(self, network: Network, limits: Limits, proxy: str, clock: IReactorTime) -> None:
        self._network, self._limits, self._proxy, self._clock = network, limits, proxy, clock
        self._allowed = networks(limits.allow)
        self._places = DeferredSemaphore(limits.concurrent)

    def fetch(self, url: str) -> Deferred[Fetched]:
        """Fails with `InvalidRequest`, whoever's fault it is: the client named the URL. Cancelling it closes the socket."""
        late = InvalidRequest(
            f"The URL at {_host(url)!r} took longer than {self._limits.seconds:g} s (media-fetch.seconds)."
        )
        fetching = Deferred.fromCoroutine(self._fetch(url))
        return fetching.addTimeout(self._limits.seconds, self._clock, lambda *_: Failure(late))

    async def _fetch(self, url: str) -> Fetched:
        async with self._places:
            for _ in range(self._limits.redirects + 1):
                response = await self._ask(url)
                if response.status not in _REDIRECTS:
                    return await self._read(url, response)
                response.abort()
                url = urljoin(url, response.headers.get("location", ""))
            raise InvalidRequest(f"The URL redirects more than {self._limits.redirects} times (media-fetch.redirects).")

    async def _ask(self, url: str) -> Response:
        host = _checked(url)
        try:
            address = await self._network.resolve(host)
        except (OSError, UnicodeError) as error:
            raise InvalidRequest(f"The host {host!r} of the URL has no address.") from error
        if not public(address, self._allowed):
            raise InvalidRequest(
                f"The host {host!r} of the URL is not public: media-fetch.allow doesn't name its network."
            )
        try:
            return await self._network.send(Request("GET", url, _HEADERS, proxy=self._proxy, address=address))
        except (UpstreamFailed, Timeout) as error:
            raise InvalidRequest(f"The host {host!r} of the URL gave no answer.") from error

    async def _read(self, url: str, response: Response) -> Fetched:
        host, headers = _host(url), response.headers
        declared = headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            if response.status != 200:
                raise InvalidRequest(f"The host {host!r} of the URL answered with status {response.status}.")
            if headers.get("content-encoding", "identity") != "identity":
                raise InvalidRequest(f"The host {host!r} of the URL sent its file compressed, which was not asked for.")
            if declared not in _SAYS_NOTHING:
                self._check_type(host, declared)
            body = _Body(host, response, self._limits.max_size_mb)
        except InvalidRequest:
            response.abort()
            raise
        response.deliver(body)
        data = await body.done
        if declared in _SAYS_NOTHING:
            declared = sniffed(b64encode(data[:SNIFFED]).decode()) or "application/octet-stream"
            self._check_type(host, declared)
        return Fetched(declared, data)

    def _check_type(self, host: str, media_type: str) -> None:
        if not matches(media_type, self._limits.types):
            raise InvalidRequest(f"The file at {host!r} is {media_type}, which media-fetch.types doesn't name.")


class _Body(Protocol):
    """All of it, or an error."""

    def __init__(self, host: str, response: Response, most: float) -> None:
        """`most` is in MiB."""
        self._response = response
        self._most = int(most * (1 << 20))
        self._data = bytearray()
        self._too_large = InvalidRequest(f"The file at {host!r} is larger than {most:g} MiB (media-fetch.max-size-mb).")
        self._cut = InvalidRequest(f"The file at {host!r} broke off before its end.")
        self.done: Deferred[bytes] = Deferred(lambda _: response.abort())
        declared = response.headers.get("content-length", "")
        if declared.isdecimal() and int(declared) > self._most:
            raise self._too_large

    def dataReceived(self, data: bytes) -> None:
        self._data += data
        if len(self._data) > self._most and not self.done.called:
            self.done.errback(self._too_large)
            self._response.abort()

    def connectionLost(self, reason: Failure = Failure(ResponseDone())) -> None:  # noqa: B008
        if self.done.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.done.callback(bytes(self._data))
        else:
            self.done.errback(self._cut)


def _checked(url: str) -> str:
    """The host of a URL that may be asked for, in ASCII."""
    if len(url) > LONGEST_URL:
        raise InvalidRequest(f"The URL is longer than {LONGEST_URL} characters.")
    try:
        return parse_target(url).host
    except UpstreamFailed as error:
        raise InvalidRequest("The URL must be http://HOST or https://HOST, without user or password.") from error


def _host(url: str) -> str:
    """For messages: what may be told of any URL."""
    try:
        return urlsplit(url).hostname or "nowhere"
    except ValueError:
        return "nowhere"
