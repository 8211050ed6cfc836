"""Answers that upstreams keep themselves: whoever goes on from one must reach the account that gave it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from twisted.internet.interfaces import IPushProducer

from aiproxy.gateway.call import Sink

LONGEST_HEAD = 4096
"""Bytes of an answer that are looked at for its id: it is among the first members, after keep-alive comments at most."""

_ID = re.compile(rb'"id"\s*:\s*"([^"\\]{1,200})"')


@dataclass(slots=True)
class NamedSink:
    """Another sink, which notes the id of the answer that goes through it."""

    sink: Sink
    id: str = ""
    _head: bytes | None = b""

    def start(self, status: int, headers: Mapping[str, str]) -> None:
        self.sink.start(status, headers)

    def write(self, data: bytes) -> None:
        if self._head is not None:
            self._look(self._head + data)
        self.sink.write(data)

    def abort(self) -> None:
        self.sink.abort()

    def register(self, producer: IPushProducer) -> None:
        self.sink.register(producer)

    def unregister(self) -> None:
        self.sink.unregister()

    def _look(self, head: bytes) -> None:
        if found := _ID.search(head, 0, LONGEST_HEAD):
            self.id = found[1].decode("utf-8", "replace")
        self._head = None if self.id or len(head) >= LONGEST_HEAD else head
