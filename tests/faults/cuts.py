"""A recorded stream cut off at a byte, and what a client gets of it through a lane. No sockets: there are thousands of cuts.

Each event is a read of its own, as vendors send them, so that all but the earliest cuts meet a stream that has begun."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone, ResponseFailed

from aiproxy.clients import ANYONE
from aiproxy.codecs import anthropic_messages, gemini, ollama, openai_chat, openai_responses
from aiproxy.codecs.codec import Codec, Exchange, Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.report import Report
from aiproxy.gateway.call import Call
from aiproxy.gateway.lanes import FramedSource, Lane, Source, TranslateLane, WatchLane
from aiproxy.gateway.relay import Head, Setting
from aiproxy.gateway.sources import TimedSource
from aiproxy.gateway.stopwatch import Stopwatch
from aiproxy.gateway.stream_relay import StreamRelay
from aiproxy.neutral.errors import GatewayError
from aiproxy.providers.base import Operation
from aiproxy.secrets import Scrubber, Secret
from aiproxy.usage import CallRecord

CODECS: Mapping[str, Codec] = {
    "openai-chat": openai_chat.CODEC,
    "openai-responses": openai_responses.CODEC,
    "anthropic-messages": anthropic_messages.CODEC,
    "gemini": gemini.CODEC,
    "ollama": ollama.CODEC,
}
"""By the names of the SDKs and of the vendors."""

SECONDS = 0.1
"""Between two reads."""

CLEAN, CUT = Failure(ResponseDone()), Failure(ResponseFailed([Failure(ConnectionError())]))


class Got(NamedTuple):
    """What reached the client, and whether the relay called it an error. With nothing written an error is an HTTP answer,
    or another account's turn."""

    body: bytes
    failed: bool


class Sink:
    def __init__(self) -> None:
        self.written: list[bytes] = []

    def start(self, status: int, headers: Mapping[str, str]) -> None: ...
    def abort(self) -> None: ...
    def register(self, producer: IPushProducer) -> None: ...
    def unregister(self) -> None: ...

    def write(self, data: bytes) -> None:
        self.written.append(data)


class Upstream:
    def abortConnection(self) -> None: ...


@dataclass(frozen=True)
class Lanes:
    """From a vendor of one protocol to a client of another, or of the same; `asked` is a body the client's SDK sent."""

    client: Codec
    vendor: Codec
    asked: bytes

    @cached_property
    def _exchange(self) -> Exchange:
        incoming = Incoming(self.asked, "m", True, "chat" if self.client is ollama.CODEC else "")
        sealer = Sealer(Secret("k" * 32))
        request = self.client.decode_request(incoming, sealer, Report())
        return Exchange(request, sealer, "req_1", self.client.name, 1)

    def lane(self, setting: Setting) -> Lane:
        if self.client is self.vendor:
            return WatchLane(self.client.wire)
        exchange = replace(self._exchange, report=Report())
        source: Source = FramedSource(self.vendor, exchange)
        if self.client.tells_times:
            source = TimedSource(source, Stopwatch(setting))
        return TranslateLane(source, self.client, exchange)

    def got(self, reads: Sequence[bytes], end: Failure) -> Got:
        """What the client gets of these reads and this end of the body."""
        clock, sink = Clock(), Sink()
        clock.advance(2 * SECONDS)
        call = Call(
            self.client.wire, self.client, Operation.CHAT, Incoming(b""), "m", True, ANYONE, CallRecord("req_1", 0.0)
        )
        setting = Setting(call, sink, Head(200, {}, {}, SECONDS), clock, 0.0, Scrubber())
        relay = StreamRelay(setting, self.lane(setting))
        failures: list[Failure] = []
        relay.done.addErrback(failures.append)
        relay.makeConnection(Upstream())
        for read in reads:
            clock.advance(SECONDS)
            relay.dataReceived(read)
        relay.connectionLost(end)
        assert relay.done.called
        assert all(isinstance(failure.value, GatewayError) for failure in failures), failures
        return Got(b"".join(sink.written), bool(failures))


def cut(events: Sequence[bytes], offset: int) -> list[bytes]:
    """The first `offset` bytes, an event a read."""
    reads: list[bytes] = []
    for event in events:
        if offset <= 0:
            break
        reads.append(event[:offset])
        offset -= len(event)
    return reads
