"""Large media of a request as what they were in its body: a part of that, so that it isn't held twice while it is answered. Pure."""

from dataclasses import replace

from aiproxy.codecs.media_urls import Media, changed
from aiproxy.neutral.media import LARGE, ExcerptSource, InlineSource
from aiproxy.neutral.request import GenerateRequest

BEGINNING = 1024
"""Characters that are looked for. Pictures of one program begin alike, but not for so long."""

STEP = 65_536
"""Characters that are compared at once: so many are copied."""


def excerpted(request: GenerateRequest, body: bytes) -> GenerateRequest:
    """What stands otherwise in the body, with escapes or in another order, stays as it is."""
    if len(body) < LARGE:
        return request
    position = 0

    def in_its_place(part: Media) -> Media:
        nonlocal position
        source = part.source
        if not isinstance(source, InlineSource):
            return part
        text, first = _text_of(source)
        start = _found(text, first, body, position) if len(text) - first >= LARGE else -1
        if start < 0:
            return part
        position = start + len(text) - first
        return replace(part, source=ExcerptSource(source.media_type, body, slice(start, position)))

    turns = [replace(turn, parts=tuple(changed(turn.parts, in_its_place))) for turn in request.turns]
    return replace(request, turns=tuple(turns))


def _text_of(source: InlineSource) -> tuple[str, int]:
    """A text that ends with the data, and where that begins: without a copy."""
    if isinstance(source, ExcerptSource) and isinstance(source.whole, str) and source.place.stop is None:
        return source.whole, source.place.start
    return source.data, 0


def _found(text: str, first: int, body: bytes, position: int) -> int:
    """Where in the body, not before the position; -1 where the first place that begins so isn't it."""
    start = body.find(text[first : first + BEGINNING].encode(), position) if text.isascii() else -1
    if start < 0:
        return -1
    steps = range(first, len(text), STEP)
    same = all(body.startswith(text[at : at + STEP].encode(), start + at - first) for at in steps)
    return start if same else -1
