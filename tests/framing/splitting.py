"""What every framer's tests need: one input cut in many ways, and the promise of `pending` checked on the way."""

from collections.abc import Callable, Iterable
from itertools import pairwise

from hypothesis import strategies as st

from aiproxy.framing import Frame, Framer
from aiproxy.framing.sse import COMMENT


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """`data` in pieces that begin at `places`; a place given twice makes an empty piece, as a transport may deliver."""
    edges = [0, *sorted(min(place, len(data)) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def cuts(longest: int) -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, longest), max_size=12)


def read(make: Callable[[], Framer], pieces: Iterable[bytes]) -> list[Frame]:
    """All frames of `pieces`. On the way: what a relay has written, all that is not pending, holds the very same frames.

    Comments are left out of that check, as one inside an event is told before the event is whole."""
    framer = make()
    frames: list[Frame] = []
    fed, written = b"", 0
    for piece in pieces:
        frames.extend(framer.feed(piece))
        fed += piece
        whole = len(fed) - framer.pending
        assert whole >= written, "a relay can't take back what it wrote"
        written = whole
        again = make()
        relayed = [*again.feed(fed[:written]), *again.close()]
        assert [f for f in relayed if f.event != COMMENT] == [f for f in frames if f.event != COMMENT]
    frames.extend(framer.close())
    assert framer.pending == 0
    return frames
