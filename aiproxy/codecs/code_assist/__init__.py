"""Gemini behind Google's Code Assist (`cloudcode-pa.googleapis.com/v1internal`): its codec in one more wrapping.

The one codec package that imports another."""

from aiproxy.codecs.code_assist.envelope import NAME, wrapped
from aiproxy.codecs.gemini import CODEC as GEMINI
from aiproxy.codecs.gemini.reading import parse

CODEC = wrapped(GEMINI, parse)

WIRE = CODEC.wire

__all__ = ["CODEC", "NAME", "WIRE"]
