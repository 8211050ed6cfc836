"""Our transport as Twisted's `IAgent`, for treq: `HTTPClient(UpstreamAgent(transport))` has cookies, JSON and forms, and goes by the
same connections, deadlines and proxies as everything else.

Calls for clients don't come this way: treq's own layer costs as much again as the rest of the request."""

from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IConsumer, IProtocol
from twisted.web.client import URI
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IAgent, IBodyProducer, IClientRequest, IResponse
from zope.interface import implementer

from aiproxy.transports import base


@implementer(IAgent)
class UpstreamAgent:
    """`proxy` is a proxy's URL, or "" for none."""

    def __init__(self, transport: base.Transport, proxy: str = "") -> None:
        self._transport, self._proxy = transport, proxy

    def request(
        self,
        method: bytes,
        uri: bytes,
        headers: Headers | None = None,
        bodyProducer: IBodyProducer | None = None,  # noqa: N803 # IAgent's spelling
    ) -> Deferred[IResponse]:
        return Deferred.fromCoroutine(self._request(method, uri, headers or Headers(), bodyProducer))

    async def _request(self, method: bytes, uri: bytes, headers: Headers, producer: IBodyProducer | None) -> IResponse:
        body = _Body()
        if producer is not None:
            await producer.startProducing(body)
        pairs = tuple(
            (name.decode("latin-1"), value.decode("latin-1"))
            for name, values in headers.getAllRawHeaders()
            for value in values
        )
        request = base.Request(method.decode("ascii"), uri.decode("ascii"), pairs, bytes(body.data), self._proxy)
        return cast(
            IResponse,
            AgentResponse(await self._transport.send(request), AgentRequest(method, URI.fromBytes(uri), headers)),
        )


@implementer(IConsumer)
class _Body:
    """Takes in what a producer has, which treq makes of bytes, files and forms."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: bytes) -> None:
        self.data += data

    def registerProducer(self, producer: object, streaming: bool) -> None: ...

    def unregisterProducer(self) -> None: ...


@implementer(IClientRequest)
class AgentRequest:
    """What a response says it answers."""

    def __init__(self, method: bytes, uri: URI, headers: Headers) -> None:
        self.method, self.headers = method, headers
        self.absoluteURI: bytes | None = uri.toBytes()


@implementer(IResponse)
class AgentResponse:
    """Our answer in Twisted's words."""

    version = (b"HTTP", 1, 1)
    phrase = b""
    previousResponse: IResponse | None = None

    def __init__(self, answer: base.Response, request: AgentRequest) -> None:
        self.code = answer.status
        self.headers: Headers = Headers({})
        for name, value in answer.headers.items():
            self.headers.addRawHeader(name.encode("latin-1"), value.encode("latin-1"))
        length = answer.headers.get("content-length")
        self.length = UNKNOWN_LENGTH if length is None else int(length)
        self.request = request
        self._answer = answer

    def deliverBody(self, protocol: IProtocol) -> None:
        self._answer.deliver(protocol)

    def setPreviousResponse(self, response: IResponse) -> None:
        self.previousResponse = response
