"""The bench for tests that need sockets."""

from collections.abc import AsyncIterator

from pytest_twisted import async_yield_fixture

from tests.transports.servers import Bench


@async_yield_fixture  # type: ignore[untyped-decorator]
async def bench() -> AsyncIterator[Bench]:
    from twisted.internet import reactor

    bench = Bench(reactor)
    yield bench
    await bench.close()
