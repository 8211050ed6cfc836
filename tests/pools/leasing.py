"""Leases in tests: what has fired, what was refused, giving back."""

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from aiproxy.pools.lending import NoneReady
from aiproxy.pools.pool import Lease


def now(lease: Deferred[Lease]) -> Lease:
    """The result of a lease that must have fired."""
    assert lease.called
    found: list[Lease] = []
    lease.addCallback(found.append)
    return found[0]


def refusal(lease: Deferred[Lease]) -> NoneReady:
    found: list[NoneReady] = []

    def caught(failure: Failure) -> None:
        assert isinstance(failure.value, NoneReady)
        found.append(failure.value)

    lease.addErrback(caught)
    return found[0]


def give_back(lease: Lease, error: BaseException | None = None) -> None:
    """Leave the lease's block, with an error or without."""

    async def block() -> None:
        async with lease:
            if error is not None:
                raise error

    Deferred.fromCoroutine(block()).addErrback(lambda failure: failure.trap(type(error)))
