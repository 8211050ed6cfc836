"""Where a request's body is put together: in memory, whatever its size. Of HTTP/1.1 its length is known before it comes."""

import mmap
from ctypes import CDLL, addressof, c_char, c_size_t, c_void_p
from io import BytesIO
from mmap import PAGESIZE
from weakref import WeakSet

LARGE = 1 << 20
"""Bytes. To be handed 8 MB by pages of 4 KiB takes longer than to read, search and send them; a smaller body has few."""

MOST_IN_HUGE_PAGES = 8
"""Bodies. With a hundred at once the system clears megabytes long before they are written to, and all of it costs more than with
small pages."""

_in_huge_pages: WeakSet[BytesIO] = WeakSet()

_HUGE: int | None = getattr(mmap, "MADV_HUGEPAGE", None)
"""Linux has it."""


def room_for(size: int) -> BytesIO:
    """A file of so many zeros, to be written over; a large one in huge pages, where the system has them and few others are."""
    room = BytesIO(bytes(size))
    if size >= LARGE and _HUGE is not None and len(_in_huge_pages) < MOST_IN_HUGE_PAGES:
        _in_huge_pages.add(room)
        with room.getbuffer() as view:
            start = addressof(c_char.from_buffer(view))
            first, end = -(-start // PAGESIZE) * PAGESIZE, (start + size) // PAGESIZE * PAGESIZE
            CDLL(None).madvise(c_void_p(first), c_size_t(end - first), _HUGE)  # advice: refused, nothing is lost
    return room
