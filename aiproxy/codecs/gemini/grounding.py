"""Citations: `groundingMetadata` and `citationMetadata`, whose offsets count UTF-8 bytes, as neutral ones that count characters.

Source: Gemini API reference, GroundingMetadata and CitationMetadata."""

from collections.abc import Iterable, Mapping

from aiproxy.neutral.carried import Json
from aiproxy.neutral.parts import Citation, TextPart


def decode_citations(candidate: Mapping[str, Json], said: str) -> tuple[Citation, ...]:
    """What a candidate says of its text. Sources that no piece of the text leans on are cited by the whole."""
    encoded = said.encode("utf-8", "surrogatepass")
    grounding = candidate.get("groundingMetadata")
    sources = [_source(chunk) for chunk in _objects(grounding, "groundingChunks")]
    found: list[Citation] = []
    for support in _objects(grounding, "groundingSupports"):
        segment = support.get("segment")
        start, end, cited = _segment(segment if isinstance(segment, dict) else {}, encoded)
        indices = support.get("groundingChunkIndices")
        for index in indices if isinstance(indices, list) else ():
            if isinstance(index, int) and 0 <= index < len(sources):
                url, title = sources[index]
                found.append(Citation(url, title, cited, start, end))
    if not found:
        found += [Citation(url, title) for url, title in sources if url]
    recited = candidate.get("citationMetadata")
    for source in (*_objects(recited, "citationSources"), *_objects(recited, "citations")):
        start, end, cited = _segment(source, encoded)
        found.append(Citation(_text(source, "uri"), _text(source, "title"), cited, start, end))
    return tuple(found)


def encode_grounding(parts: Iterable[tuple[int, TextPart]]) -> dict[str, Json]:
    """The metadata of an answer's text parts, each with its place in the content. {} when nothing is cited by URL."""
    chunks: dict[str, dict[str, Json]] = {}
    supports: list[Json] = []
    for place, part in parts:
        for citation in part.citations:
            if not citation.url:
                continue
            web = {"uri": citation.url, **({"title": citation.title} if citation.title else {})}
            chunks.setdefault(citation.url, {"web": web})
            if citation.start is None or citation.end is None:
                continue
            segment: dict[str, Json] = {
                "startIndex": _bytes(part.text[: citation.start]),
                "endIndex": _bytes(part.text[: citation.end]),
                "text": part.text[citation.start : citation.end],
            }
            if place:
                segment["partIndex"] = place
            supports.append({"segment": segment, "groundingChunkIndices": [list(chunks).index(citation.url)]})
    if not chunks:
        return {}
    return {"groundingChunks": list(chunks.values()), **({"groundingSupports": supports} if supports else {})}


def _objects(value: Json, name: str) -> list[Mapping[str, Json]]:
    items = value.get(name) if isinstance(value, dict) else None
    return [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []


def _source(chunk: Mapping[str, Json]) -> tuple[str | None, str | None]:
    place = next(
        (value for name in ("web", "retrievedContext", "maps") if isinstance(value := chunk.get(name), dict)), {}
    )
    return _text(place, "uri"), _text(place, "title")


def _segment(segment: Mapping[str, Json], encoded: bytes) -> tuple[int | None, int | None, str | None]:
    """(start, end, the text there) in characters; offsets that don't fit the text are as if they weren't there."""
    start, end = segment.get("startIndex", 0), segment.get("endIndex")
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start <= end <= len(encoded)):
        return None, None, _text(segment, "text")
    before = encoded[:start].decode("utf-8", "replace")
    inside = encoded[start:end].decode("utf-8", "replace")
    return len(before), len(before) + len(inside), inside


def _text(value: Mapping[str, Json], name: str) -> str | None:
    found = value.get(name)
    return found if isinstance(found, str) else None


def _bytes(said: str) -> int:
    return len(said.encode("utf-8", "surrogatepass"))
