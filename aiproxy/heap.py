"""How this process keeps its memory: what the garbage collector looks at, and when the C library gives large blocks back."""

import ctypes
import gc
from contextlib import suppress

PASSES = (5_000, 1, 200)
"""How many new objects before the garbage collector looks among them (Python's 700 are met a hundred times a second under load); how
many such passes before it looks among those that outlived one, too; how many of those passes before it looks at everything. Each
stops all streams for its time: 1 ms, 3 ms, and 20 ms with a thousand streams open. Python's own 10 and 10 meant 50 ms twice while
these were being opened, for nothing: neither a call nor a connection leaves a ring behind."""

LARGE_BLOCK = 1 << 20
"""Bytes. A block of that size, which is a body, goes back to the system as soon as it is free. Left to itself glibc does so only up
to the size of the largest block that was ever freed, and keeps the rest, in pieces that the next bodies don't fit in: after a hundred
bodies of 8 MB at once it kept 240 MB."""

_M_MMAP_THRESHOLD = -3
"""Of glibc's `malloc.h`."""


def hold_the_collector() -> None:
    """Until it is spared: a start builds what stays, and a fifth of its time went into looking for garbage among that."""
    gc.disable()


def spare_the_collector() -> None:
    """What has been built until now stays: no pass over it ever again, and fewer passes over the rest.

    Not one before either: it takes 0.1 s to find a quarter of a megabyte."""
    gc.enable()
    gc.freeze()
    gc.set_threshold(*PASSES)


def return_large_blocks() -> None:
    """Where the C library is glibc; others know no such number, and most do so anyway."""
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK)
