"""One unit on the wire, and the shape of what cuts them out of a byte stream."""

from collections.abc import Sequence
from typing import Final, Protocol

from msgspec import Struct

from aiproxy.neutral.errors import UpstreamFailed

MAX_FRAME_BYTES: Final = 64 * 1024 * 1024
"""Bytes of one frame as it came. A generated image or a minute of audio travels as base64 in one frame and takes tens of
MB; whatever is longer never ends."""


class Frame(Struct, frozen=True, gc=False):
    """`event` is the frame's own name ("" where the framing or the sender gave none), `data` its payload, undecoded."""

    event: str
    data: bytes


class Framer(Protocol):
    """Cuts frames out of bytes as they come."""

    def feed(self, data: bytes) -> Sequence[Frame]:
        """The frames completed by `data`. Raises `UpstreamFailed` when a named limit is passed or the bytes can't be framed."""

    def close(self) -> Sequence[Frame]:
        """The end of the bytes is an input too: the last frame, where the framing lets it stand without its terminator,
        else `UpstreamTruncated`."""

    @property
    def pending(self) -> int:
        """Bytes fed that are not yet part of a frame: what a relay holds back so that it only ever writes whole frames."""


def check_size(size: int, limit: int) -> None:
    """Every framer calls this before it holds more."""
    if size > limit:
        raise UpstreamFailed(f"The upstream sent a frame of more than {limit} bytes; ask it for less at a time.")
