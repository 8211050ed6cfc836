"""HTTP/2 over TLS: the same limits, refusals and drain as over HTTP/1.1, on streams. The client is hyper-h2."""

from pathlib import Path
from typing import Any

import hpack
import pytest
import trustme
from h2.errors import ErrorCodes
from h2.frame_buffer import CONTINUATION_BACKLOG
from hyperframe.frame import ContinuationFrame, HeadersFrame
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock

from aiproxy.neutral.errors import Authentication, GatewayError
from aiproxy.web.http1 import LINGER_SECONDS
from aiproxy.web.http2 import UPLOAD_WINDOW
from aiproxy.web.request import HttpRequest
from aiproxy.web.tls import ServerTls
from tests.web.http2_client import connect, settle
from tests.web.serving import Service, edge


@pytest.fixture
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA, tmp_path: Path) -> ServerTls:
    issued = authority.issue_cert("gateway.test")
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    issued.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    return ServerTls(str(tmp_path / "cert.pem"), str(tmp_path / "key.pem"), Clock(), lambda warning: None)


@edge
async def test_many_streams_on_one_connection(authority: trustme.CA, certificate: ServerTls) -> None:
    async with Service(certificate=certificate) as service:
        client = await connect(service, authority)
        number, slow = client.ask("POST", "/wait", end=False)
        client.give(number, b"body", end=True)
        answering = await service.waiting()
        assert (answering.content.read(), answering.getHeader("host"), answering.isSecure()) == (
            b"body",
            "gateway.test",
            True,
        )
        for path in ("/a", "/b?x=1"):
            answer = await client.get(path)
            assert (answer.status, answer.body) == (200, path.partition("?")[0].encode() + b" ")
            assert set(answer.headers) == {":status", "content-length", "date"}
        answering.setHeader("connection", "close")
        answering.write(b"x" * 300_000)
        answering.finish()
        assert len((await slow.answer()).body) == 300_000


@edge
async def test_head(authority: trustme.CA, certificate: ServerTls) -> None:
    async with Service(certificate=certificate) as service:
        client = await connect(service, authority)
        answer = await client.ask("HEAD", "/abc")[1].answer()
        assert (answer.status, answer.body, answer.headers["content-length"]) == (200, b"", "5")


@edge
async def test_a_refused_body_is_not_read_and_the_connection_lives_on(
    authority: trustme.CA, certificate: ServerTls
) -> None:
    def refuse(request: HttpRequest) -> GatewayError | None:
        return Authentication("Wrong key.") if request.path == b"/no" else None

    async with Service(certificate=certificate, refuse=refuse) as service:
        client = await connect(service, authority)
        number, stream = client.ask("POST", "/no", ("expect", "100-continue"), end=False)
        client.give(number, b"x" * 60_000)
        answer = await stream.answer()
        assert (answer.status, answer.error["path"]) == (401, "/no")
        assert stream.informational == []
        await service.until(lambda: stream.reset == ErrorCodes.NO_ERROR)
        assert service.echo.requests == []
        for _ in range(3):  # the connection's window was given back
            assert (await client.get("/no")).status == 401
            number, stream = client.ask("POST", "/yes", end=False)
            await service.until(lambda: client.h2.outbound_flow_control_window >= 30_000)
            client.give(number, b"y" * 30_000, end=True)
            assert len((await stream.answer()).body) == 30_005


@edge
async def test_a_large_body_need_not_wait_for_the_window(authority: trustme.CA, certificate: ServerTls) -> None:
    async with Service(certificate=certificate) as service:
        client = await connect(service, authority)
        number, stream = client.ask("POST", "/p", end=False)
        await service.until(lambda: client.h2.local_flow_control_window(number) >= UPLOAD_WINDOW)
        client.give(number, b"x" * UPLOAD_WINDOW, end=True)
        assert len((await stream.answer()).body) == UPLOAD_WINDOW + 3


@edge
async def test_100_continue(authority: trustme.CA, certificate: ServerTls) -> None:
    async with Service(certificate=certificate) as service:
        client = await connect(service, authority)
        number, stream = client.ask("POST", "/p", ("expect", "100-continue"), end=False)
        await service.until(lambda: stream.informational == ["100"])
        client.give(number, b"body", end=True)
        assert (await stream.answer()).body == b"/p body"
        assert (await client.get("/p", ("expect", "x"))).status == 417


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/" + "p" * 1100, [], 431),
        ("/p", [("x", "y" * 1100)], 431),
        ("/p", [(f"x-{number}", "y") for number in range(20)], 431),
        ("/p", [("content-length", "5000")], 413),
        ("p", [], 400),
    ],
    ids=["a long path", "a long header", "many headers", "a large body", "a path without a slash"],
)
@edge
async def test_limits_of_a_head(
    authority: trustme.CA, certificate: ServerTls, path: str, headers: list[tuple[str, str]], status: int
) -> None:
    async with Service(certificate=certificate, header_bytes=1024, header_count=15, request_body_mb=0.001) as service:
        client = await connect(service, authority)
        answer = await client.ask("POST", path, *headers, end=False)[1].answer()
        assert answer.status == status
        assert answer.headers["content-type"] == "application/json"
        assert (await client.get("/next")).status == 200


@edge
async def test_a_header_bomb_ends_the_connection(authority: trustme.CA, certificate: ServerTls) -> None:
    async with Service(certificate=certificate, header_bytes=1024) as service:
        client = await connect(service, authority)
        client.ask("GET", "/p", ("x", "y" * 5000))
        await client.closed()
        assert client.h2.goodbye is not None
        assert client.h2.goodbye.error_code == ErrorCodes.ENHANCE_YOUR_CALM
        assert service.echo.requests == []


@edge
async def test_a_header_bomb_that_is_packed_small_ends_the_connection(
    authority: trustme.CA, certificate: ServerTls
) -> None:
    """One header of 3 kB, named again by a byte each time."""
    async with Service(certificate=certificate, header_bytes=8192) as service:
        client = await connect(service, authority)
        head = [(":method", "GET"), (":path", "/p"), (":scheme", "https"), (":authority", "localhost")]
        packed = hpack.Encoder().encode([*head, *[("x-bomb", "y" * 3000)] * 10_000])
        assert len(packed) < 14_000
        client.wire.write(HeadersFrame(1, packed, flags=["END_HEADERS", "END_STREAM"]).serialize())
        await client.closed()
        assert client.h2.goodbye.error_code == ErrorCodes.ENHANCE_YOUR_CALM
        assert service.echo.requests == []


@edge
async def test_a_head_that_goes_on_and_on_ends_the_connection(authority: trustme.CA, certificate: ServerTls) -> None:
    async with Service(certificate=certificate) as service:
        client = await connect(service, authority)
        client.wire.write(HeadersFrame(1, b"", flags=["END_STREAM"]).serialize())
        for _ in range(CONTINUATION_BACKLOG):
            client.wire.write(ContinuationFrame(1, b"\x00\x01x\x01y" * 1000).serialize())
        await client.closed()
        assert client.h2.goodbye.error_code == ErrorCodes.PROTOCOL_ERROR
        assert service.echo.requests == []


@edge
async def test_a_body_is_413_as_soon_as_it_is_too_large(authority: trustme.CA, certificate: ServerTls) -> None:
    async with Service(certificate=certificate, request_body_mb=0.03) as service:
        client = await connect(service, authority)
        number, stream = client.ask("POST", "/p", end=False)
        client.give(number, b"x" * 50_000)
        assert (await stream.answer()).status == 413
        await service.until(lambda: stream.reset == ErrorCodes.NO_ERROR)
        assert (await client.get("/next")).status == 200


@edge
async def test_a_silent_body_is_408(authority: trustme.CA, certificate: ServerTls) -> None:
    clock = Clock()
    limits: dict[str, Any] = {"body_idle_seconds": 10, "body_bytes_per_second": 1, "keep_alive_seconds": 7}
    async with Service(certificate=certificate, clock=clock, **limits) as service:
        client = await connect(service, authority)
        number, stream = client.ask("POST", "/p", end=False)
        await service.until(lambda: service.site.in_flight == 1)
        server_side = (await service.channel()).streams[number]
        for size in range(10, 40, 10):
            clock.advance(9.9)
            client.give(number, b"x" * 10)
            await service.until(lambda size=size: server_side.request._received == size)  # type: ignore[misc]
        clock.advance(10)
        await settle(service, clock, stream)
        assert (await stream.answer()).status == 408


@edge
async def test_a_body_that_drips_is_408_and_its_neighbour_is_not(authority: trustme.CA, certificate: ServerTls) -> None:
    clock = Clock()
    async with Service(certificate=certificate, clock=clock, body_idle_seconds=10, body_bytes_per_second=10) as service:
        client = await connect(service, authority)
        slow, refused = client.ask("POST", "/p", end=False)
        steady, passes = client.ask("POST", "/p", end=False)
        await service.until(lambda: service.site.in_flight == 2)
        streams = (await service.channel()).streams
        both = [streams[number].request for number in (slow, steady)]
        for second in range(1, 11):
            clock.advance(1)
            client.give(slow, b"x")
            client.give(steady, b"x" * 10)
            await service.until(lambda second=second: [each._received for each in both] == [second, 10 * second])  # type: ignore[misc]
        assert not refused.headers
        clock.advance(1)
        await settle(service, clock, refused)
        answer = await refused.answer()
        assert (answer.status, answer.error["path"]) == (408, "/p")
        clock.advance(5)
        client.give(steady, b"x", end=True)
        await settle(service, clock, passes)
        assert (await passes.answer()).status == 200


@edge
async def test_an_idle_connection_says_goodbye_and_a_busy_one_does_not(
    authority: trustme.CA, certificate: ServerTls
) -> None:
    clock = Clock()
    async with Service(certificate=certificate, clock=clock, keep_alive_seconds=30) as service:
        client = await connect(service, authority)
        _, stream = client.ask("GET", "/wait")
        answering = await service.waiting()
        for _ in range(5):
            clock.advance(29)
        answering.finish()
        await settle(service, clock, stream)
        assert (await stream.answer()).status == 200
        clock.advance(30)
        assert isinstance(await client.closed(), ConnectionDone)
        assert client.h2.goodbye is not None
        assert client.h2.goodbye.error_code == ErrorCodes.NO_ERROR


@edge
async def test_drain(authority: trustme.CA, certificate: ServerTls) -> None:
    async with Service(certificate=certificate) as service:
        idle, busy = await connect(service, authority), await connect(service, authority)
        await idle.get("/p")
        number, stream = busy.ask("GET", "/wait")
        answering = await service.waiting()
        answering.write(b"be")

        service.site.drain()
        await idle.closed()
        assert idle.h2.goodbye is not None
        settled = service.site.idle()
        assert not settled.called
        assert busy.h2.goodbye is None
        _, late = busy.ask("GET", "/late")
        await late.end()
        assert late.reset == ErrorCodes.REFUSED_STREAM
        assert busy.h2.goodbye is not None
        assert (busy.h2.goodbye.error_code, busy.h2.goodbye.last_stream_id) == (ErrorCodes.NO_ERROR, number)

        answering.write(b"gun")
        answering.finish()
        assert (await stream.answer()).body == b"begun"
        await busy.closed()
        await settled
        assert len(service.echo.requests) == 2


@edge
async def test_a_client_that_does_not_confirm_the_end_is_cut_off(authority: trustme.CA, certificate: ServerTls) -> None:
    clock = Clock()
    async with Service(certificate=certificate, clock=clock) as service:
        client = await connect(service, authority)
        await service.until(lambda: any(hasattr(connection.channel, "conn") for connection in service.site.connections))
        client.wire.pauseProducing()
        service.site.drain()
        settled = service.site.idle()
        clock.advance(LINGER_SECONDS)
        await settled


@edge
async def test_an_answer_that_breaks_off_is_reset(
    caught: list[Any], authority: trustme.CA, certificate: ServerTls
) -> None:
    async with Service(certificate=certificate) as service:
        client = await connect(service, authority)
        _, stream = client.ask("GET", "/wait")
        answering = await service.waiting()
        answering.write(b"half")
        await service.until(lambda: stream.body == b"half")
        answering.loseConnection()
        answering.write(b"never")
        answering.finish()
        await stream.end()
        assert (stream.reset, stream.body) == (ErrorCodes.INTERNAL_ERROR, b"half")
        assert (await client.get("/next")).status == 200
        assert (await client.get("/broken")).status == 500
        assert len(caught) == 1


@edge
async def test_a_stream_the_client_gives_up_is_noticed(authority: trustme.CA, certificate: ServerTls) -> None:
    async with Service(certificate=certificate) as service:
        client = await connect(service, authority)
        number, _ = client.ask("GET", "/wait")
        gone = (await service.waiting()).notifyFinish()
        client.h2.reset_stream(number, ErrorCodes.CANCEL)
        client.flush()
        with pytest.raises(Exception, match="reset"):
            await gone
        await service.until(lambda: service.site.in_flight == 0)
        assert (await client.get("/next")).status == 200


@edge
async def test_a_slow_reader_pauses_only_its_own_producer(authority: trustme.CA, certificate: ServerTls) -> None:
    class Producer:
        paused = False

        def pauseProducing(self) -> None:
            self.paused = True

        def resumeProducing(self) -> None:
            self.paused = False

        def stopProducing(self) -> None: ...

    async with Service(certificate=certificate) as service:
        client = await connect(service, authority)
        client.h2.increment_flow_control_window(10_000_000)
        client.flush()
        client.reading = False
        number, stream = client.ask("GET", "/wait")
        answering = await service.waiting()
        producer = Producer()
        answering.registerProducer(producer, True)
        written = 0
        while not producer.paused:
            answering.write(b"x" * 16384)
            written += 16384
            await service.tick()
        assert written < 300_000
        assert (await client.get("/next")).status == 200
        client.h2.increment_flow_control_window(1_000_000, number)
        client.flush()
        await service.until(lambda: not producer.paused)
        answering.unregisterProducer()
        answering.finish()
        assert len((await stream.answer()).body) == written
