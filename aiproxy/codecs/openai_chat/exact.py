"""A message as it came: for turns that were decoded from this protocol, form and dialect included."""

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.fields import restore
from aiproxy.codecs.openai_chat import reasoning
from aiproxy.codecs.openai_chat.calls import as_it_came, encode_call, encode_function_call, is_legacy
from aiproxy.codecs.openai_chat.notes import CONTENT, LEGACY, RAW, REASONING, ROLE, note
from aiproxy.codecs.openai_chat.parts import encode_part
from aiproxy.codecs.openai_chat.table import NAME
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json
from aiproxy.neutral.parts import Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart, ToolResultPart
from aiproxy.neutral.request import Turn


def exact_message(turn: Turn, exchange: Exchange) -> dict[str, Json]:
    message: dict[str, Json] = {"role": note(turn.extensions, ROLE) or turn.role}
    parts = turn.parts
    if turn.name is not None:
        message["name"] = turn.name
    for result in parts:
        if isinstance(result, ToolResultPart):
            message |= _result_head(result)
            parts = result.content
    _write_content(turn, [part for part in parts if _is_content(part)], message)
    thinking = [part for part in parts if isinstance(part, ReasoningPart) and note(part.extensions, RAW) is None]
    calls = [part for part in parts if isinstance(part, ToolCallPart)]
    message |= _reasoning(turn, thinking, exchange, calls=bool(calls))
    for part in parts:
        if isinstance(part, RefusalPart) and note(part.extensions, LEGACY):
            message["refusal"] = part.text
    listed = [{**encode_call(call), **as_it_came(call.extensions)} for call in calls if not is_legacy(call)]
    if listed:
        message["tool_calls"] = listed
    for call in calls:
        if is_legacy(call):
            message["function_call"] = encode_function_call(call)
    message |= as_it_came(turn.extensions)
    restore(turn.extensions, NAME, message)
    return message


def _result_head(result: ToolResultPart) -> dict[str, Json]:
    head = {"tool_call_id": result.call_id or None, "name": result.name}
    return {key: value for key, value in head.items() if value is not None}


def _is_content(part: Part) -> bool:
    match part:
        case ToolCallPart() | ToolResultPart():
            return False
        case ReasoningPart():
            return note(part.extensions, RAW) is not None
        case RefusalPart():
            return not note(part.extensions, LEGACY)
        case _:
            return True


def _write_content(turn: Turn, parts: list[Part], message: dict[str, Json]) -> None:
    form = note(turn.extensions, CONTENT)
    if form == "absent" and not parts:
        return
    if form == "null" and not parts:
        message["content"] = None
    elif form != "list" and all(isinstance(part, TextPart) for part in parts):
        message["content"] = "".join(part.text for part in parts if isinstance(part, TextPart))
    else:
        message["content"] = [found for part in parts if (found := _content_part(part)) is not None]


def _content_part(part: Part) -> dict[str, Json] | None:
    if isinstance(part, ReasoningPart):
        return dict(note(part.extensions, RAW))
    return encode_part(part, Report())


def _reasoning(turn: Turn, parts: list[ReasoningPart], exchange: Exchange, *, calls: bool) -> dict[str, Json]:
    """In the dialect it came in, as long as it is what came."""
    fields = note(turn.extensions, REASONING)
    if fields is not None and reasoning.history(fields, exchange.sealer) == parts:
        return dict(fields)
    if not parts:
        return {}
    return reasoning.sent_back(parts, exchange.capabilities, exchange.request.model, calls=calls)
