"""A connection that is over leaves nothing that only the garbage collector would find: a thousand of them would stop everybody."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from tests.web.serving import Service, edge, request


@pytest.fixture(autouse=True)
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@edge
async def test_a_connection_that_closes_is_gone() -> None:
    async with Service() as service:
        client = await service.connect()
        gone = weakref.ref(await service.channel())
        await client.ask(request("POST", "/", b"hello"))
        service.echo.requests.clear()
        client.wire.loseConnection()
        await client.closed()
        await service.until(lambda: not service.site.connections)
        await service.tick()
        assert gone() is None


@edge
async def test_a_client_that_leaves_its_answer_is_gone() -> None:
    async with Service() as service:
        client = await service.connect()
        gone = weakref.ref(await service.channel())
        client.send(request("GET", "/wait"))
        (await service.waiting()).notifyFinish().addErrback(lambda _failure: None)
        service.echo.requests.clear()
        client.wire.abortConnection()
        await service.until(lambda: not service.site.connections)
        await service.tick()
        assert gone() is None
