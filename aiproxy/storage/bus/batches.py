"""Values of JSON, as many to a message as fit, and a large one in pieces over several. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

ENVELOPE = 500
"""Bytes that a message needs besides its values."""

PIECE = 50
"""Bytes that a piece of a value needs besides its text."""

LARGEST_VALUE = 2**20
"""Bytes. The largest that anybody tells is an upstream's request and answer, some 256 kB each way of writing them."""

WIDEST = 4
"""Bytes that a character takes at most: UTF-8's longest; a quote of a piece takes two."""


def batches(values: Iterable[Any], most: int) -> Iterator[list[Any]]:
    """What `Joined` makes the values of again. `most` is what a message may have, in bytes: `ENVELOPE + PIECE + WIDEST` or more."""
    room = most - ENVELOPE
    batch: list[Any] = []
    left = room
    for each in values:
        for data in _pieces(orjson.dumps(each), room):
            if len(data) >= left:
                if batch:
                    yield batch
                batch, left = [], room
            batch.append(orjson.Fragment(data))
            left -= len(data) + 1
    if batch:
        yield batch


def _pieces(data: bytes, room: int) -> Iterator[bytes]:
    if len(data) < room:
        yield data
    elif len(data) > LARGEST_VALUE:
        yield b"null"
    else:
        text, size = data.decode(), (room - PIECE) // WIDEST
        for start in range(0, len(text), size):
            yield orjson.dumps({"piece": text[start : start + size], "last": start + size >= len(text)})


class Joined:
    """The values of one sender, whose batches come in order. None stands for one that was too large."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def feed(self, batch: Iterable[Any]) -> Iterator[Any]:
        for each in batch:
            match each:
                case {"piece": str(text), "last": bool(last)} if len(each) == 2:
                    self._pieces.append(text)
                    if last:
                        pieces, self._pieces = self._pieces, []
                        yield orjson.loads("".join(pieces))
                case _:
                    yield each
