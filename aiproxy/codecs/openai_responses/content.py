"""The parts of a message's content, and of a tool's output: `input_text`, `input_image`, `output_text`, `refusal`, …

A kind of part nobody else has is a `RawPart`."""

from collections.abc import Mapping
from typing import Final

from aiproxy.codecs import data_urls
from aiproxy.codecs.openai_responses.reading import Malformed, Taking
from aiproxy.codecs.openai_responses.table import NAME, VENDOR
from aiproxy.neutral.carried import Json
from aiproxy.neutral.media import FileIdSource, InlineSource, Source, UrlSource
from aiproxy.neutral.parts import (
    AudioPart,
    CacheHint,
    Citation,
    DocumentPart,
    ImagePart,
    Part,
    RawPart,
    RefusalPart,
    TextPart,
    TokenLogprob,
)

TYPE: Final = "~type"
"""The note that holds a text part's type, where it isn't the usual one of its role."""

AUDIO_TYPES: Final[Mapping[str, str]] = {"mp3": "audio/mpeg", "wav": "audio/wav"}
"""`input_audio.format` → media type."""

_PDF = "application/pdf"


def read_content(content: Json, usual: str) -> tuple[Part, ...]:
    """`usual` is the type of a text part at this place. Raises `Malformed`."""
    if not isinstance(content, list):
        raise Malformed("", "must be a string or a list of parts")
    parts = []
    for place, part in enumerate(content):
        try:
            parts.append(read_part(part, usual))
        except Malformed as error:
            raise error.inside(f"[{place}]") from error
    return tuple(parts)


def read_part(part: Json, usual: str) -> Part:
    found = Taking(part)
    kind = found.text("type")
    match kind:
        case "input_text" | "output_text" | "text":
            return _text(found, kind, usual)
        case "refusal":
            return RefusalPart(found.text("refusal"), extensions=found.extensions())
        case "input_image":
            source = _image_source(found)
            detail = found.maybe("detail", str)
            return ImagePart(source, detail, cache=_cache(found), extensions=found.extensions())
        case "input_file":
            filename = found.maybe("filename", str)
            document = _file_source(found, filename)
            return DocumentPart(document, filename, cache=_cache(found), extensions=found.extensions())
        case "input_audio":
            return _audio(found)
        case _:
            return RawPart(NAME, kind, part, extensions={NAME: {f"input[].content[].{kind}": True}})


def read_annotation(annotation: Json) -> Citation:
    found = Taking(annotation)
    if found.rest.get("type") != "url_citation":
        return Citation(extensions=found.extensions())
    url, title = found.maybe("url", str), found.maybe("title", str)
    start, end = found.maybe("start_index", int), found.maybe("end_index", int)
    return Citation(url, title, None, start, end, extensions=found.extensions())


def read_logprobs(found: Json) -> tuple[TokenLogprob, ...] | None:
    """None for what isn't a list of them."""
    if not isinstance(found, list):
        return None
    read = tuple(_logprob(entry) for entry in found if isinstance(entry, dict))
    return None if len(read) < len(found) else read


def write_logprobs(logprobs: tuple[TokenLogprob, ...]) -> list[Json]:
    return [
        {
            "token": entry.token,
            "bytes": list(entry.token_bytes or entry.token.encode("utf-8", "replace")),
            "logprob": entry.logprob,
            "top_logprobs": [
                {
                    "token": top.token,
                    "bytes": list(top.token_bytes or top.token.encode("utf-8", "replace")),
                    "logprob": top.logprob,
                }
                for top in entry.top
            ],
        }
        for entry in logprobs
    ]


def _logprob(entry: dict[str, Json]) -> TokenLogprob:
    token, logprob, found, top = (entry.get(key) for key in ("token", "logprob", "bytes", "top_logprobs"))
    is_bytes = isinstance(found, list) and all(isinstance(byte, int) and 0 <= byte < 256 for byte in found)
    return TokenLogprob(
        token if isinstance(token, str) else "",
        logprob if isinstance(logprob, int | float) else 0.0,
        tuple(found) if is_bytes and isinstance(found, list) else None,
        tuple(_logprob(inner) for inner in top if isinstance(inner, dict)) if isinstance(top, list) else (),
    )


def _text(found: Taking, kind: str, usual: str) -> TextPart:
    text = found.text("text")
    notes = {} if kind == usual else {TYPE: kind}
    if kind != "output_text":
        return TextPart(text, cache=_cache(found), extensions=found.extensions(notes))
    citations: tuple[Citation, ...] = ()
    annotations = found.rest.get("annotations")
    if isinstance(annotations, list) and all(isinstance(entry, dict) for entry in annotations):
        citations = tuple(map(read_annotation, annotations))
        del found.rest["annotations"]
    logprobs = read_logprobs(found.rest.get("logprobs"))
    if logprobs is not None:
        if write_logprobs(logprobs) == found.rest["logprobs"]:
            del found.rest["logprobs"]
        else:
            found.keep("logprobs")
    absent = ("annotations",) if annotations is None and "annotations" not in found.rest else ()
    return TextPart(text, citations, logprobs, cache=_cache(found), extensions=found.extensions(notes, absent))


def _cache(found: Taking) -> CacheHint | None:
    match found.rest.get("prompt_cache_breakpoint"):
        case {"mode": "explicit", "ttl": str(ttl), **others} if not others:
            del found.rest["prompt_cache_breakpoint"]
            return CacheHint(ttl)
        case {"mode": "explicit", **others} if not others:
            del found.rest["prompt_cache_breakpoint"]
            return CacheHint()
        case _:
            return None


def _image_source(found: Taking) -> Source:
    url = found.rest.get("image_url")
    if isinstance(url, str):
        source = _source_of(url, "image_url")
        if isinstance(source, UrlSource) or data_urls.render(source) == url:
            del found.rest["image_url"]
        else:
            found.keep("image_url")
        return source
    if (file_id := found.maybe("file_id", str)) is not None:
        return FileIdSource(VENDOR, file_id)
    raise Malformed("image_url", "an image needs `image_url` or `file_id`")


def _file_source(found: Taking, filename: str | None) -> Source:
    data = found.rest.get("file_data")
    if isinstance(data, str):
        is_url = data[:5].lower() == "data:"
        kind = data_urls.sniffed(data) or _type_of(filename)
        source = _source_of(data, "file_data") if is_url else InlineSource(kind, data)
        if isinstance(source, InlineSource) and data_urls.render(source) == data:
            del found.rest["file_data"]
        else:
            found.keep("file_data")
        return source
    if (url := found.maybe("file_url", str)) is not None:
        return UrlSource(url)
    if (file_id := found.maybe("file_id", str)) is not None:
        return FileIdSource(VENDOR, file_id)
    raise Malformed("file_data", "a file needs `file_data`, `file_url` or `file_id`")


def _audio(found: Taking) -> AudioPart:
    sound = found.rest.get("input_audio")
    if not isinstance(sound, dict) or not isinstance(sound.get("data"), str):
        raise Malformed("input_audio", "must hold `data` and `format`")
    kind = sound.get("format")
    source = InlineSource(
        AUDIO_TYPES.get(kind, f"audio/{kind}") if isinstance(kind, str) else "audio/wav", sound["data"]
    )
    if sound.keys() == {"data", "format"} and kind in AUDIO_TYPES:
        del found.rest["input_audio"]
    else:
        found.keep("input_audio")
    return AudioPart(source, cache=_cache(found), extensions=found.extensions())


def _source_of(url: str, key: str) -> InlineSource | UrlSource:
    try:
        return data_urls.source_of(url)
    except ValueError as error:
        raise Malformed(key, str(error)) from error


def _type_of(filename: str | None) -> str:
    return "text/plain" if filename and filename.lower().endswith((".txt", ".md", ".csv")) else _PDF
