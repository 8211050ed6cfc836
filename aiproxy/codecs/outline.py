"""A body with its long texts cut short: what routing reads of eight megabytes of images. Pure."""

SMALLEST = 65_536
"""Bytes. A shorter body is read in less time than it is cut."""

LONG = 16_384
"""Bytes of a text that is cut."""

KEPT = 1024
"""Bytes of such a text that stay, at each end: a mark at its beginning stays, and two texts differ there or hardly at all."""

BYTES_PER_STRING = 4096
"""One text for so many bytes of the body is looked at. Where there are more, parsing the whole takes no longer than looking for long
ones."""


def outline_of(body: bytes) -> bytes:
    """The same JSON but for texts of more than `LONG` bytes, of which both ends are left; the body itself where there are none.

    A text with an escape, a line break or something other than ASCII at an end is left as it is. Of a body that isn't JSON the
    outline may be: what is wrong inside a cut text, only a parser of the whole can tell."""
    if len(body) < SMALLEST:
        return body
    pieces: list[bytes] = []
    taken = position = 0
    for _ in range(len(body) // BYTES_PER_STRING):
        start = body.find(b'"', position)
        stop = body.find(b'"', start + 1) if start >= 0 else -1
        if stop < 0:
            break
        if stop - start > LONG and _may_be_cut(body, start + 1, stop):
            pieces.append(body[taken : start + 1 + KEPT])
            taken = stop - KEPT
            position = stop + 1
        elif (position := string_end(body, start)) < 0:
            break
    return b"".join((*pieces, body[taken:])) if pieces else body


def _may_be_cut(body: bytes, start: int, stop: int) -> bool:
    plain = body.find(b"\\", start, stop) < 0 and body.find(b"\n", start, stop) < 0
    return plain and body[start : start + KEPT].isascii() and body[stop - KEPT : stop].isascii()


def string_end(body: bytes, start: int) -> int:
    """The index after the closing quote of the JSON string that opens at `start`; -1 where it isn't closed."""
    quote = start
    while (quote := body.find(b'"', quote + 1)) >= 0:
        backslashes = 0
        while body[quote - 1 - backslashes : quote - backslashes] == b"\\":
            backslashes += 1
        if backslashes % 2 == 0:
            return quote + 1
    return -1
