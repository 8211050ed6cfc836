"""Gemini behind Google's Code Assist (`cloudcode-pa.googleapis.com/v1internal`): its codec in one more wrapping.

The one codec package that imports another."""

from collections.abc import Callable, Mapping

from aiproxy.codecs.code_assist.envelope import NAME, wrapped
from aiproxy.codecs.codec import Codec, Exchange
from aiproxy.codecs.gemini import CODEC as GEMINI
from aiproxy.codecs.gemini.reading import parse
from aiproxy.neutral.carried import Json

CODEC = wrapped(GEMINI, parse)


def saying(besides: Callable[[Exchange], Mapping[str, Json]]) -> Codec:
    """The codec of a service whose wrapping says more of each request."""
    return wrapped(GEMINI, parse, besides)


WIRE = CODEC.wire

__all__ = ["CODEC", "NAME", "WIRE", "saying"]
