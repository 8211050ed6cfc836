"""Parts as this protocol's JSON: what is put in stands in the part, what rode along goes back to its place."""

from collections.abc import Iterable, Mapping
from typing import Final, assert_never

from aiproxy.codecs import data_urls
from aiproxy.codecs.openai_responses.content import TYPE, write_logprobs
from aiproxy.codecs.openai_responses.items import CONTENT
from aiproxy.codecs.openai_responses.reading import note, written
from aiproxy.codecs.results import result_text
from aiproxy.neutral.carried import Json, OpaqueState
from aiproxy.neutral.media import FileIdSource, InlineSource, Source, TextSource, UrlSource
from aiproxy.neutral.parts import (
    AudioPart,
    CacheHint,
    Citation,
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

AUDIO_FORMATS: Final[Mapping[str, str]] = {
    "audio/mpeg": "mp3",
    "audio/mp3": "mp3",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
}


def write_content(parts: Iterable[Part], usual: str) -> list[Json]:
    """A message's content; `usual` is the type of its texts. What no message holds is left out."""
    return [found for part in parts if (found := write_part(part, usual)) is not None]


def write_part(part: Part, usual: str) -> dict[str, Json] | None:
    match part:
        case TextPart():
            return _text(part, note(part.extensions, TYPE) or usual)
        case RefusalPart(text=text):
            return written({"type": "refusal", "refusal": text}, part.extensions)
        case ImagePart(source=source, detail=detail):
            built: dict[str, Json] = {"type": "input_image", **_image(source)}
            if detail is not None:
                built["detail"] = detail
            return written(built | _cache(part.cache), part.extensions)
        case DocumentPart(source=source, filename=filename):
            built = {"type": "input_file", **_file(source)}
            if filename is not None:
                built["filename"] = filename
            return written(built | _cache(part.cache), part.extensions)
        case AudioPart(source=InlineSource(media_type, data)):
            sound = {"data": data, "format": AUDIO_FORMATS.get(media_type, media_type.removeprefix("audio/"))}
            return written({"type": "input_audio", "input_audio": sound} | _cache(part.cache), part.extensions)
        case RawPart(json=value):
            return dict(value)
        case (
            AudioPart()
            | VideoPart()
            | ReasoningPart()
            | ToolCallPart()
            | ToolResultPart()
            | HostedToolCallPart()
            | HostedToolResultPart()
            | CompactionPart()
        ):
            return None
        case _:
            assert_never(part)


def write_annotation(citation: Citation) -> dict[str, Json] | None:
    """None for a source without an address: this protocol has no citation of that kind."""
    own = written({}, citation.extensions)
    if citation.url is None:
        return own or None
    said = {"title": citation.title, "start_index": citation.start, "end_index": citation.end}
    built: dict[str, Json] = {"type": "url_citation", "url": citation.url}
    built |= {key: value for key, value in said.items() if value is not None}
    return built | own if own else {"title": "", "start_index": 0, "end_index": 0} | built


def write_reasoning(part: ReasoningPart, encrypted: str | None) -> dict[str, Json]:
    built: dict[str, Json] = {
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text} for text in part.summaries],
    }
    if part.id is not None:
        built["id"] = part.id
    if part.text:
        built["content"] = [{"type": "reasoning_text", "text": part.text}]
    if encrypted is not None:
        built["encrypted_content"] = encrypted
    return written(built, part.extensions)


def write_call(part: ToolCallPart) -> dict[str, Json]:
    freeform = part.arguments_kind == "freeform"
    built: dict[str, Json] = {
        "type": "custom_tool_call" if freeform else "function_call",
        "call_id": part.call_id,
        "name": part.name,
        "input" if freeform else "arguments": part.arguments_text,
    }
    if part.id is not None:
        built["id"] = part.id
    if part.namespace is not None:
        built["namespace"] = part.namespace
    return written(built, part.extensions)


def write_result(part: ToolResultPart, output: Json = None) -> dict[str, Json]:
    """`output` None: as the part has it."""
    if output is None:
        is_list = note(part.extensions, CONTENT) == "list"
        output = write_content(part.content, "input_text") if is_list else result_text(part)
    built: dict[str, Json] = {
        "type": "custom_tool_call_output" if part.kind == "freeform" else "function_call_output",
        "output": output,
    }
    if part.call_id:
        built["call_id"] = part.call_id
    if part.id is not None:
        built["id"] = part.id
    if part.name is not None:
        built["name"] = part.name
    return written(built, part.extensions)


def write_compaction(part: CompactionPart, encrypted: str) -> dict[str, Json]:
    built: dict[str, Json] = {"type": "compaction", "encrypted_content": encrypted}
    if part.id is not None:
        built["id"] = part.id
    return written(built, part.extensions)


def first_data(states: Iterable[OpaqueState]) -> str | None:
    return next((state.data for state in states), None)


def _text(part: TextPart, kind: str) -> dict[str, Json]:
    built: dict[str, Json] = {"type": kind, "text": part.text}
    if kind == "output_text":
        annotations = map(write_annotation, part.citations)
        built["annotations"] = [annotation for annotation in annotations if annotation is not None]
        if part.logprobs is not None:
            built["logprobs"] = write_logprobs(part.logprobs)
    return written(built | _cache(part.cache), part.extensions)


def _cache(hint: CacheHint | None) -> dict[str, Json]:
    if hint is None:
        return {}
    breakpoint_: dict[str, Json] = {"mode": "explicit"}
    if hint.ttl is not None:
        breakpoint_["ttl"] = hint.ttl
    return {"prompt_cache_breakpoint": breakpoint_}


def _image(source: Source) -> dict[str, Json]:
    match source:
        case UrlSource(url):
            return {"image_url": url}
        case InlineSource():
            return {"image_url": data_urls.render(source)}
        case FileIdSource(id=file_id):
            return {"file_id": file_id}
        case TextSource(text):
            return {"image_url": text}
        case _:
            assert_never(source)


def _file(source: Source) -> dict[str, Json]:
    match source:
        case UrlSource(url):
            return {"file_url": url}
        case InlineSource():
            return {"file_data": data_urls.render(source)}
        case FileIdSource(id=file_id):
            return {"file_id": file_id}
        case TextSource(text, media_type):
            return {"file_data": f"data:{media_type},{text}"}
        case _:
            assert_never(source)


def spelled_out(item: Mapping[str, Json]) -> dict[str, Json]:
    """A client's item as the API gives it back: with its type, and a text as the list it is short for."""
    told: dict[str, Json] = {"type": "message", **item}
    if told["type"] == "message" and isinstance(told.get("content"), str):
        kind = "output_text" if told.get("role") == "assistant" else "input_text"
        told["content"] = [{"type": kind, "text": told["content"]}]
    return told
