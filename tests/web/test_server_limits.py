"""What a request may cost before it is understood: sizes, counts, silence. Time is a `Clock`'s."""

import pytest
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock

from aiproxy.config.schema import Limits
from aiproxy.neutral.errors import Authentication
from aiproxy.web.http1 import LINGER_SECONDS
from aiproxy.web.request import MIB, body_allowance
from tests.web.serving import Client, Service, edge, request

CHUNKED = b"POST /p HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("asked", "path"),
    [
        (request("GET", "/p", x="y" * 2000), "/p"),
        (request("GET", "/" + "p" * 2000), None),
        (b"GET /p HTTP/1.1\r\n" + b"a: b\r\n" * 500, None),
        (b"G" * 2000, None),
        (request("GET", "/p", **{f"x-{number}": "y" for number in range(20)}), "/p"),
    ],
    ids=["one long header", "a long path", "an endless head", "an endless method", "many headers"],
)
@edge
async def test_a_head_over_its_limits_is_431(asked: bytes, path: str | None) -> None:
    async with Service(header_bytes=1024, header_count=15) as service:
        answer = await (await service.connect()).ask(asked)
        assert (answer.status, answer.error["kind"], answer.closes) == (431, "headers_too_large", True)
        assert answer.error["path"] in (path, None)


@edge
async def test_a_head_at_its_limits_passes() -> None:
    async with Service(header_bytes=1024, header_count=10) as service:
        asked = request("GET", "/p", **{f"x-{number}": "y" for number in range(8)}, z="")
        asked = asked.replace(b"z: ", b"z: " + b"z" * (1024 + 4 - len(asked)))
        client = await service.connect()
        assert (await client.ask(asked)).status == 200
        assert (await client.ask(asked.replace(b"z: ", b"z: z"))).status == 431


@edge
async def test_too_large_a_body_is_413_before_it_is_read() -> None:
    async with Service(request_body_mb=1) as service:
        client = await service.connect()
        client.send(b"POST /p HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 1048577\r\n\r\n")
        answer = await client.answer()
        assert (answer.status, answer.error["path"], answer.closes) == (413, "/p", True)
        assert client.informational == []


@edge
async def test_a_wrong_key_is_told_before_a_large_body() -> None:
    async with Service(request_body_mb=1, refuse=lambda _: Authentication("Wrong key.")) as service:
        client = await service.connect()
        client.send(b"POST /p HTTP/1.1\r\nhost: h\r\ncontent-length: 1048577\r\n\r\n")
        assert (await client.answer()).status == 401


@edge
async def test_a_body_at_its_limit_passes() -> None:
    async with Service(request_body_mb=1) as service:
        client = await service.connect()
        body = b"x" * 1048576
        assert len((await client.ask(request("POST", "/", body))).body) == len(body) + 2
        answer = await client.ask(CHUNKED, b"100000\r\n", body, b"\r\n0\r\n\r\n")
        assert len(answer.body) == len(body) + 3


@edge
async def test_a_chunked_body_is_413_as_soon_as_it_is_too_large() -> None:
    async with Service(request_body_mb=1) as service:
        client = await service.connect()
        client.send(CHUNKED, *(b"80000\r\n" + b"x" * 0x80000 + b"\r\n" for _ in range(3)))
        answer = await client.answer()
        assert (answer.status, answer.closes) == (413, True)
        assert service.echo.requests == []


@edge
async def test_limits_can_be_replaced() -> None:
    async with Service() as service:
        client = await service.connect()
        assert (await client.ask(request("POST", "/", b"x" * 2000))).status == 200
        service.site.limits = type(service.limits)(request_body_mb=0.001)
        assert (await client.ask(request("POST", "/", b"x" * 2000))).status == 413


# Silence.


async def _heard(service: Service, count: int) -> None:
    channel = await service.channel()
    await service.until(lambda: len(channel._unread) == count)


@edge
async def test_a_half_sent_head_is_408_however_slowly_it_drips() -> None:
    clock = Clock()
    async with Service(clock=clock, header_seconds=10) as service:
        client = await service.connect()
        for number in range(1, 5):
            client.send(b"G")
            await _heard(service, number)
            clock.advance(2.4)
        clock.advance(0.5)
        answer = await client.answer()
        assert (answer.status, answer.closes, answer.error["path"]) == (408, True, None)
        await _end(service, client, clock)


@edge
async def test_a_client_that_says_nothing_is_left_without_a_word() -> None:
    clock = Clock()
    async with Service(clock=clock, header_seconds=10) as service:
        client = await service.connect()
        await service.channel()
        clock.advance(10)
        assert isinstance(await client.closed(), ConnectionDone)
        assert client.raw == b""


@edge
async def test_an_empty_line_is_no_half_sent_head() -> None:
    clock = Clock()
    async with Service(clock=clock) as service:
        client = await service.connect()
        client.send(b"\r\n")
        await _heard(service, 2)
        clock.advance(service.limits.header_seconds)
        await client.closed()
        assert client.raw == b""


@edge
async def test_a_silent_body_is_408() -> None:
    clock = Clock()
    async with Service(clock=clock, body_idle_seconds=10, body_bytes_per_second=1, header_seconds=1) as service:
        client = await service.connect()
        client.send(b"POST /p HTTP/1.1\r\nhost: h\r\ncontent-length: 90\r\n\r\n")
        channel = await service.channel()
        for missing in range(90, 50, -10):
            await service.until(lambda missing=missing: channel._missing == missing)  # type: ignore[misc]
            clock.advance(9.9)
            client.send(b"x" * 10)
        await service.until(lambda: channel._missing == 50)
        clock.advance(10)
        answer = await client.answer()
        assert (answer.status, answer.closes, answer.error["path"]) == (408, True, "/p")
        await _end(service, client, clock)


@pytest.mark.parametrize("chunked", [False, True])
@edge
async def test_a_body_that_drips_is_408_though_it_is_never_silent(chunked: bool) -> None:
    clock = Clock()
    async with Service(clock=clock, body_idle_seconds=10, body_bytes_per_second=10) as service:
        client = await service.connect()
        client.send(CHUNKED if chunked else request("POST", "/p", content_length="99"))
        await service.until(lambda: service.site.in_flight == 1)
        (asked,) = (await service.channel()).requests
        for size in range(1, 11):
            clock.advance(1)
            client.send(b"1\r\nx\r\n" if chunked else b"x")
            await service.until(lambda size=size: asked._received == size)  # type: ignore[misc]
        assert client.raw == b""
        clock.advance(1)
        answer = await client.answer()
        assert (answer.status, answer.error["path"], answer.closes) == (408, "/p", True)
        assert "10 bytes a second on the whole (limits.body-bytes-per-second)" in answer.error["error"]
        await _end(service, client, clock)


@edge
async def test_a_slow_body_that_keeps_its_pace_passes_after_many_times_the_idle_time() -> None:
    clock = Clock()
    async with Service(clock=clock, body_idle_seconds=10, body_bytes_per_second=10) as service:
        client = await service.connect()
        client.send(request("POST", "/p", content_length="1000"))
        await service.until(lambda: service.site.in_flight == 1)
        (asked,) = (await service.channel()).requests
        for size in range(90, 991, 90):
            clock.advance(9)
            client.send(b"x" * 90)
            await service.until(lambda size=size: asked._received == size)  # type: ignore[misc]
        clock.advance(9)
        client.send(b"x" * 10)
        assert (await client.answer()).status == 200


def test_the_least_pace_lets_an_honest_upload_through() -> None:
    limits = Limits()
    seconds_at = {rate: 8_000_000 / rate for rate in (64_000, 16_000, limits.body_bytes_per_second)}
    assert all(seconds < body_allowance(limits, 8_000_000) for seconds in seconds_at.values())
    assert body_allowance(limits, 0) == limits.body_idle_seconds
    assert body_allowance(limits, int(limits.request_body_mb * MIB)) < 3 * 3600


@edge
async def test_an_idle_connection_is_closed_without_a_word() -> None:
    clock = Clock()
    async with Service(clock=clock, keep_alive_seconds=30, header_seconds=10) as service:
        client = await service.connect()
        await client.ask(request())
        clock.advance(29.9)
        await client.ask(request())
        before = client.raw
        clock.advance(30)
        assert isinstance(await client.closed(), ConnectionDone)
        assert client.raw == before


@edge
async def test_no_deadline_of_ours_is_met_while_a_request_is_answered() -> None:
    clock = Clock()
    async with Service(clock=clock) as service:
        client = await service.connect()
        client.send(request("GET", "/wait"))
        answering = await service.waiting()
        clock.pump([100.0] * 10)
        answering.finish()
        assert (await client.answer()).status == 200


@edge
async def test_a_client_that_keeps_sending_after_a_refusal_is_cut_off() -> None:
    clock = Clock()
    async with Service(clock=clock, header_bytes=1024) as service:
        client = await service.connect()
        client.send(b"x" * 4096)
        assert (await client.answer()).status == 431
        client.send(b"x" * 100_000)
        clock.advance(LINGER_SECONDS)
        assert isinstance(await client.closed(), ConnectionLost | ConnectionDone)


async def _end(service: Service, client: Client, clock: Clock) -> None:
    """The server has closed its half; it waits for the client's, but not for ever."""
    assert len(service.site.connections) == 1
    clock.advance(LINGER_SECONDS)
    await service.until(lambda: not service.site.connections)
    await client.closed()
