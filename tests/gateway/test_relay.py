"""What a relay does by itself: it ends a call that a bug of ours breaks, and says that a stream lives while there is nothing
to tell of it."""

from collections.abc import Mapping

import pytest
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from aiproxy.clients import ANYONE
from aiproxy.codecs import openai_responses
from aiproxy.codecs.codec import Exchange, Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.openai_chat import CODEC, WIRE
from aiproxy.gateway.call import Call
from aiproxy.gateway.lanes import FramedSource, TranslateLane, WatchLane
from aiproxy.gateway.opening import KEEP_ALIVE_SECONDS, OPENING_SECONDS, Opening
from aiproxy.gateway.relay import Head, Setting
from aiproxy.gateway.sources import SummarySource
from aiproxy.gateway.stream_relay import StreamRelay
from aiproxy.neutral.request import GenerateRequest
from aiproxy.providers.base import Operation
from aiproxy.secrets import Scrubber, Secret
from aiproxy.usage import CallRecord

GOOD = b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}\n\n'


class Kept:
    """A sink that keeps what it gets."""

    def __init__(self) -> None:
        self.body = b""

    def start(self, status: int, headers: Mapping[str, str]) -> None: ...

    def write(self, data: bytes) -> None:
        self.body += data

    def abort(self) -> None: ...

    def register(self, producer: IPushProducer) -> None: ...

    def unregister(self) -> None: ...


class Upstream:
    """The transport of an upstream's body."""

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True


class Broken(WatchLane):
    """Good until it is told to break."""

    breaks = False

    def feed(self, data: bytes) -> bytes:
        if self.breaks:
            raise ZeroDivisionError
        return super().feed(data)

    def close(self, *, clean: bool) -> bytes:
        raise ZeroDivisionError


@pytest.mark.parametrize("at_the_end", [False, True])
@pytest.mark.parametrize("begun", [False, True])
def test_a_bug_ends_the_call(begun: bool, at_the_end: bool) -> None:
    clock, sink, upstream, lane = Clock(), Kept(), Upstream(), Broken(WIRE)
    call = Call(WIRE, None, Operation.CHAT, Incoming(b""), "m", True, ANYONE, CallRecord("req_1", 0.0))
    relay = StreamRelay(Setting(call, sink, Head(200, {}, {}, 0.0), clock, 5.0, Scrubber()), lane)
    relay.makeConnection(upstream)
    if begun:
        relay.dataReceived(GOOD)
    lane.breaks = True
    if at_the_end:
        relay.connectionLost()
    else:
        relay.dataReceived(GOOD)
    failed: list[Failure] = []
    relay.done.addErrback(failed.append)
    assert [failure.type for failure in failed] == [ZeroDivisionError]
    assert upstream.aborted
    assert (b'"error"' in sink.body) is begun
    assert clock.getDelayedCalls() == []


def test_a_summary_in_the_making_says_that_it_lives() -> None:
    """The upstream streams on, and nothing of it is for the client yet."""
    clock, sink = Clock(), Kept()
    exchange = Exchange(
        GenerateRequest("m", stream=True), Sealer(Secret("k" * 32)), "req_1", openai_responses.CODEC.name
    )
    lane = TranslateLane(SummarySource(FramedSource(CODEC, exchange)), openai_responses.CODEC, exchange)
    call = Call(WIRE, None, Operation.CHAT, Incoming(b""), "m", True, ANYONE, CallRecord("req_1", 0.0))
    Opening(call, openai_responses.CODEC, sink, clock)
    relay = StreamRelay(Setting(call, sink, Head(200, {}, {}, 0.0), clock, 0.0, Scrubber()), lane)
    relay.makeConnection(Upstream())
    for _ in range(int(OPENING_SECONDS + 3 * KEEP_ALIVE_SECONDS)):
        clock.advance(1)
        relay.dataReceived(GOOD)
    assert sink.body == b": keep-alive\n\n" * 4, "another account could still answer"
    assert call.opened
    relay.dataReceived(b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
    relay.connectionLost()
    assert sink.body.count(b"event: response.output_item.done") == 1
    assert b"response.completed" in sink.body
