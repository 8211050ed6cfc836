"""Requests and answers over HTTP/1.1: keep-alive, pipelining, refusals, failures of routes, what is never told."""

from typing import Any

import pytest
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure

from aiproxy.neutral.errors import Authentication, Draining, GatewayError
from aiproxy.web.http1 import PIPELINED_BYTES
from aiproxy.web.request import HttpRequest
from tests.web.serving import Service, edge, request


@edge
async def test_answers_and_keeps_the_connection() -> None:
    async with Service() as service:
        client = await service.connect()
        for path in ("/a", "/b?x=1"):
            answer = await client.ask(request("POST", path, b"body"))
            assert (answer.status, answer.body) == (200, path.partition("?")[0].encode() + b" body")
            assert "date" in answer.headers
            assert not answer.closes
        assert service.echo.requests[1].args == {b"x": [b"1"]}


@edge
async def test_names_no_software_and_no_content_type_of_its_own() -> None:
    async with Service() as service:
        answer = await (await service.connect()).ask(request())
        assert set(answer.headers) == {"date", "content-length"}


@edge
async def test_a_body_may_come_in_any_pieces() -> None:
    async with Service() as service:
        client = await service.connect()
        for byte in request("POST", "/", b"abc", expect="100-continue"):
            client.send(bytes([byte]))
            await service.tick()
        assert (await client.answer()).body == b"/ abc"
        chunked = (
            request("POST", "/", transfer_encoding="Chunked") + b"1;x=y\r\na\r\n2\r\nbc\r\n0\r\ntrailer: t\r\n\r\n"
        )
        for byte in chunked:
            client.send(bytes([byte]))
            await service.tick()
        assert (await client.answer()).body == b"/ abc"


@edge
async def test_head_has_the_headers_and_no_body() -> None:
    async with Service() as service:
        client = await service.connect("HEAD", "GET")
        client.send(request("HEAD", "/abc"), request("GET", "/abc"))
        head, get = await client.answer(), await client.answer()
        assert (head.status, head.body) == (200, b"")
        assert head.headers["content-length"] == get.headers["content-length"] == "5"


@edge
async def test_the_absolute_form_and_one_empty_line_are_understood() -> None:
    async with Service() as service:
        client = await service.connect()
        client.send(b"\r\n" + request("GET", "http://gateway.test/p?q=1"))
        assert (await client.answer()).body == b"/p "
        assert service.echo.requests[0].uri == b"/p?q=1"


@edge
async def test_http_1_0_and_connection_close_end_the_connection() -> None:
    async with Service() as service:
        for asked in (b"GET / HTTP/1.0\r\n\r\n", request(connection="x, Close")):
            client = await service.connect()
            answer = await client.ask(asked)
            assert answer.status == 200
            assert answer.closes
            await client.closed()


@edge
async def test_pipelined_requests_are_answered_in_order_and_read_ahead_is_bounded() -> None:
    async with Service() as service:
        client = await service.connect()
        client.send(request("GET", "/wait"))
        first = await service.waiting()
        count = 4_000
        client.send(request("GET", "/next") * count)
        channel = await service.channel()
        await service.until(lambda: len(channel._unread) > PIPELINED_BYTES)
        for _ in range(50):
            await service.tick()
        assert len(channel._unread) <= PIPELINED_BYTES + 65536  # one read of Twisted's
        assert len(service.echo.requests) == 1
        first.write(b"first")
        first.finish()
        assert (await client.answer()).body == b"first"
        for _ in range(count):
            assert (await client.answer()).body == b"/next "


@edge
async def test_a_refused_body_is_not_read() -> None:
    asked: list[tuple[object, ...]] = []

    def refuse(request: HttpRequest) -> GatewayError | None:
        asked.append((request.method, request.uri, request.getHeader("x-api-key"), request.content.getvalue()))
        return Authentication("Wrong key.", headers={"www-authenticate": "Bearer"})

    async with Service(refuse=refuse) as service:
        client = await service.connect()
        client.send(
            b"POST /v1/x?key=k HTTP/1.1\r\nhost: h\r\nx-api-key: k\r\ncontent-length: 9\r\nexpect: 100-continue\r\n\r\n"
        )
        answer = await client.answer()
        assert (answer.status, answer.error["path"], answer.headers["www-authenticate"]) == (401, "/v1/x", "Bearer")
        assert answer.closes
        assert client.informational == []
        assert asked == [(b"POST", b"/v1/x?key=k", "k", b"")]
        client.send(b"X" * 1_000_000)  # no reset: the answer must survive what is still being sent
        client.wire.loseConnection()
        await client.closed()
        assert service.echo.requests == []


@edge
async def test_a_refused_request_without_a_body_keeps_the_connection() -> None:
    async with Service(refuse=lambda r: Draining("Later.") if r.path == b"/no" else None) as service:
        client = await service.connect()
        client.send(request("GET", "/no"), request("GET", "/yes"))
        refused, answer = await client.answer(), await client.answer()
        assert (refused.status, refused.closes) == (503, False)
        assert answer.body == b"/yes "


@edge
async def test_a_rule_that_breaks_lets_nobody_in(caught: list[Any]) -> None:
    def refuse(request: HttpRequest) -> GatewayError | None:
        raise RuntimeError("a secret reason")

    async with Service(refuse=refuse) as service:
        answer = await (await service.connect()).ask(request("POST", "/", b"x"))
        assert (answer.status, answer.closes) == (500, True)
        assert b"secret" not in answer.body
        assert service.echo.requests == []
    assert len(caught) == 1


@edge
async def test_100_continue_is_sent_once_the_head_is_accepted() -> None:
    async with Service() as service:
        client = await service.connect()
        client.send(b"POST /p HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\nexpect: 100-Continue\r\n\r\n")
        await service.until(lambda: client.informational == [100])
        assert (await client.ask(b"ok")).body == b"/p ok"


@edge
async def test_a_route_that_breaks_is_an_incident(caught: list[Any]) -> None:
    async with Service() as service:
        client = await service.connect()
        answer = await client.ask(request("GET", "/broken"))
        assert answer.status == 500
        assert answer.headers["content-type"] == "application/json"
        assert b"secret" not in client.raw
        (logged,) = caught
        assert logged["incident"] in answer.error["error"]
        assert (await client.ask(request())).status == 200


@edge
async def test_an_answer_that_breaks_off_is_seen_to_be_cut(caught: list[Any]) -> None:
    async with Service() as service:
        for version in (b"1.1", b"1.0"):
            client = await service.connect()
            client.send(b"GET /wait HTTP/" + version + b"\r\nhost: h\r\n\r\n")
            answering = await service.waiting()
            answering.write(b"half")
            await service.until(lambda client=client: client.raw.endswith(b"half") or b"half\r\n" in client.raw)  # type: ignore[misc]
            answering.processingFailed(Failure(RuntimeError("broke")))
            lost = await client.closed()
            assert b"0\r\n\r\n" not in client.raw
            assert (version == b"1.1") == (isinstance(lost, ConnectionDone))  # HTTP/1.0 has no other sign than a reset
        assert len(caught) == 2


@edge
async def test_bodies_are_neither_parsed_as_forms_nor_put_on_disk() -> None:
    async with Service(request_body_mb=4) as service:
        body = b"a=1&" * 300_000
        client = await service.connect()
        answer = await client.ask(request("POST", "/", body, content_type="application/x-www-form-urlencoded"))
        assert answer.body == b"/ " + body
        assert service.echo.requests[0].args == {}


@edge
async def test_a_slow_reader_pauses_the_producer() -> None:
    class Producer:
        paused = False

        def pauseProducing(self) -> None:
            self.paused = True

        def resumeProducing(self) -> None:
            self.paused = False

        def stopProducing(self) -> None: ...

    async with Service() as service:
        client = await service.connect()
        client.send(request("GET", "/wait"))
        answering = await service.waiting()
        producer = Producer()
        answering.registerProducer(producer, True)
        client.wire.pauseProducing()
        written = 0
        while not producer.paused:
            answering.write(b"x" * 65536)
            written += 65536
            await service.tick()
        client.wire.resumeProducing()
        await service.until(lambda: not producer.paused)
        answering.unregisterProducer()
        answering.finish()
        assert len((await client.answer()).body) == written


@edge
async def test_a_client_that_hangs_up_is_noticed_while_it_is_answered() -> None:
    async with Service() as service:
        client = await service.connect()
        client.send(request("GET", "/wait"))
        answering = await service.waiting()
        assert service.site.in_flight == 1
        gone = answering.notifyFinish()
        client.wire.abortConnection()
        with pytest.raises(Exception, match="Connection"):
            await gone
        await service.until(lambda: service.site.in_flight == 0)


@edge
async def test_a_client_that_closes_its_half_has_left() -> None:
    """What came with its end can't be told from a client that hangs up, and an answer for nobody is paid for."""
    async with Service() as service:
        client = await service.connect()
        client.send(request("GET", "/wait"))
        gone = (await service.waiting()).notifyFinish()
        client.wire.loseWriteConnection()
        with pytest.raises(Exception, match="Connection"):
            await gone
        await client.closed()
        assert client.raw == b""
        await service.until(lambda: service.site.in_flight == 0)


@edge
@pytest.mark.parametrize("sent", [b"GET /p HT", b"POST /p HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nabc"])
async def test_half_a_request_and_its_end_is_no_request(sent: bytes) -> None:
    async with Service() as service:
        client = await service.connect()
        client.send(sent)
        client.wire.loseWriteConnection()
        await client.closed()
        assert client.raw == b""
        assert service.site.in_flight == 0
