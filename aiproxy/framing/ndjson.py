"""Newline-delimited JSON, Ollama's framing: one value a line. Blank lines are no frames, and the last line may lack its LF."""

from collections.abc import Sequence

from aiproxy.framing.frames import MAX_FRAME_BYTES, Frame, check_size


class NdjsonFramer:
    """`pending` is the line that has not ended."""

    __slots__ = ("_limit", "_line")

    def __init__(self, limit: int = MAX_FRAME_BYTES) -> None:
        self._limit = limit
        self._line = bytearray()

    @property
    def pending(self) -> int:
        return len(self._line)

    def feed(self, data: bytes) -> Sequence[Frame]:
        first, *lines = data.split(b"\n")
        self._line += first
        check_size(len(self._line), self._limit)
        if not lines:
            return ()
        lines, rest = [bytes(self._line), *lines[:-1]], lines[-1]
        self._line = bytearray(rest)
        check_size(max(map(len, lines), default=0), self._limit)
        check_size(len(rest), self._limit)
        return [Frame("", line) for line in map(bytes.strip, lines) if line]

    def close(self) -> Sequence[Frame]:
        return self.feed(b"\n")


def encode_line(data: bytes) -> bytes:
    """One JSON value as a line. Raw line ends can only be white space between its tokens."""
    return data.replace(b"\r", b" ").replace(b"\n", b" ") + b"\n"
