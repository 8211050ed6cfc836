"""A call on a socket as the gateway's `Sink`: the bytes that HTTP would have had, as messages."""

from collections.abc import Iterable, Mapping

import orjson
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IPushProducer

from aiproxy.framing import Frame
from aiproxy.framing.sse import COMMENT
from aiproxy.gateway.call import Call
from aiproxy.neutral.errors import GatewayError, UpstreamTruncated
from aiproxy.web.sockets.session import Session, as_error

CLIENT_CANCELLED = 499
"""The status of a call that its client cancelled, by word or by leaving."""


class EventSink:
    """A stream's frames, or a whole answer as the one event; a child says how they are told."""

    def __init__(self, session: Session, call: Call) -> None:
        self.session = session
        self.call = call
        self._sent = 0
        self._status = 0
        self._cut = False
        self._framer = call.wire.framer()
        self._framed = False
        self._body: list[bytes] = []
        self._producer: IPushProducer | None = None

    async def answer(self) -> GatewayError | None:
        """What went wrong with the call, if something did: it may have been told already, as events of its stream."""
        opened = self.session.opened
        try:
            await opened.gateway.answer(self.call, self)
            self._finish()
        except CancelledError:
            self._status = self._status or CLIENT_CANCELLED
            raise
        except Exception as failure:  # noqa: BLE001 - a bug of ours ends this call, and no other on the socket
            error = as_error(failure, self.call.record)
            self._status = self._status or error.status
            return error
        finally:
            opened.log(self.call.record, opened.path, self._status, self._sent)
        return UpstreamTruncated("The answer broke off.") if self._cut else None

    # -- what a child tells

    def told_start(self, status: int, headers: Mapping[str, str]) -> None:
        """Nothing, where only events are told."""

    def told_event(self, frame: Frame) -> None:
        raise NotImplementedError

    # -- what the gateway calls

    def start(self, status: int, headers: Mapping[str, str]) -> None:
        self._status = status
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        self._framed = kind != "application/json"
        self.told_start(status, {name: value for name, value in headers.items() if name not in _OF_HTTP})

    def write(self, data: bytes) -> None:
        self._sent += len(data)
        if self._framed:
            self._tell(self._framer.feed(data))
        else:
            self._body.append(data)

    def abort(self) -> None:
        """What came is not the whole."""
        self._cut = True

    def register(self, producer: IPushProducer) -> None:
        self._producer = producer
        self.session.register(producer)

    def unregister(self) -> None:
        if self._producer is not None:
            self.session.unregister(self._producer)
            self._producer = None

    def _finish(self) -> None:
        """What has not been told yet."""
        if self._framed:
            self._tell(self._framer.close())
        elif self._body and not self._cut:
            self.told_event(Frame("", b"".join(self._body)))

    def _tell(self, frames: Iterable[Frame]) -> None:
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
