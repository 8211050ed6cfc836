"""Content parts of messages, both ways. Source: OpenAI API reference, chat; `video_url` and bare strings by other vendors."""

from dataclasses import replace
from typing import Any, assert_never

from aiproxy.codecs import data_urls
from aiproxy.codecs.openai_chat.notes import RAW, note, noted, rest_of, whole
from aiproxy.codecs.openai_chat.table import NAME, TABLE
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest, Unsupported
from aiproxy.neutral.media import FileIdSource, InlineSource, Source, TextSource, UrlSource
from aiproxy.neutral.parts import (
    AudioPart,
    CacheHint,
    CompactionPart,
    DocumentPart,
    HostedToolCallPart,
    HostedToolResultPart,
    ImagePart,
    Part,
    RawPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    VideoPart,
)

VENDOR = "openai"
"""Whose file ids these are."""

UNNAMED_PDF = "document.pdf"
"""OpenAI demands a file's name."""

_AUDIO = {"wav": "audio/wav", "mp3": "audio/mpeg"}
_AUDIO_FORMATS = {
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/wave": "wav",
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
}


def decode_part(found: Any, where: str, report: Report) -> Part:
    if not isinstance(found, dict) or not isinstance(found.get("type"), str):
        raise InvalidRequest(f"`{where}` must be an object with a `type`.", param=where)
    try:
        part = _decoded(found, report)
    except ValueError as error:
        raise InvalidRequest(f"`{where}`: {error}.", param=where) from error
    if isinstance(part, RawPart | TextPart):
        return part
    if isinstance(part, VideoPart) or _rendered(part) != found:
        return replace(part, extensions=noted(part.extensions, raw=found))
    return part


def _decoded(found: dict[str, Any], report: Report) -> Part:
    cache = cache_hint(found)
    match found:
        case {"type": "text", "text": str(text)}:
            return TextPart(text, cache=cache, extensions=rest_of(found, ("type", "text")))
        case {"type": "refusal", "refusal": str(text)}:
            return RefusalPart(text, extensions=rest_of(found, ("type", "refusal")))
        case {"type": "image_url", "image_url": {"url": str(url)} as inner}:
            detail = inner.get("detail") if isinstance(inner.get("detail"), str) else None
            source = data_urls.source_of(url)
            if isinstance(source, UrlSource):
                report.read("messages[].content[].image_url", "part.image.url")
            else:
                report.read("messages[].content[].image_url.url", "part.image.inline")
            if detail:
                report.read("messages[].content[].image_url.detail", "part.image.detail")
            known = ("url", "detail") if detail else ("url",)
            return ImagePart(source, detail, cache=cache, extensions=rest_of(found, ("type",), image_url=known))
        case {"type": "image_url", "image_url": str(url)}:
            return ImagePart(data_urls.source_of(url), cache=cache)
        case {"type": "input_audio", "input_audio": {"data": str(data)} as inner}:
            report.read("messages[].content[].input_audio", "part.audio")
            extensions = rest_of(found, ("type",), input_audio=("data", "format"))
            return AudioPart(_sound(data, inner.get("format")), cache=cache, extensions=extensions)
        case {"type": "file", "file": {"file_data": str(data)} as inner}:
            report.read("messages[].content[].file", "part.document.inline")
            name = inner.get("filename") if isinstance(inner.get("filename"), str) else None
            known = ("file_data", "filename") if name else ("file_data",)
            extensions = rest_of(found, ("type",), file=known)
            return DocumentPart(_file(data), name, cache=cache, extensions=extensions)
        case {"type": "file", "file": {"file_id": str(file_id)}}:
            report.read("messages[].content[].file.file_id", "part.document.file")
            extensions = rest_of(found, ("type",), file=("file_id",))
            return DocumentPart(FileIdSource(VENDOR, file_id), cache=cache, extensions=extensions)
        case {"type": "video_url", "video_url": {"url": str(url)}}:
            report.read("messages[].content[].video_url", "part.video")
            return VideoPart(data_urls.source_of(url), cache=cache)
        case _:
            return RawPart(NAME, found["type"], found)


def encode_part(part: Part, report: Report) -> dict[str, Json] | None:
    """The part as content; None for one that has no place there. Raises `Unsupported` for what must not be left out."""
    if part.cache is not None:
        TABLE.report("part.cache", report)
    if note(part.extensions, RAW) is not None:
        return whole(part.extensions, {})
    match part:
        case TextPart(text=text):
            return whole(part.extensions, {"type": "text", "text": text})
        case RefusalPart(text=text):
            return whole(part.extensions, {"type": "refusal", "refusal": text})
        case ImagePart(source=source, detail=detail):
            image: dict[str, Json] = {"url": _image_url(source, report)}
            if detail is not None:
                image["detail"] = detail
            return whole(part.extensions, {"type": "image_url", "image_url": image})
        case AudioPart(source=source):
            return whole(part.extensions, {"type": "input_audio", "input_audio": _input_audio(source, report)})
        case DocumentPart():
            return _document(part, report)
        case VideoPart():
            TABLE.report("part.video", report)
            return None
        case RawPart(protocol=protocol, json=raw):
            if protocol == NAME:
                return dict(raw)
            report.drop(f"{protocol}.{part.type}")
            return None
        case CompactionPart(text=str(text)):
            TABLE.report("part.compaction", report)
            return {"type": "text", "text": text}
        case CompactionPart():
            raise Unsupported(
                "The history holds a summary that only the vendor that made it can read: choose a model of that vendor.",
                param=report.name("part.compaction"),
            )
        case HostedToolCallPart() | HostedToolResultPart():
            TABLE.report("part.hosted_tool", report)
            return None
        case ReasoningPart() | ToolCallPart() | ToolResultPart():
            return None  # they stand beside the content
        case _:
            assert_never(part)


def cache_hint(found: dict[str, Any]) -> CacheHint | None:
    """A breakpoint of OpenAI's, or Anthropic's as OpenRouter and LiteLLM take it. It rides along as it came, too."""
    for name in ("cache_control", "prompt_cache_breakpoint"):
        if isinstance(mark := found.get(name), dict):
            return CacheHint(_TTL.get(str(mark.get("ttl"))))
    return None


_TTL = {"5m": "5m", "1h": "1h", "30m": "1h", "12h": "1h"}
"""OpenAI's lifetimes as the nearest of Anthropic's that isn't shorter than what pays off."""


def _sound(data: str, said: Any) -> Source:
    if data.startswith("data:"):
        return data_urls.source_of(data)
    if data.startswith(("http://", "https://")):
        return UrlSource(data)
    return InlineSource(_AUDIO.get(said, f"audio/{said}") if isinstance(said, str) else "audio/wav", data)


def _file(data: str) -> Source:
    return data_urls.parse(data) or InlineSource(data_urls.sniffed(data) or "application/pdf", data)


def _image_url(source: Source, report: Report) -> str | None:
    match source:
        case UrlSource(url=url):
            return url
        case InlineSource():
            return data_urls.render(source)
        case FileIdSource() | TextSource():
            TABLE.report("part.image.file", report)
            return None
        case _:
            assert_never(source)


def _input_audio(source: Source, report: Report) -> dict[str, Json] | None:
    match source:
        case InlineSource(media_type, data) if media_type in _AUDIO_FORMATS:
            return {"data": data, "format": _AUDIO_FORMATS[media_type]}
        case _:
            report.refuse("part.audio")
            return None


def _document(part: DocumentPart, report: Report) -> dict[str, Json] | None:
    if part.citations_enabled or part.context is not None:
        TABLE.report("part.document.citations", report)
    file: dict[str, Json]
    match part.source:
        case TextSource(text=text):
            TABLE.report("part.document.text", report)
            title = part.title or part.filename
            opening = f'<document title="{title}">' if title else "<document>"
            return {"type": "text", "text": f"{opening}\n{text}\n</document>"}
        case InlineSource(media_type=media_type) as source:
            name = part.filename or part.title or (UNNAMED_PDF if media_type == "application/pdf" else None)
            file = {"file_data": data_urls.render(source)}
            if name:
                file["filename"] = name
        case FileIdSource(vendor=vendor, id=file_id):
            if vendor != VENDOR:
                report.refuse("part.document.file")
                return None
            file = {"file_id": file_id}
        case UrlSource():
            TABLE.report("part.document.url", report)
            return None
        case _:
            assert_never(part.source)
    return whole(part.extensions, {"type": "file", "file": file})


def _rendered(part: Part) -> dict[str, Json] | None:
    try:
        return encode_part(part, Report())
    except Unsupported:
        return None
