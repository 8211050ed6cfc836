"""What an upstream is asked and what it answers, as it comes, for an operator who looks at both sides of a translation. A call
that nobody overhears never comes here."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from twisted.internet.interfaces import IProtocol, ITransport
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss

from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.transports.base import Request, Response
from aiproxy.transports.body import inflater

MOST_HEARD = 128 * 1024
"""Characters of one request or answer: some thousand events of a stream. Of more, the beginning."""

LONGEST_SECRET = 16 * 1024
"""Bytes that are read beyond: no beginning of a secret is left where the text is cut."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Of one attempt, without secrets. `cut`: there was more of the answer, or it broke off."""

    account: str
    url: str
    sent: str
    status: int
    content_type: str
    answer: str
    cut: bool


Overhears: TypeAlias = Callable[[Heard], None]


class OverheardResponse:
    """A response whose body is copied on its way, and told when it has ended."""

    def __init__(
        self, response: Response, request: Request, account: str, scrub: Callable[[str], str], overhears: Overhears
    ) -> None:
        self._response = response
        self._request = request
        self._account = account
        self._scrub = scrub
        self._overhears = overhears

    @property
    def status(self) -> int:
        return self._response.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    def deliver(self, body: IProtocol) -> None:
        self._response.deliver(_Copying(body, inflater(self.headers), self._told))

    def abort(self) -> None:
        self._response.abort()

    def _told(self, body: bytes, *, cut: bool) -> None:
        answer, sent = (self._scrub(each.decode("utf-8", "replace")) for each in (body, self._request.body))
        self._overhears(
            Heard(
                self._account,
                self._scrub(self._request.url),
                sent[:MOST_HEARD],
                self.status,
                self.headers.get("content-type", ""),
                answer[:MOST_HEARD],
                cut or len(answer) > MOST_HEARD,
            )
        )


class _Copying(Protocol):
    def __init__(self, body: IProtocol, inflate: Callable[[bytes], bytes], told: Callable[..., None]) -> None:
        self._body = body
        self._inflate = inflate
        self._told = told
        self._copy = bytearray()

    def makeConnection(self, transport: ITransport) -> None:
        self._body.makeConnection(transport)

    def dataReceived(self, data: bytes) -> None:
        if len(self._copy) <= MOST_HEARD + LONGEST_SECRET:
            with suppress(UpstreamFailed):  # which whoever reads it says
                self._copy += self._inflate(data)
        self._body.dataReceived(data)

    def connectionLost(self, reason: Failure = Failure(ConnectionError())) -> None:  # noqa: B008
        whole = reason.check(ResponseDone, PotentialDataLoss) is not None
        self._told(bytes(self._copy), cut=not whole or len(self._copy) > MOST_HEARD + LONGEST_SECRET)
        self._body.connectionLost(reason)
