"""Server-sent events, as the WHATWG HTML standard frames them ("Server-sent events", §9.2.5 and §9.2.6), with three choices of ours:

- An event whose closing blank line is missing at the end of the bytes is dispatched. Browsers drop it; AI APIs end streams so.
- A comment is a frame too, named `COMMENT`, because upstreams keep slow streams alive with comments and our client must see a
  sign of life as well. It comes when its line ends: before the event it stands in, if it stands in one.
- `id` and `retry` serve reconnection, which no AI API offers: they are read over, and an event of nothing else makes no frame.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from aiproxy.framing.frames import MAX_FRAME_BYTES, Frame, check_size

COMMENT: Final = ":"
"""The event name of a comment's frame; its data is the comment's text. No API names an event so."""

_BOM: Final = b"\xef\xbb\xbf"
_LF, _CR = b"\n"[0], b"\r"[0]  # a search for a number costs a quarter of one for bytes
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")

_HEAD_BYTES: Final = 64
"""What stands before an event's data is read once and remembered, where it is shorter: APIs name a few dozen events."""


@lru_cache(maxsize=256)
def _event_named(head: bytes) -> str | None:
    """The name that is given before the data in the form nearly everybody writes; None for any other form."""
    if not head:
        return ""
    name = head.removeprefix(b"event: ")
    if name is head or name.find(b"\n") != len(name) - 1 or _CR in name:
        return None
    return name[:-1].decode("utf-8", "replace")


class SseFramer:
    """`pending` counts from the start of the open event. Comments, blank lines and events without data hold nothing back."""

    __slots__ = ("_at_start", "_data", "_event", "_held", "_limit", "_line", "_open")

    def __init__(self, limit: int = MAX_FRAME_BYTES) -> None:
        self._limit = limit
        self._at_start = True  # no line was read yet, so that a byte order mark may come
        self._open = True  # False only between two events, where the fast path may start
        self._held = 0  # bytes of the open event's complete lines
        self._line = bytearray()  # the line that has not ended; a CR at its end may be half of a CRLF
        self._event = ""
        self._data = bytearray()  # the open event's data, a LF after each line

    @property
    def pending(self) -> int:
        return self._held + len(self._line)

    def feed(self, data: bytes) -> Sequence[Frame]:
        frames: list[Frame] = []
        blank = b"\r\n\r\n" if _CR in data else b"\n\n"
        if self._open or len(data) > self._limit:
            # After either of the two blank lines no event is open, whatever came before.
            end = data.find(blank) + len(blank)
            if end < len(blank) or len(data) > self._limit:
                self._read(data, frames)
                return frames
            self._read(data[:end], frames)
            data = data[end:]
        blocks = data.split(blank)
        rest = blocks.pop()
        for block in blocks:
            head, field, value = block.partition(b"data: ")
            if field and _LF not in value and _CR not in value and len(head) < _HEAD_BYTES:
                name = _event_named(head)
                if name is not None:
                    frames.append(Frame(name, value))
                    continue
            self._read(block + blank, frames)
        if rest:
            self._read(rest, frames)
        return frames

    def close(self) -> Sequence[Frame]:
        frames: list[Frame] = []
        self._read(b"\n\n", frames)
        return frames

    def _read(self, data: bytes, frames: list[Frame]) -> None:
        """The general path: any bytes, from any state, line by line."""
        line_ended = self._line.endswith(b"\r") or _LF in data or _CR in data
        self._line += data
        if line_ended:
            lines = bytes(self._line).splitlines(keepends=True)
            self._line.clear()
            if not lines[-1].endswith(b"\n"):
                self._line += lines.pop()
            for line in lines:
                self._read_line(line, frames)
        check_size(self.pending, self._limit)
        self._open = self._at_start or self.pending > 0

    def _read_line(self, line: bytes, frames: list[Frame]) -> None:
        check_size(self._held + len(line), self._limit)
        text = line.rstrip(b"\r\n")
        if self._at_start:
            self._at_start = False
            text = text.removeprefix(_BOM)
        if not text:
            if self._data:
                frames.append(Frame(self._event, bytes(self._data[:-1])))
            self._held, self._event = 0, ""
            self._data.clear()
            return
        name, _, value = text.partition(b":")
        value = value.removeprefix(b" ")
        if name:
            self._held += len(line)
        else:
            frames.append(Frame(COMMENT, value))
            if self._held:
                self._held += len(line)
        if name == b"data":
            self._data += value
            self._data += b"\n"
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")


def encode_sse(event: str, data: bytes) -> bytes:
    """One event. `data` that holds line ends is split to several `data:` lines; CR and CRLF arrive as LF."""
    if _LF in data or _CR in data:
        data = _LINE_END.sub(b"\ndata: ", data)
    if not event:
        return b"data: %b\n\n" % data
    name = event.encode("utf-8", "replace")
    if _LF in name or _CR in name:  # it must not start a field of its own
        name = _LINE_END.sub(b" ", name)
    return b"event: %b\ndata: %b\n\n" % (name, data)


def comment(text: str) -> bytes:
    """A sign of life that clients' parsers skip."""
    return b": %b\n\n" % _LINE_END.sub(b"\n: ", text.encode("utf-8", "replace"))
