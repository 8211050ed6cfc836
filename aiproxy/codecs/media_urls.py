"""Media by URL, for an upstream that takes their bytes only: which of a request's are that, and the request with the bytes.

Pure: whoever calls has fetched them."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.codec import Codec
from aiproxy.codecs.report import Report
from aiproxy.neutral.media import InlineSource, Source, TextSource, UrlSource
from aiproxy.neutral.parts import AudioPart, DocumentPart, ImagePart, Part, ToolResultPart, VideoPart
from aiproxy.neutral.request import GenerateRequest

Media = ImagePart | AudioPart | VideoPart | DocumentPart

_KINDS: Mapping[type[Media], str] = {
    ImagePart: "image",
    AudioPart: "audio",
    VideoPart: "video",
    DocumentPart: "document",
}


def wanted(request: GenerateRequest, target: Codec, can: Capabilities) -> Mapping[str, str]:
    """URL → the feature it stands for, of all media that this upstream doesn't fetch itself."""
    takes = _taken(target, can)
    return {
        part.source.url: _feature(part, "url")
        for turn in request.turns
        for part in media_of(turn.parts)
        if isinstance(part.source, UrlSource) and _KINDS[type(part)] not in takes
    }


def with_bytes(
    request: GenerateRequest, target: Codec, can: Capabilities, fetched: Mapping[str, Source], report: Report
) -> GenerateRequest:
    """The request with what was fetched in place of the URLs, which is reported. What the upstream fetches stays a URL."""
    takes = _taken(target, can)

    def with_its_bytes(part: Media) -> Media:
        if not isinstance(part.source, UrlSource) or _KINDS[type(part)] in takes or part.source.url not in fetched:
            return part
        source = fetched[part.source.url]
        named = _feature(part, "url")
        report.emulate(named)
        report.becomes(named, _feature(part, "text" if isinstance(source, TextSource) else "inline"))
        return replace(part, source=source, extensions={})

    turns = [replace(turn, parts=tuple(changed(turn.parts, with_its_bytes))) for turn in request.turns]
    return replace(request, turns=tuple(turns))


def _taken(target: Codec, can: Capabilities) -> frozenset[str]:
    return target.media_urls if can.media_urls is None else can.media_urls


def _feature(part: Media, where: str) -> str:
    kind = _KINDS[type(part)]
    return f"part.{kind}.{where}" if isinstance(part, ImagePart | DocumentPart) else f"part.{kind}"


def media_of(parts: tuple[Part, ...]) -> Iterator[Media]:
    for part in parts:
        if isinstance(part, ToolResultPart):
            yield from media_of(part.content)
        elif isinstance(part, Media):
            yield part


def changed(parts: tuple[Part, ...], change: Callable[[Media], Media]) -> Iterator[Part]:
    """The parts with their media changed, those in tools' results, too."""
    for part in parts:
        if isinstance(part, ToolResultPart):
            yield replace(part, content=tuple(changed(part.content, change)))
        else:
            yield change(part) if isinstance(part, Media) else part


def source_of(feature: str, media_type: str, data: bytes) -> Source:
    """What was fetched for a feature, as a part has it: text in clear, all else in base64. Raises `ValueError` for a file of
    another kind than its part."""
    kind = feature.split(".")[1]
    if kind != "document" and media_type.partition("/")[0] != kind:
        raise ValueError(f"the file at the URL is {media_type}, which is no {kind}")
    if media_type.startswith("text/"):
        return TextSource(data.decode("utf-8", "replace"), media_type)
    return InlineSource(media_type, b64encode(data).decode())
