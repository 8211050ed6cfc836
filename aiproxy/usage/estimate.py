"""What an answer used of which nobody says it, or not to the end: an estimate, marked as one in its record. Pure."""

from dataclasses import replace

from aiproxy.neutral.usage import Usage

BYTES_PER_TOKEN = 4
"""The usual rule of thumb for English text and code."""

ENVELOPE_BYTES = 300
"""Of a frame around its text, at most, in the usual protocols."""


def estimate(said: Usage | None, read: int, frames: int, size: int) -> Usage:
    """`read` is what the request is taken to read; `frames` and bytes (`size`) are what came of the answer; 0 frames for one
    in one piece. A frame but the first, which says
    nothing, is a token at least; what is larger than an envelope is text. What the vendor said of the input
    stays, and of the output where it is more than that."""
    written = max(frames - 1, (size - frames * ENVELOPE_BYTES) // BYTES_PER_TOKEN)
    if said is None or said.input_total is None:
        said = replace(said or Usage(), input_uncached=read)
    told = said.output_total or 0
    return (
        said
        if told >= written
        else replace(
            said, output_visible=written - (said.reasoning or 0) - (said.audio_out or 0) - (said.image_out or 0)
        )
    )
