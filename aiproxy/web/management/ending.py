"""Ends calls under way by their id, wherever they are: with us or with another worker of this node."""

from collections.abc import Callable

from aiproxy.neutral.errors import EndedByOperator, GatewayError, NotFound
from aiproxy.storage.bus.asking import Asking

CANCEL = "cancel"
"""What the other workers are asked; each answers how many it has ended."""

TOLD = "An operator of this gateway has ended this call; ask them before you send it again."


class Ending:
    """`interrupt` ends our own, and says how many: clients may give one id to several calls."""

    def __init__(self, interrupt: Callable[[str, GatewayError], int], asking: Asking) -> None:
        self._interrupt = interrupt
        self._asking = asking
        asking.answer(CANCEL, lambda about: [self._here(str(about.get("request_id")))])

    async def end(self, request_id: str) -> int:
        """How many were ended. Raises `NotFound` where none is under way."""
        here = self._here(request_id)
        others = await self._asking.ask(CANCEL, {"request_id": request_id})
        ended = here + sum(int(count) for given in others.given for count in given)
        if not ended:
            silent = f" {others.silent} workers did not answer; ask again." if others.silent else ""
            raise NotFound(f"No call with the id {request_id!r} is under way.{silent}", param="request_id")
        return ended

    def _here(self, request_id: str) -> int:
        return self._interrupt(request_id, EndedByOperator(TOLD))
