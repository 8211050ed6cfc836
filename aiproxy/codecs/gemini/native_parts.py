"""Neutral parts as parts of Google's `Content`, in their own words: the shapes that requests and answers share.

Signatures are not here: what may go into their slot differs between an upstream and a client."""

from collections.abc import Mapping
from typing import assert_never

from aiproxy.codecs.arguments import as_object
from aiproxy.codecs.fields import restore
from aiproxy.codecs.gemini.media import restored_media
from aiproxy.codecs.gemini.names import NAME
from aiproxy.codecs.gemini.parts import HOSTED, RESPONSE, TEXTLESS
from aiproxy.codecs.results import as_response_object, from_response_object, result_text
from aiproxy.neutral.carried import Extensions, Json
from aiproxy.neutral.parts import (
    AudioPart,
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


def own(extensions: Extensions) -> Mapping[str, Json]:
    """What a neutral value carries for this codec, notes included."""
    return extensions.get(NAME, {})


def encode_part(part: Part) -> dict[str, Json] | None:
    """None for what Gemini has no part for: another vendor's tools and raw parts."""
    match part:
        case TextPart(text=said) | RefusalPart(text=said):
            found: dict[str, Json] = {} if TEXTLESS in own(part.extensions) else {"text": said}
        case ReasoningPart():
            found = {"text": shown(part), "thought": True}
            if TEXTLESS in own(part.extensions):
                del found["text"]
        case ImagePart() | AudioPart() | VideoPart() | DocumentPart():
            return restored_media(part)
        case ToolCallPart():
            found = {"functionCall": _call(part)}
        case ToolResultPart():
            found = {"functionResponse": _result(part)}
        case HostedToolCallPart(payload=payload) | HostedToolResultPart(payload=payload):
            if HOSTED not in own(part.extensions):
                return None
            found = {own(part.extensions)[HOSTED]: payload}
        case RawPart(protocol, _, value):
            return dict(value) if protocol == NAME else None
        case CompactionPart(text=said):
            found = {"text": said or ""}
        case _:
            assert_never(part)
    restore(part.extensions, NAME, found)
    return found


def shown(part: ReasoningPart) -> str:
    """The thinking as one text: summaries are paragraphs."""
    return part.text or "\n\n".join(part.summaries)


def _call(part: ToolCallPart) -> dict[str, Json]:
    found: dict[str, Json] = {"name": part.name}
    if part.call_id:
        found["id"] = part.call_id
    if part.arguments_text:
        found["args"] = as_object(part.arguments_text)[0]
    return found


def _result(part: ToolResultPart) -> dict[str, Json]:
    found: dict[str, Json] = {"id": part.call_id} if part.call_id else {}
    if part.name is not None:
        found["name"] = part.name
    came = own(part.extensions).get(RESPONSE)
    if came is not None and from_response_object(came) == (result_text(part), part.is_error):
        found["response"] = came
    elif any(isinstance(inner, TextPart) for inner in part.content):
        found["response"] = as_response_object(part)
    media = [item for item in (encode_part(inner) for inner in part.content if not isinstance(inner, TextPart)) if item]
    if media:
        found["parts"] = media
    return found
