"""Bodies that clients send compressed, unpacked as they come. What the standard library reads is taken; anything else is refused by
its name before the body is read, since it would look like broken JSON later."""

import zlib
from collections.abc import Sequence

from aiproxy.neutral.errors import InvalidRequest, UnsupportedEncoding

TAKEN = "gzip, deflate"

_UNPACKED = frozenset((b"gzip", b"x-gzip", b"deflate"))

_EITHER = 32 + zlib.MAX_WBITS
"""zlib's word for a stream with the header of gzip or its own, whichever it has."""


def unpacking(encodings: Sequence[bytes] | None) -> "Unpacking | None":
    """For a body of this `Content-Encoding`; None for a plain one. Raises `UnsupportedEncoding`."""
    if not encodings:
        return None
    named = b", ".join(encodings).strip().lower()
    if named in (b"", b"identity"):
        return None
    if named not in _UNPACKED:
        told = f"The gateway does not read {named.decode('latin-1')!r} bodies (content-encoding): send it plain, or as gzip."
        raise UnsupportedEncoding(told, headers={"accept-encoding": TAKEN})
    return Unpacking()


class Unpacking:
    """Of one body."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_EITHER)

    def feed(self, data: bytes, most: int) -> bytes:
        """What these bytes hold; only a little more than `most` bytes of a bomb. Raises `InvalidRequest`."""
        try:
            found = self._inflate.decompress(data, most + 1)
        except zlib.error as error:
            raise InvalidRequest("The request's compressed body is damaged.") from error
        if self._inflate.unused_data:
            raise InvalidRequest("The request's compressed body has something behind its end.")
        return found

    @property
    def whole(self) -> bool:
        return self._inflate.eof
