"""How this process keeps its memory: what the garbage collector looks at, and when the C library gives large blocks back."""

import ctypes
import gc
from contextlib import suppress

COLLECT_AFTER = 10_000
"""New objects before the garbage collector looks among the young ones; Python's 700 are met a hundred times a second under load.
A call leaves no cycles (a test says so), so little is ever found: what this bounds is a megabyte or two."""

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
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])


def return_large_blocks() -> None:
    """Where the C library is glibc; others know no such number, and most do so anyway."""
    with suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, LARGE_BLOCK)
