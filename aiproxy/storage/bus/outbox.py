"""Messages that wait for a connection: the latest of each key, in the order of their first."""

from collections import OrderedDict

from aiproxy.storage.bus.message import WireKey

OUTBOX_KEYS = 10_000
"""Keys that may wait, about 5 MB; beyond them the oldest goes, and is counted."""


class Outbox:
    def __init__(self) -> None:
        self._waiting: OrderedDict[WireKey, bytes] = OrderedDict()
        self.dropped = 0

    def put(self, key: WireKey, data: bytes) -> None:
        self._waiting[key] = data
        if len(self._waiting) > OUTBOX_KEYS:
            self._waiting.popitem(last=False)
            self.dropped += 1

    def take(self, most_bytes: int) -> list[tuple[WireKey, bytes]]:
        """Some to send now, at least one if there is any."""
        taken: list[tuple[WireKey, bytes]] = []
        room = most_bytes
        while self._waiting:
            key, data = next(iter(self._waiting.items()))
            room -= len(data)
            if taken and room < 0:
                break
            taken.append((key, data))
            del self._waiting[key]
        return taken

    def give_back(self, taken: list[tuple[WireKey, bytes]]) -> None:
        """What could not be sent, unless something later has come in its place."""
        for key, data in reversed(taken):
            if key not in self._waiting:
                self._waiting[key] = data
                self._waiting.move_to_end(key, last=False)

    def __bool__(self) -> bool:
        return bool(self._waiting)
