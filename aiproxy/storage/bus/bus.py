"""Publish and subscribe, whoever carries the bytes.

Messages of one key are heard in one order everywhere, and each once: one that is not later than the last of its key is
dropped. So a carrier may repeat, delay or merge them. One that loses some says so (`missed`), and whoever keeps a copy of
something reads it anew where it is kept."""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from secrets import token_hex
from time import time
from typing import Any, Protocol

from twisted.logger import Logger

from aiproxy.storage.bus.message import Message, Topic, WireKey, decode, encode

KEYS_REMEMBERED = 20_000
"""Keys whose last message is remembered, the latest used: about 5 MB."""

TICK = 1e-6
"""Seconds by which a message is later than the last one heard when the clock doesn't say so."""

AHEAD_SECONDS = 60.0
"""How far ahead of our clock a sender's may be. What claims to be later is not let order everything after it."""

_log = Logger("aiproxy.bus")


class Carrier(Protocol):
    """Takes messages to all other members, never to who sent them, nor twice on purpose. `connected` and `problem` are
    for people; `most` is how many bytes a message may have."""

    kind: str
    most: int

    @property
    def connected(self) -> bool: ...

    def start(self, receive: Callable[[bytes], None], missed: Callable[[], None]) -> None:
        """`missed` is called when messages may have been lost: after every time without a connection."""
        ...

    def send(self, key: WireKey, data: bytes) -> None:
        """Never waits; while there is no connection, the latest of each key is kept for when there is one."""
        ...

    async def stop(self) -> None: ...


class Bus:
    """`publish` never waits and never raises for want of a connection. Publishers don't hear themselves."""

    def __init__(self, carrier: Carrier, now: Callable[[], float] = time) -> None:
        self.carrier = carrier
        self.origin = token_hex(8)
        self._now = now
        self._last = 0.0
        self._heard: OrderedDict[WireKey, tuple[float, str]] = OrderedDict()
        self._receivers: dict[Topic, list[Callable[[Message], None]]] = {}
        self._missed: list[Callable[[], None]] = []

    def start(self) -> None:
        self.carrier.start(self._receive, self._lost_some)

    async def stop(self) -> None:
        await self.carrier.stop()

    def publish(self, topic: Topic, key: str, body: Mapping[str, Any]) -> Message:
        """Raises `ValueError` for a body that is too large."""
        self._last = max(self._now(), self._last + TICK)
        message = Message(topic, key, body, self._last, self.origin)
        data = encode(message, self.carrier.most)
        self._note(message)
        self.carrier.send(message.wire_key, data)
        return message

    def subscribe(self, topic: Topic, receive: Callable[[Message], None]) -> Callable[[], None]:
        """The way out is returned."""
        receivers = self._receivers.setdefault(topic, [])
        receivers.append(receive)
        return lambda: receivers.remove(receive)

    def when_missed(self, reread: Callable[[], None]) -> None:
        self._missed.append(reread)

    def _receive(self, data: bytes) -> None:
        message = decode(data)
        if message is None or message.origin == self.origin:
            return
        last = self._heard.get(message.wire_key)
        if last is not None and message.order <= last:
            return
        if message.at <= self._now() + AHEAD_SECONDS:
            self._last = max(self._last, message.at)
            self._note(message)
        for receive in tuple(self._receivers.get(message.topic, ())):
            try:
                receive(message)
            except Exception:  # noqa: BLE001 - one receiver's bug is not the next one's
                _log.failure("a message on {topic} could not be taken", topic=message.topic)

    def _note(self, message: Message) -> None:
        self._heard[message.wire_key] = message.order
        self._heard.move_to_end(message.wire_key)
        if len(self._heard) > KEYS_REMEMBERED:
            self._heard.popitem(last=False)

    def _lost_some(self) -> None:
        for reread in self._missed:
            reread()
