"""The bench for tests that need sockets, and an authority for those that need TLS."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_twisted import async_yield_fixture

from tests.transports.servers import Authority, Bench


@async_yield_fixture  # type: ignore[untyped-decorator]
async def bench() -> AsyncIterator[Bench]:
    from twisted.internet import reactor

    bench = Bench(reactor)
    yield bench
    await bench.close()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)
