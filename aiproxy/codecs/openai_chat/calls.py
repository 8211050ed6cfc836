"""Tool calls in the history, both ways. Gemini's thought signature rides in a call's `extra_content`."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from aiproxy.codecs.arguments import as_text
from aiproxy.codecs.envelope import Sealer, is_envelope
from aiproxy.codecs.opaque import read_slot
from aiproxy.codecs.openai_chat.notes import EXTRA, LEGACY, note, noted, rest_of, whole
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.parts import ToolCallPart

GOOGLE = "google"


def decode_call(found: Any, where: str, sealer: Sealer) -> ToolCallPart:
    match found:
        case {"type": "custom", "custom": {"name": str(name), "input": str(text)} as inner}:
            call = ToolCallPart(_id(found), name, text, arguments_kind="freeform")
            extensions = rest_of(found, ("id", "type"), custom=("name", "input"))
        case {"function": {"name": str(name)} as inner}:
            call = ToolCallPart(_id(found), name, arguments_text(inner.get("arguments")))
            extensions = rest_of(found, ("id", "type"), function=("name", "arguments"))
        case _:
            raise InvalidRequest(f"`{where}` must have a `type` and, under it, a `name`.", param=where)
    call = replace(call, extensions=extensions)
    if encode_call(call) != found:
        call = replace(call, extensions=noted({}, raw=found))
    return with_signature(call, found, sealer)


def encode_call(call: ToolCallPart) -> dict[str, Json]:
    """As it stands: names and ids are the caller's business."""
    if call.arguments_kind == "freeform":
        custom = {"name": call.name, "input": call.arguments_text}
        return whole(call.extensions, {"id": call.call_id, "type": "custom", "custom": custom})
    function = {"name": call.name, "arguments": call.arguments_text}
    return whole(call.extensions, {"id": call.call_id, "type": "function", "function": function})


def decode_function_call(found: Any, where: str) -> ToolCallPart:
    """The legacy field: a call without an id."""
    if not isinstance(found, dict) or not isinstance(found.get("name"), str):
        raise InvalidRequest(f"`{where}` must be an object with a `name`.", param=where)
    call = ToolCallPart("", found["name"], arguments_text(found.get("arguments")))
    call = replace(call, extensions=noted(rest_of(found, ("name", "arguments")), legacy=True))
    if encode_function_call(call) != found:
        call = replace(call, extensions=noted({}, raw=found, legacy=True))
    return call


def encode_function_call(call: ToolCallPart) -> dict[str, Json]:
    return whole(call.extensions, {"name": call.name, "arguments": call.arguments_text})


def is_legacy(call: ToolCallPart) -> bool:
    return bool(note(call.extensions, LEGACY))


def arguments_text(found: Json) -> str:
    """Arguments are text; some servers send the object itself."""
    if found is None:
        return ""
    return found if isinstance(found, str) else as_text(found)


def signature_in(found: Mapping[str, Any]) -> str | None:
    """The thought signature of a message, a delta or a call."""
    match found.get("extra_content"):
        case {"google": {"thought_signature": str(signature)}} if signature:
            return signature
        case _:
            return None


def with_signature(call: ToolCallPart, found: Mapping[str, Any], sealer: Sealer) -> ToolCallPart:
    """With the state a client sends back. Google's own rides on as it came, too; ours never leaves."""
    signature = signature_in(found)
    if signature is None:
        return call
    envelope = read_slot(sealer, signature, GOOGLE, "thought_signature")
    return replace(
        call,
        opaque=(envelope.state,) if envelope else (),
        extensions=without_envelope(call.extensions, found),
    )


def without_envelope(extensions: Mapping[str, Mapping[str, Json]], found: Mapping[str, Any]) -> Mapping[str, Any]:
    """`extra_content` out of what rides along: as a note where it is Google's own, not at all where it is sealed."""
    rest = {
        codec: {
            key: {name: value for name, value in inner.items() if name != "extra_content"} if key == "~raw" else inner
            for key, inner in fields.items()
            if key != "extra_content"
        }
        for codec, fields in extensions.items()
    }
    signature = signature_in(found)
    return rest if signature is None or is_envelope(signature) else noted(rest, extra_content=found["extra_content"])


def extra_content(signature: str) -> dict[str, Json]:
    return {"extra_content": {GOOGLE: {"thought_signature": signature}}}


def as_it_came(extensions: Mapping[str, Mapping[str, Json]]) -> dict[str, Json]:
    found = note(extensions, EXTRA)
    return {} if found is None else {"extra_content": found}


def _id(found: Mapping[str, Any]) -> str:
    call_id = found.get("id")
    return call_id if isinstance(call_id, str) else ""
