"""Answers of the relay lane that shall name the model as the client did: every byte passes but the name's."""

from aiproxy.codecs.splice import splice_member
from aiproxy.codecs.wire import Wire
from aiproxy.framing import Frame
from aiproxy.framing.sse import COMMENT
from aiproxy.gateway.lanes import WatchLane
from aiproxy.neutral.errors import GatewayError


def renamed(data: bytes, wire: Wire, name: str) -> bytes:
    """A whole answer, or one frame's data."""
    for member in wire.model_members:
        data = splice_member(data, member, name)
    return data


class RenamingLane(WatchLane):
    def __init__(self, wire: Wire, name: str) -> None:
        super().__init__(wire)
        self._name = name

    def feed(self, data: bytes) -> bytes:
        return self._renamed(super().feed(data))

    def close(self, *, clean: bool) -> bytes:
        return self._renamed(super().close(clean=clean))

    def fail(self, error: GatewayError) -> bytes:
        return self._renamed(super().fail(error))

    def _renamed(self, out: bytes) -> bytes:
        """Whole frames, as the lane gives them. One whose data isn't found as it stands (it has several lines) is written
        anew, with those around it."""
        if not out:
            return out
        frames = self._wire.framer().feed(out)
        changed = [Frame(frame.event, renamed(frame.data, self._wire, self._name)) for frame in frames]
        pieces = []
        position = 0
        for old, new in zip(frames, changed, strict=True):
            if old.data == new.data:
                continue
            start = out.find(old.data, position)
            if start < 0:
                return b"".join(self._wire.frame(f.event, f.data) for f in changed if f.event != COMMENT)
            pieces += [out[position:start], new.data]
            position = start + len(old.data)
        return b"".join((*pieces, out[position:]))
