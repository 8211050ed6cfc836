"""The deadline of a stream's first word (`timeouts.first-token`): who is late makes room for another account."""

from collections.abc import Coroutine
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime

from aiproxy.gateway.call import Call
from aiproxy.neutral.errors import Timeout


async def first_token_within(
    seconds: float, call: Call, exchange: Coroutine[Any, Any, None], clock: IReactorTime
) -> None:
    """The exchange, unless nothing of its answer reaches the client in time (0: however long it takes). Raises `Timeout`."""
    if not (seconds and call.stream):
        await exchange
        return
    late = False

    def ring() -> None:
        nonlocal late
        if not call.committed:
            late = True
            under_way.cancel()

    under_way = Deferred.fromCoroutine(exchange)
    alarm = clock.callLater(seconds, ring)
    try:
        await under_way
    except CancelledError:
        if not late:
            raise
        told = f"The upstream sent nothing of its answer within {seconds:g} s (timeouts.first-token)."
        raise Timeout(told) from None
    finally:
        if alarm.active():
            alarm.cancel()
