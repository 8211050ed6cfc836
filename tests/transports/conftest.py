"""The bench for tests that need sockets, and an authority for those that need TLS."""

import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pytest_twisted import async_yield_fixture
from twisted.logger import ILogObserver, LogEvent, LogLevel, globalLogPublisher
from zope.interface import implementer

from tests.transports.servers import Authority, Bench


@implementer(ILogObserver)
class Complaints:
    def __init__(self) -> None:
        self.heard: list[LogEvent] = []

    def __call__(self, event: LogEvent) -> None:
        if event["log_level"] >= LogLevel.warn:
            self.heard.append(event)


@async_yield_fixture  # type: ignore[untyped-decorator]
async def bench() -> AsyncIterator[Bench]:
    """Nothing may complain in the log while it stands, an error nobody waited for least of all."""
    from twisted.internet import reactor

    complaints = Complaints()
    globalLogPublisher.addObserver(complaints)
    bench = Bench(reactor)
    yield bench
    await bench.close()
    gc.collect()  # a Deferred tells of its unheard error when it is collected
    globalLogPublisher.removeObserver(complaints)
    assert not complaints.heard


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)
