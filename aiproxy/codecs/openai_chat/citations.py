"""Sources an answer leans on: `annotations` of a message, with places in its whole text. Neutral's are places in one part's."""

from collections.abc import Iterator, Sequence
from typing import Any

from aiproxy.neutral.carried import Json
from aiproxy.neutral.parts import Citation


def write_citation(found: Citation, offset: int) -> dict[str, Json] | None:
    """None for one without a URL: the protocol knows no other source. `offset` is where its part's text begins."""
    if found.url is None:
        return None
    start, end = (0 if place is None else offset + place for place in (found.start, found.end))
    said = {"start_index": start, "end_index": end, "title": found.title or "", "url": found.url}
    return {"type": "url_citation", "url_citation": said}


def read_citations(annotations: Sequence[Any], offset: int) -> Iterator[Citation]:
    """`offset`: where the text they are told of begins in the message's. A place outside it, or of nothing, is none."""
    for annotation in annotations:
        match annotation:
            case {"type": "url_citation", "url_citation": {"url": str(url)} as found}:
                title = found.get("title") if isinstance(found.get("title"), str) else None
                start, end = found.get("start_index"), found.get("end_index")
                if not isinstance(start, int) or not isinstance(end, int) or not offset <= start < end:
                    yield Citation(url, title)
                else:
                    yield Citation(url, title, None, start - offset, end - offset)
            case _:
                pass


def other_annotations(annotations: Any) -> bool:
    """Whether annotations ride along: those that are not citations."""
    return isinstance(annotations, list) and not any(read_citations(annotations, 0))
