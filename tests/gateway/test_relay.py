"""A bug of ours in the middle of an answer: the call ends, the upstream is let go, and the client is not left waiting."""

from collections.abc import Mapping

import pytest
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from aiproxy.clients import ANYONE
from aiproxy.codecs.codec import Incoming
from aiproxy.codecs.openai_chat import WIRE
from aiproxy.gateway.call import Call
from aiproxy.gateway.lanes import WatchLane
from aiproxy.gateway.relay import Head, Setting, StreamRelay
from aiproxy.providers.base import Operation
from aiproxy.secrets import Scrubber
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
