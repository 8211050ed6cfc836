"""Between gateways of one process, and for the gateway that has nobody to talk to."""

from collections.abc import Callable

from aiproxy.storage.bus.message import LARGEST_MESSAGE, WireKey


class Hub:
    """Where the members of a process meet; `join` makes one more carrier."""

    def __init__(self) -> None:
        self._members: list[_Member] = []

    def join(self) -> "_Member":
        return _Member(self._members)


class _Member:
    kind = "in-process"
    most = LARGEST_MESSAGE
    connected = True

    def __init__(self, members: list["_Member"]) -> None:
        self._members = members
        self._receive: Callable[[bytes], None] = lambda _data: None

    @property
    def others(self) -> int:
        return len(self._members) - 1

    def start(self, receive: Callable[[bytes], None], _missed: Callable[[], None]) -> None:
        self._receive = receive
        self._members.append(self)

    def send(self, _key: WireKey, data: bytes) -> None:
        for member in self._members.copy():
            if member is not self:
                member._receive(data)  # noqa: SLF001 - members of one hub

    async def stop(self) -> None:
        if self in self._members:
            self._members.remove(self)
