"""A client's messages → turns."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import get_args

from aiproxy.codecs.ollama.calls import read_call
from aiproxy.codecs.ollama.media import read_media
from aiproxy.codecs.ollama.notes import QUIET, ROLE, riding
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.parts import (
    AudioPart,
    DocumentPart,
    ImagePart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    VideoPart,
)
from aiproxy.neutral.request import Role, Turn

_ROLES: Mapping[str, Role] = {role: role for role in get_args(Role)}
"""Ollama compares them in lower case. `developer` isn't its own word; clients that say it mean it as everyone."""

_TEXTS = ("content", "thinking", "tool_name", "tool_call_id")


def read_messages(found: Json, report: Report) -> tuple[Turn, ...]:
    if not isinstance(found, list):
        raise InvalidRequest("messages must be a list.", param="messages")
    turns = tuple(_read_message(message, place) for place, message in enumerate(found))
    _tell(turns, report)
    return turns


def read_images(found: Json, where: str) -> tuple[Part, ...]:
    if not isinstance(found, list):
        raise InvalidRequest(f"{where} must be a list.", param=where)
    parts: list[Part] = []
    for place, written in enumerate(found):
        try:
            parts.append(read_media(written))
        except ValueError as error:
            raise InvalidRequest(f"{where}[{place}]: {error}.", param=f"{where}[{place}]") from error
    return tuple(parts)


def _read_message(found: Json, place: int) -> Turn:
    where = f"messages[{place}]"
    if not isinstance(found, dict):
        raise InvalidRequest(f"{where} must be an object.", param=where)
    for key in ("role", *_TEXTS):
        if not isinstance(found.get(key), str | None):
            raise InvalidRequest(f"{where}.{key} must be a string.", param=f"{where}.{key}")
    said = found.get("role") or ""
    role = _ROLES.get(said.lower())
    if role is None:
        raise InvalidRequest(
            f"{where}.role is {said!r}; it must be system, user, assistant or tool.", param=f"{where}.role"
        )
    quiet = {key: "" for key in _TEXTS if found.get(key) == ""}
    known = {"role", *quiet}
    media = read_images(found["images"], f"{where}.images") if found.get("images") else ()
    if media:
        known.add("images")
    texts = (TextPart(found["content"]),) if found.get("content") else ()
    if texts:
        known.add("content")
    parts: tuple[Part, ...]
    match role:
        case "assistant":
            thinking = (ReasoningPart(text=found["thinking"]),) if found.get("thinking") else ()
            calls = _read_calls(found["tool_calls"], place) if found.get("tool_calls") else ()
            known |= {key for key, parts in (("thinking", thinking), ("tool_calls", calls)) if parts}
            parts = (*thinking, *texts, *media, *calls)
        case "tool":
            known |= {key for key in ("tool_name", "tool_call_id") if found.get(key)}
            content = (*texts, *media)
            parts = (ToolResultPart(found.get("tool_call_id") or "", content, found.get("tool_name") or None),)
        case "system" | "developer" | "user":
            parts = (*texts, *media)
    if not parts and "content" in quiet:
        del quiet["content"]
        parts = (TextPart(""),)
    notes = {QUIET: quiet, ROLE: None if said == role else said}
    return Turn(role, parts, extensions=riding(found, known, notes))


def _read_calls(found: Json, place: int) -> tuple[ToolCallPart, ...]:
    where = f"messages[{place}].tool_calls"
    if not isinstance(found, list):
        raise InvalidRequest(f"{where} must be a list.", param=where)
    calls = []
    for number, call in enumerate(found):
        try:
            calls.append(read_call(call, _made_id(place, number)))
        except ValueError as error:
            raise InvalidRequest(f"{where}[{number}] {error}.", param=f"{where}[{number}]") from error
    return tuple(calls)


def _made_id(place: int, number: int) -> str:
    """By the call's place in the history, which only grows: the same call has the same id in the next request, so that an
    upstream's prompt cache holds."""
    return f"call_{sha256(f'{place}.{number}'.encode()).hexdigest()[:24]}"


def _tell(turns: Sequence[Turn], report: Report) -> None:
    """The report: which of the client's fields became which features."""
    first_spoken = next((i for i, turn in enumerate(turns) if turn.role not in ("system", "developer")), len(turns))
    for place, turn in enumerate(turns):
        if turn.role in ("system", "developer"):
            feature = "turn.system" if place < first_spoken else "turn.system_midway"
            report.read(f"messages[].role: {turn.role}", feature)
        for part in turn.parts:
            _tell_part(part, "messages[]", report)


def _tell_part(part: Part, where: str, report: Report) -> None:
    match part:
        case TextPart():
            report.read(f"{where}.content", "part.text")
        case ReasoningPart():
            report.read(f"{where}.thinking", "part.reasoning")
        case ImagePart():
            report.read(f"{where}.images", "part.image.inline")
        case AudioPart():
            report.read(f"{where}.images", "part.audio")
        case VideoPart():
            report.read(f"{where}.images", "part.video")
        case DocumentPart():
            report.read(f"{where}.images", "part.document.inline")
        case ToolCallPart():
            report.read(f"{where}.tool_calls", "part.tool_call")
        case ToolResultPart(content=content):
            report.read(f"{where}.role: tool", "part.tool_result")
            if any(not isinstance(inner, TextPart) for inner in content):
                report.read(f"{where}.images", "part.tool_result.media")
        case _:
            pass
