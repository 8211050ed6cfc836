"""Messages as turns. Each message is one turn; the notes on it keep what form its content had."""

from typing import Any

from aiproxy.codecs.envelope import Sealer, is_envelope
from aiproxy.codecs.opaque import read_slot
from aiproxy.codecs.openai_chat import reasoning
from aiproxy.codecs.openai_chat.calls import (
    GOOGLE,
    decode_call,
    decode_function_call,
    signature_in,
)
from aiproxy.codecs.openai_chat.notes import noted, rest_of
from aiproxy.codecs.openai_chat.parts import decode_part
from aiproxy.codecs.openai_chat.table import NAME
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.parts import Part, ReasoningPart, RefusalPart, TextPart, ToolResultPart
from aiproxy.neutral.request import Role, Turn

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "developer",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}


def decode_message(found: Any, place: int, sealer: Sealer, report: Report) -> Turn:
    where = f"messages[{place}]"
    if not isinstance(found, dict):
        raise InvalidRequest(f"`{where}` must be an object.", param=where)
    said = found.get("role")
    role = _ROLES.get(said) if isinstance(said, str) else None
    if role is None:
        known = ", ".join(_ROLES)
        raise InvalidRequest(f"`{where}.role` must be one of {known}.", param=f"{where}.role", code="invalid_value")
    rest = rest_of(found, ("role", "content")).get(NAME, {})
    form, content = _content(found, where, report)
    notes: dict[str, Json] = {"content": form, "role": said if said == "function" else None}
    parts = content
    if role == "tool":
        parts = (_result(rest, content, where),)
    elif role == "assistant":
        parts = _assistant(found, rest, content, where, sealer, report, notes)
    name = rest.pop("name", None) if isinstance(rest.get("name"), str) and role != "tool" else None
    if name is not None:
        report.read("messages[].name", "turn.name")
    return Turn(role, parts, name, extensions=noted({NAME: rest} if rest else {}, **notes))


def _content(found: dict[str, Any], where: str, report: Report) -> tuple[str, tuple[Part, ...]]:
    """(its form, its parts). Empty text of an assistant or a tool is no part: other protocols refuse it."""
    if "content" not in found:
        return "absent", ()
    match found["content"]:
        case None:
            return "null", ()
        case "" if found["role"] in ("assistant", "tool", "function"):
            return "text", ()
        case str(text):
            return "text", (TextPart(text),)
        case list(listed):
            return "list", tuple(
                ReasoningPart(reasoning.block_text(part), extensions=noted({}, raw=part))
                if reasoning.is_whole_block(part)
                else decode_part(part, f"{where}.content[{i}]", report)
                for i, part in enumerate(listed)
            )
        case _:
            raise InvalidRequest(f"`{where}.content` must be a string or a list of parts.", param=f"{where}.content")


def _result(rest: dict[str, Json], content: tuple[Part, ...], where: str) -> ToolResultPart:
    call_id, name = rest.get("tool_call_id"), rest.get("name")
    if isinstance(call_id, str):
        if call_id:
            del rest["tool_call_id"]
    elif not isinstance(name, str):
        field = f"{where}.tool_call_id"
        raise InvalidRequest(f"`{field}` must be the id of the call this is the result of.", param=field)
    if isinstance(name, str):
        del rest["name"]
    return ToolResultPart(call_id if isinstance(call_id, str) else "", content, name if isinstance(name, str) else None)


def _assistant(
    found: dict[str, Any],
    rest: dict[str, Json],
    content: tuple[Part, ...],
    where: str,
    sealer: Sealer,
    report: Report,
    notes: dict[str, Json],
) -> tuple[Part, ...]:
    """Thinking, content, refusal and calls, in this order: the one a model says them in."""
    parts: list[Part] = [*reasoning.history(found, sealer)]
    sealed = reasoning.has_envelope(found)
    if parts or sealed:
        report.read("messages[].reasoning_content", "part.reasoning")
        fields = {name: rest.pop(name) for name in sorted(reasoning.FIELDS) if name in rest}
        notes["reasoning"] = None if sealed else fields  # an envelope, forged or not, is for nobody but us
    parts += content
    _take_signature(found, rest, parts, sealer, notes)
    if isinstance(rest.get("refusal"), str):
        parts.append(RefusalPart(rest.pop("refusal"), extensions=noted({}, legacy=True)))
    calls = rest.get("tool_calls")
    if calls:
        if not isinstance(calls, list):
            raise InvalidRequest(f"`{where}.tool_calls` must be a list.", param=f"{where}.tool_calls")
        del rest["tool_calls"]
        parts += [decode_call(call, f"{where}.tool_calls[{i}]", sealer) for i, call in enumerate(calls)]
    if rest.get("function_call") is not None:
        parts.append(decode_function_call(rest.pop("function_call"), f"{where}.function_call"))
    return tuple(parts)


def _take_signature(
    found: dict[str, Any], rest: dict[str, Json], parts: list[Part], sealer: Sealer, notes: dict[str, Json]
) -> None:
    """Gemini's signature of a message belongs to its last text."""
    signature = signature_in(found)
    if signature is None:
        return
    envelope = read_slot(sealer, signature, GOOGLE, "thought_signature")
    carried = rest.pop("extra_content")
    if not is_envelope(signature):
        notes["extra_content"] = carried
    last = parts[-1] if parts else None
    if envelope and isinstance(last, TextPart):
        parts[-1] = TextPart(last.text, cache=last.cache, opaque=(envelope.state,), extensions=last.extensions)
