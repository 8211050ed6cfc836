"""A call on a socket as the gateway's `Sink`: the bytes that HTTP would have had, as messages."""

from collections.abc import Mapping
from typing import Any

import orjson
from twisted.internet.interfaces import IPushProducer

from aiproxy.codecs.wire import Wire
from aiproxy.framing import Frame
from aiproxy.framing.sse import COMMENT
from aiproxy.web.sockets.session import Session


class EventSink:
    """A stream's frames, or a whole answer as the one event; a child says how they are told. `cut`: what came is not the whole."""

    def __init__(self, session: Session, wire: Wire) -> None:
        self.session = session
        self.cut = False
        self.sent = 0
        """Bytes of the answer, as HTTP would have sent them."""
        self.status = 0
        self._framer = wire.framer()
        self._framed = False
        self._body: list[bytes] = []
        self._producer: IPushProducer | None = None

    # -- what a child tells

    def told_start(self, status: int, headers: Mapping[str, str]) -> None:
        raise NotImplementedError

    def told_event(self, frame: Frame) -> None:
        raise NotImplementedError

    # -- what the gateway calls

    def start(self, status: int, headers: Mapping[str, str]) -> None:
        self.status = status
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        self._framed = kind != "application/json"
        self.told_start(status, {name: value for name, value in headers.items() if name not in _OF_HTTP})

    def write(self, data: bytes) -> None:
        self.sent += len(data)
        if self._framed:
            self._tell(self._framer.feed(data))
        else:
            self._body.append(data)

    def abort(self) -> None:
        self.cut = True

    def register(self, producer: IPushProducer) -> None:
        self._producer = producer
        self.session.register(producer)

    def unregister(self) -> None:
        if self._producer is not None:
            self.session.unregister(self._producer)
            self._producer = None

    def finish(self) -> None:
        """The answer's end: what has not been told yet."""
        if self._framed:
            self._tell(self._framer.close())
        elif self._body and not self.cut:
            self.told_event(Frame("", b"".join(self._body)))

    def _tell(self, frames: Any) -> None:
        for frame in frames:
            if frame.event != COMMENT and (frame.data or frame.event):
                self.told_event(frame)


_OF_HTTP = frozenset(("content-length", "content-type", "cache-control", "connection", "x-accel-buffering"))


def as_json(data: bytes) -> bytes:
    """What may stand in a message as it is; a text of it, where it isn't JSON (`[DONE]`)."""
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return orjson.dumps(data.decode("utf-8", "replace"))
    return data
