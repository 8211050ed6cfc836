"""Parts of Google's `Content` as neutral parts. The same in requests and answers.

What a part has besides its one data field (video metadata, unknown fields) rides in its extensions, so that each part comes
back as it was. Raises `ValueError` for what isn't a part.

Source: Gemini API reference, Part; Gemini API, thought signatures."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from aiproxy.codecs.arguments import as_text
from aiproxy.codecs.envelope import Envelope, Sealer, from_base64
from aiproxy.codecs.gemini.media import decode_file, decode_inline
from aiproxy.codecs.gemini.names import NAME, VENDOR
from aiproxy.codecs.gemini.reading import member, objects, text, without
from aiproxy.codecs.opaque import read_slot
from aiproxy.codecs.results import as_response_object, from_response_object
from aiproxy.neutral.carried import Extensions, Json
from aiproxy.neutral.parts import (
    HostedToolCallPart,
    HostedToolResultPart,
    Part,
    RawPart,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)

SIGNATURE = "thoughtSignature"

HOSTED = "~part"
"""The note of a vendor-run tool's part: which data field its payload was."""

RESPONSE = "~response"
"""The note of a function's response whose object says more than our text of it."""

TEXTLESS = "~textless"
"""The note of a part that had a signature and nothing else."""

_HOSTED_KINDS: Mapping[str, str] = {
    "GOOGLE_SEARCH_WEB": "web_search",
    "GOOGLE_SEARCH_IMAGE": "image_search",
    "URL_CONTEXT": "url_context",
    "GOOGLE_MAPS": "maps",
    "FILE_SEARCH": "file_search",
}


def decode_part(part: Mapping[str, Json], sealer: Sealer) -> Part:
    kind = next((name for name in _READERS if part.get(name) is not None), None)
    slot = part.get(SIGNATURE)
    signature = slot if isinstance(slot, str) and slot else None
    if kind is None:
        if signature is None:
            return RawPart(NAME, next(iter(part), ""), dict(part))
        kind = "text"
    read = _READERS[kind](part)
    if signature is None:
        return _with_own(read, {SIGNATURE: slot}) if SIGNATURE in part else read
    found = read_slot(sealer, from_base64(signature), VENDOR, "thought_signature")
    return _with_state(read, found) if found else read


def _with_state(part: Part, found: Envelope) -> Part:
    """A thought that isn't Google's is told as its own vendor tells it; the envelope has its whole text where streaming cut it."""
    state = found.state
    if not isinstance(part, ReasoningPart) or state.vendor == VENDOR:
        return replace(part, opaque=(state,))
    said = found.text if found.text is not None else "".join(part.summaries)
    if state.kind == "encrypted_reasoning":
        return replace(part, opaque=(state,), summaries=(said,) if said else ())
    return replace(part, opaque=(state,), summaries=(), text=said, redacted=state.kind == "redacted_thinking")


def _with_own(part: Part, own: Mapping[str, Json]) -> Part:
    return replace(part, extensions={NAME: {**part.extensions.get(NAME, {}), **own}})


def _own(part: Mapping[str, Json], kind: str, inner: Mapping[str, Json], *known: str) -> Extensions:
    """Extensions of the part: what is beside its data field, and what is in it besides the `known` keys."""
    own = without(part, kind, SIGNATURE)
    if rest := without(inner, *known):
        own[kind] = rest
    return {NAME: own} if own else {}


def _text(part: Mapping[str, Json]) -> Part:
    """A thought is a summary: Google doesn't show the thinking itself."""
    known = ["text", SIGNATURE]
    said = ""
    own: dict[str, Json] = {}
    if part.get("text") is None:
        own[TEXTLESS] = True
        known.remove("text")
    else:
        said = text(part, "text", "parts[]")
    if part.get("thought") is True:
        own |= without(part, "thought", *known)
        return ReasoningPart(summaries=(said,) if said else (), extensions={NAME: own} if own else {})
    own |= without(part, *known)
    return TextPart(said, extensions={NAME: own} if own else {})


def _call(part: Mapping[str, Json]) -> Part:
    call = member(part, "functionCall", "parts[]")
    known = ["name"]
    call_id, arguments = call.get("id"), call.get("args")
    if isinstance(call_id, str) and call_id:
        known.append("id")
    if arguments is not None:
        member(call, "args", "functionCall")
        known.append("args")
    return ToolCallPart(
        call_id if isinstance(call_id, str) else "",
        text(call, "name", "functionCall"),
        "" if arguments is None else as_text(arguments),
        extensions=_own(part, "functionCall", call, *known),
    )


def _result(part: Mapping[str, Json]) -> Part:
    found = member(part, "functionResponse", "parts[]")
    known = []
    call_id, name, response = found.get("id"), found.get("name"), found.get("response")
    if isinstance(call_id, str) and call_id:
        known.append("id")
    if isinstance(name, str):
        known.append("name")
    content: list[Part] = []
    is_error = False
    own: dict[str, Json] = {}
    if response is not None:
        known.append("response")
        said, is_error = from_response_object(member(found, "response", "functionResponse"))
        content.append(TextPart(said))
        if as_response_object(ToolResultPart("", tuple(content), is_error=is_error)) != response:
            own[RESPONSE] = response
    if found.get("parts"):
        known.append("parts")
        content += [_READERS[_media_kind(item)](item) for item in objects(found["parts"], "functionResponse.parts")]
    own |= _own(part, "functionResponse", found, *known).get(NAME, {})
    return ToolResultPart(
        call_id if isinstance(call_id, str) else "",
        tuple(content),
        name if isinstance(name, str) else None,
        is_error,
        extensions={NAME: own} if own else {},
    )


def _media_kind(part: Mapping[str, Json]) -> str:
    for kind in ("inlineData", "fileData"):
        if part.get(kind) is not None:
            return kind
    raise ValueError("`functionResponse.parts` takes inlineData and fileData only")


def _hosted(part: Mapping[str, Json]) -> Part:
    kind = next(name for name in _HOSTED if part.get(name) is not None)
    payload = member(part, kind, "parts[]")
    extensions: Extensions = {NAME: {**without(part, kind, SIGNATURE), HOSTED: kind}}
    call_id, tool = payload.get("id"), payload.get("toolType")
    name = _HOSTED_KINDS.get(tool, tool.lower()) if isinstance(tool, str) else "code_execution"
    of = HostedToolCallPart if kind in ("executableCode", "toolCall") else HostedToolResultPart
    return of(name, call_id if isinstance(call_id, str) else "", dict(payload), extensions=extensions)


_HOSTED = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")

_READERS: Mapping[str, Callable[[Mapping[str, Json]], Part]] = {
    "text": _text,
    "inlineData": decode_inline,
    "fileData": decode_file,
    "functionCall": _call,
    "functionResponse": _result,
    **dict.fromkeys(_HOSTED, _hosted),
}
"""By data field. Where a part has more than one, the first counts and the others ride along."""
