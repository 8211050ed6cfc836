"""Stopping without cutting anybody off, listening, and counting what is in flight."""

import socket

import pytest
from twisted.internet.error import CannotListenError, ConnectionLost
from twisted.internet.task import Clock

from aiproxy.codecs.base import Answer
from aiproxy.config.schema import Limits
from aiproxy.web.http1 import LINGER_SECONDS
from aiproxy.web.server import HttpSite, listen
from tests.web.serving import Echo, Service, edge, request


@edge
async def test_idle_connections_close_and_busy_ones_after_their_answer() -> None:
    async with Service() as service:
        idle, fresh, busy, streaming = [await service.connect() for _ in range(4)]
        await idle.ask(request())
        busy.send(request("GET", "/wait"))
        first = await service.waiting()
        streaming.send(request("GET", "/wait"))
        second = await service.waiting()
        second.write(b"be")
        await service.until(lambda: len(service.site.connections) == 4)

        service.site.drain()
        await idle.closed()
        await fresh.closed()
        settled = service.site.idle()
        assert service.site.in_flight == 2
        assert not settled.called

        first.finish()
        assert (await busy.answer()).closes
        await busy.closed()
        assert not settled.called

        second.write(b"gun")
        second.finish()
        answer = await streaming.answer()
        assert (answer.body, answer.closes) == (b"begun", False)  # its head was already out
        await streaming.closed()
        await settled


@edge
async def test_who_parts_answers_each_connection_once_more_and_says_so() -> None:
    async with Service() as service:
        idle, busy, streaming = [await service.connect() for _ in range(3)]
        assert not (await idle.ask(request())).closes
        busy.send(request("GET", "/wait"))
        first = await service.waiting()
        streaming.send(request("GET", "/wait"))
        second = await service.waiting()
        second.write(b"be")
        service.site.part()

        assert (await idle.ask(request())).closes
        await idle.closed()
        first.finish()
        assert (await busy.answer()).closes
        await busy.closed()
        second.write(b"gun")
        second.finish()
        assert not (await streaming.answer()).closes  # its head was already out
        assert (await streaming.ask(request())).closes
        await streaming.closed()


@edge
async def test_nothing_more_is_read_behind_the_last_answer() -> None:
    async with Service() as service:
        client = await service.connect()
        client.send(request("GET", "/wait"), request("GET", "/next"))
        answering = await service.waiting()
        service.site.drain()
        answering.finish()
        assert (await client.answer()).closes
        await client.closed()
        assert len(service.echo.requests) == 1


@edge
async def test_a_body_on_its_way_is_still_read_and_answered() -> None:
    async with Service() as service:
        client = await service.connect()
        whole = request("POST", "/p", b"body")
        client.send(whole[:-2])
        await service.until(lambda: service.site.in_flight == 1)
        service.site.drain()
        answer = await client.ask(whole[-2:])
        assert (answer.body, answer.closes) == (b"/p body", True)


@edge
async def test_idle_waits_for_answers_to_be_written_out() -> None:
    async with Service() as service:
        client = await service.connect()
        client.send(request("GET", "/wait"))
        answering = await service.waiting()
        client.wire.pauseProducing()
        service.site.drain()
        answering.write(b"x" * 16_000_000)
        answering.finish()
        assert service.site.in_flight == 0
        settled = service.site.idle()
        for _ in range(20):
            await service.tick()
        assert not settled.called
        client.wire.resumeProducing()
        assert len((await client.answer()).body) == 16_000_000
        await settled


@edge
async def test_a_client_that_reads_nothing_does_not_hold_up_the_end() -> None:
    clock = Clock()
    async with Service(clock=clock) as service:
        client = await service.connect()
        client.send(request("GET", "/wait"))
        answering = await service.waiting()
        client.wire.pauseProducing()
        service.site.drain()
        answering.write(b"x" * 16_000_000)
        answering.finish()
        settled = service.site.idle()
        await service.tick()
        clock.advance(LINGER_SECONDS)
        await settled


@edge
async def test_abort_cuts_what_is_left() -> None:
    async with Service() as service:
        client = await service.connect()
        client.send(request("GET", "/wait"))
        answering = await service.waiting()
        gone = answering.notifyFinish()
        service.site.drain()
        settled = service.site.idle()
        service.site.abort()
        with pytest.raises(Exception, match="Connection"):
            await gone
        await settled
        assert isinstance(await client.closed(), ConnectionLost)


@edge
async def test_idle_fires_at_once_when_nothing_runs_and_else_for_everyone_who_waits() -> None:
    async with Service() as service:
        await service.site.idle()
        client = await service.connect()
        client.send(request("GET", "/wait"))
        answering = await service.waiting()
        first, second = service.site.idle(), service.site.idle()
        answering.finish()
        await first
        await second
        await client.answer()


@pytest.mark.parametrize(
    ("host", "callers"),
    [
        ("", ["127.0.0.1", "::1"]),
        ("::", ["127.0.0.1", "::1"]),
        ("127.0.0.1", ["127.0.0.1"]),
        ("0.0.0.0", ["127.0.0.1"]),
        ("::1", ["::1"]),
        ("[::1]", ["::1"]),
        ("localhost", ["127.0.0.1"]),
    ],
)
@edge
async def test_listens_where_it_is_told(host: str, callers: list[str]) -> None:
    if any(":" in caller for caller in callers) and not _has_ipv6():
        pytest.skip("this machine has no IPv6")
    async with Service(host=host) as service:
        for caller in callers:
            assert (await (await service.connect(host=caller)).ask(request())).status == 200


@edge
async def test_a_port_that_is_taken_is_said() -> None:
    async with Service() as service:
        other = HttpSite(Echo(), service.reactor, Limits(), lambda _: None, lambda *_: Answer(500, b""))
        with pytest.raises(CannotListenError):
            await listen(service.reactor, other, "127.0.0.1", service.port)


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False
