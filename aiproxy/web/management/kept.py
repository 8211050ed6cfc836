"""What rooms ask of the state."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from aiproxy.neutral.errors import Overloaded
from aiproxy.storage.state.database import Session, StateUnavailable

T = TypeVar("T")


class Kept(Protocol):
    """The state, to be asked."""

    def now(self) -> float: ...

    async def read(self, ask: Callable[[Session], T]) -> T: ...


async def asked_of(state: Kept, ask: Callable[[Session], T]) -> T:
    """Raises `Overloaded` while the database is away."""
    try:
        return await state.read(ask)
    except StateUnavailable as away:
        raise Overloaded(f"The state can't be asked now: {away}") from away
