"""The relay lane of a stream whose usage we asked for and the client didn't: it sees none of it."""

from aiproxy.codecs.openai_chat.unasked_usage import quiet_frames, silenced, tells
from aiproxy.framing.sse import COMMENT
from aiproxy.gateway.lanes import WatchLane
from aiproxy.gateway.renaming import RenamingLane


class QuietLane(WatchLane):
    def feed(self, data: bytes) -> bytes:
        return self._quiet(super().feed(data))

    def close(self, *, clean: bool) -> bytes:
        return self._quiet(super().close(clean=clean))

    def _quiet(self, out: bytes) -> bytes:
        """Whole frames, as the lane gives them. Those of a read in which more than a null is left are written anew."""
        out = silenced(out)
        if not out or not tells(out):
            return out
        kept = quiet_frames(self._wire.framer().feed(out))
        return b"".join(self._wire.frame(frame.event, frame.data) for frame in kept if frame.event != COMMENT)


class QuietRenamingLane(QuietLane, RenamingLane):
    """And one that names the model as the client did."""
