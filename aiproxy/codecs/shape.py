"""JSON of one shape, read straight into it: at half the price of parsing it, and nothing is made of what nobody looks at. Pure.

A model's answer is hundreds of chunks that say nothing but a few more characters. What such a chunk looks like is written down as
a type; whatever else comes does not fit, and is parsed."""

from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct
from msgspec.json import Decoder

S = TypeVar("S", bound="Shape")


class Shape(Struct, forbid_unknown_fields=True, gc=False):
    """A member that isn't named here makes an object unfit; one of type `Any` may be whatever JSON has."""


def reader(shape: type[S]) -> Callable[[bytes], S | None]:
    """None for what is something else, be it no JSON at all."""
    decode = Decoder(shape).decode

    def read(data: bytes) -> S | None:
        try:
            return decode(data)
        except (ValueError, RecursionError):
            return None

    return read
