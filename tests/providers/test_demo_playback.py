"""When the demo says it, how it goes wrong, and that it stops when told to."""

from typing import Any

import orjson
import pytest
from twisted.internet.defer import CancelledError
from twisted.internet.error import ConnectionAborted, ConnectionLost
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone

from aiproxy.config.schema import Demo
from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.transports.base import Response, Transport
from tests.grammars.openai_chat import check_error, check_failed_stream, check_stream, payloads
from tests.providers.demo_calls import AT_ONCE, HELLO, Caller, Reader

STREAM: dict[str, Any] = {"model": "demo-echo", "messages": HELLO, "stream": True}


def test_it_is_a_transport() -> None:
    transport: Transport = Caller().transport
    assert transport


def test_a_stream_keeps_its_pace() -> None:
    caller = Caller(Demo(latency=1, tokens_per_second=4))
    _, reader = caller.chat(stream=True)
    caller.clock.pump([0.25] * 8)
    assert reader.times == [1, 1.25, 1.5, 1.75]
    check_stream(reader.data)
    assert reader.reason is not None
    assert reader.reason.check(ResponseDone)
    assert caller.clock.getDelayedCalls() == []


def test_the_name_overrides_the_configuration() -> None:
    caller = Caller(Demo(latency=1, tokens_per_second=4))
    _, reader = caller.chat("demo-echo@latency=0@tps=0", stream=True)
    assert reader.times == [0]


def test_a_late_turn_catches_up() -> None:
    caller = Caller(Demo(latency=0, tokens_per_second=100))
    _, reader = caller.chat(stream=True)
    caller.clock.advance(60)
    caller.clock.advance(0)
    assert reader.times == [0, 60]
    check_stream(reader.data)


def test_a_whole_answer_waits_for_its_latency_alone() -> None:
    caller = Caller(Demo(latency=2, tokens_per_second=1))
    _, reader = caller.chat()
    caller.clock.pump([2, 0])
    assert reader.times == [2]
    assert reader.reason is not None


def test_slow_headers_can_be_cancelled() -> None:
    caller = Caller()
    answers: list[Response] = []
    sent = caller.send("/chat/completions", {**STREAM, "model": "demo-echo@slow-headers=5"}).addCallback(answers.append)
    caller.clock.advance(4.9)
    assert answers == []
    sent.cancel()
    assert caller.clock.getDelayedCalls() == []
    sent.addErrback(lambda failure: failure.trap(CancelledError))
    caller = Caller()
    caller.send("/chat/completions", {**STREAM, "model": "demo-echo@slow-headers=5"}).addCallback(answers.append)
    caller.clock.advance(5)
    assert answers[0].status == 200


def test_refused_connection() -> None:
    sent = Caller().send("/chat/completions", {**STREAM, "model": "demo@refuse"})
    failures: list[Failure] = []
    sent.addErrback(failures.append)
    assert failures[0].check(UpstreamFailed)


@pytest.mark.parametrize("streamed", [True, False])
def test_scripted_status(streamed: bool) -> None:
    response, reader = Caller().chat("demo-echo@status=429@retry-after=7", stream=streamed)
    assert response.status == 429
    assert response.headers["retry-after"] == "7"
    error = orjson.loads(reader.data)["error"]
    check_error(error)
    assert (error["type"], error["code"]) == ("rate_limit_error", "rate_limit_exceeded")


@pytest.mark.parametrize("after", [0, 1, 3, 6])
@pytest.mark.parametrize(("fault", "reason"), [("cut", ConnectionLost), ("stall", None), ("short", ResponseDone)])
def test_a_stream_that_ends_early(fault: str, after: int, reason: type[Exception] | None) -> None:
    caller = Caller()
    response, reader = caller.chat(f"demo-echo@{fault}={after}", stream=True)
    assert response.status == 200
    assert len(payloads(reader.data) if reader.data else []) == after
    if reason is None:
        caller.clock.advance(3600)
        assert reader.reason is None
        assert caller.clock.getDelayedCalls() == []
    else:
        assert reader.reason is not None
        assert reader.reason.check(reason)


def test_a_fault_beyond_the_end_does_not_happen() -> None:
    check_stream(Caller().chat("demo-echo@cut=99", stream=True)[1].data)


@pytest.mark.parametrize("after", [0, 2])
def test_an_error_event(after: int) -> None:
    chunks, error = check_failed_stream(Caller().chat(f"demo-echo@error={after}", stream=True)[1].data)
    assert len(chunks) == after
    assert error["type"] == "server_error"


def test_a_malformed_event() -> None:
    events = payloads(Caller().chat("demo-echo@malformed=2", stream=True)[1].data)
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(events[1])
    assert orjson.loads(events[2])
    assert events[-1] == b"[DONE]"


@pytest.mark.parametrize(
    ("script", "reason"), [("cut=0", ConnectionLost), ("cut=5", ConnectionLost), ("short=5", ResponseDone)]
)
def test_a_whole_answer_that_ends_early(script: str, reason: type[Exception]) -> None:
    _, reader = Caller().chat(f"demo-echo@{script}")
    assert bool(reader.data) is not script.endswith("0")
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(reader.data)
    assert reader.reason is not None
    assert reader.reason.check(reason)


def test_a_whole_answer_replaced() -> None:
    response, reader = Caller().chat("demo-echo@error=0")
    assert response.status == 200
    check_error(orjson.loads(reader.data)["error"])
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(Caller().chat("demo-echo@malformed=1")[1].data)


def test_only_the_first_requests_fail() -> None:
    caller = Caller()
    statuses = [caller.chat("demo-echo@status=500@first=2")[0].status for _ in range(4)]
    assert statuses == [500, 500, 200, 200]
    assert caller.chat("demo-echo@status=500@first=3")[0].status == 500


class Slow(Reader):
    """Pauses its producer at each read."""

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.transport.pauseProducing()  # type: ignore[union-attr]


def test_it_waits_for_its_reader() -> None:
    caller = Caller(AT_ONCE)
    reader = Slow(caller.clock)
    caller.answer("/chat/completions", {**STREAM, "model": "demo@words=1000"}).deliver(reader)
    caller.clock.pump([1] * 5)
    assert len(reader.reads) == 1
    assert caller.clock.getDelayedCalls() == []
    while reader.reason is None:
        reader.transport.resumeProducing()  # type: ignore[union-attr]
        caller.clock.advance(0)
    assert len(reader.reads) == 16  # 1003 events, 64 at a time
    check_stream(reader.data)


@pytest.mark.parametrize("way", ["abortConnection", "loseConnection", "stopProducing"])
def test_a_reader_that_leaves(way: str) -> None:
    caller = Caller(Demo(latency=0, tokens_per_second=1))
    _, reader = caller.chat(stream=True)
    getattr(reader.transport, way)()
    reads = len(reader.reads)
    assert reader.reason is None
    caller.clock.advance(0)
    assert reader.reason is not None
    assert reader.reason.check(ConnectionAborted)
    assert caller.clock.getDelayedCalls() == []
    reader.transport.resumeProducing()
    caller.clock.advance(60)
    assert len(reader.reads) == reads


class Leaving(Reader):
    """Aborts in the middle of its first read."""

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.transport.abortConnection()  # type: ignore[union-attr]
        assert self.reason is None


def test_a_reader_that_leaves_while_it_reads() -> None:
    caller = Caller(AT_ONCE)
    reader = Leaving(caller.clock)
    caller.answer("/chat/completions", {**STREAM, "model": "demo@words=1000"}).deliver(reader)
    caller.clock.pump([0, 0, 0])
    assert len(reader.reads) == 1
    assert reader.reason is not None
    assert caller.clock.getDelayedCalls() == []


def test_a_body_nobody_wants() -> None:
    caller = Caller()
    caller.answer("/chat/completions", STREAM).abort()
    assert caller.clock.getDelayedCalls() == []
