"""A memory of this process, within limits.

What nobody asked for during its lifetime is forgotten. Where there is no room, the tenant that holds the most lets go of
what it has used the longest time ago: one client can't push out another's."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

ENTRY_BYTES = 300
"""Bytes that an entry takes besides its key and value: CPython's objects and their places in two tables, measured."""

SWEEP_SECONDS = 60.0
"""How often all tenants are looked at for what is too old; an entry that is asked for is looked at anyway."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`lifetime` is seconds since an entry was last put or asked for. An entry larger than all `size` is not kept."""

    entries: int
    size: int
    lifetime: float


@dataclass(slots=True)
class _Entry:
    value: bytes
    size: int
    used: float


@dataclass(slots=True)
class _Tenant:
    size: int = 0
    entries: OrderedDict[str, _Entry] = field(default_factory=OrderedDict)
    """The one used the longest time ago comes first."""


class BoundedMemory:
    """`now` is seconds of a clock that never goes back."""

    def __init__(self, limits: Limits, now: Callable[[], float]) -> None:
        self._limits = limits
        self._now = now
        self._tenants: dict[str, _Tenant] = {}
        self._swept = now()
        self.entries = 0
        self.size = 0

    def limit(self, limits: Limits) -> None:
        """Other limits from now on."""
        self._limits = limits
        self._sweep()
        self._make_room()

    def put(self, tenant: str, key: str, value: bytes) -> None:
        now = self._now()
        if now - self._swept >= SWEEP_SECONDS:
            self._sweep()
        self._drop(tenant, key)
        size = len(key) + len(value) + ENTRY_BYTES
        if size > self._limits.size or not self._limits.entries:
            return
        held = self._tenants.setdefault(tenant, _Tenant())
        held.entries[key] = _Entry(value, size, now)
        held.size += size
        self.size += size
        self.entries += 1
        self._make_room()

    async def get(self, tenant: str, key: str) -> bytes | None:
        held = self._tenants.get(tenant)
        entry = held.entries.get(key) if held else None
        if held is None or entry is None:
            return None
        now = self._now()
        if now - entry.used >= self._limits.lifetime:
            self._drop(tenant, key)
            return None
        entry.used = now
        held.entries.move_to_end(key)
        return entry.value

    async def forget(self, tenant: str, key: str) -> bool:
        found = await self.get(tenant, key) is not None
        self._drop(tenant, key)
        return found

    def let_go(self, tenant: str) -> None:
        """Of all that it holds."""
        for key in list(self._tenants[tenant].entries) if tenant in self._tenants else ():
            self._drop(tenant, key)

    def _make_room(self) -> None:
        while self.entries > self._limits.entries or self.size > self._limits.size:
            tenant = max(self._tenants, key=lambda name: self._tenants[name].size)
            self._drop(tenant, next(iter(self._tenants[tenant].entries)))

    def _sweep(self) -> None:
        self._swept = self._now()
        oldest = self._swept - self._limits.lifetime
        for tenant, held in list(self._tenants.items()):
            while held.entries and next(iter(held.entries.values())).used <= oldest:
                self._drop(tenant, next(iter(held.entries)))

    def _drop(self, tenant: str, key: str) -> None:
        held = self._tenants.get(tenant)
        entry = held.entries.pop(key, None) if held else None
        if held is None or entry is None:
            return
        held.size -= entry.size
        self.size -= entry.size
        self.entries -= 1
        if not held.entries:
            del self._tenants[tenant]
