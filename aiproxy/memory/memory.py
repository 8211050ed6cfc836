"""What every memory offers, one of this process or one that several share."""

from typing import Protocol


class Memory(Protocol):
    """Each tenant has keys of its own. Asking may mean asking another machine, so it is awaited; `put` never waits: whoever
    asks next, finds it."""

    def put(self, tenant: str, key: str, value: bytes) -> None: ...

    async def get(self, tenant: str, key: str) -> bytes | None:
        """None for what was never there, has been let go of, or is another tenant's."""

    async def forget(self, tenant: str, key: str) -> bool:
        """Whether there was something to forget."""
