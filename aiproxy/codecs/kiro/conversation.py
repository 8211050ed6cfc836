"""Turns → a history and a current message, under the rules that the service checks: a user begins and ends, turns alternate,
results follow their calls, nothing is empty. Expects `paired` turns."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import assert_never

from aiproxy.codecs.arguments import as_object
from aiproxy.codecs.freeform import wrap
from aiproxy.codecs.kiro.table import NAME, TABLE
from aiproxy.codecs.kiro.tools import KiroTools
from aiproxy.codecs.report import Report
from aiproxy.codecs.results import result_media, result_text
from aiproxy.neutral.carried import Json
from aiproxy.neutral.media import FileIdSource, InlineSource, TextSource, UrlSource
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
from aiproxy.neutral.request import Turn

ORIGIN = "AI_EDITOR"
"""Which of the service's quotas is asked; the other one belongs to another endpoint."""

CONTINUE = "Continue"
"""Stands where a user says nothing: the service refuses an empty text."""

RESULTS = "Tool results provided."
"""Stands where a user says nothing but what tools gave."""

SILENCE = " "
"""Stands where the model said nothing and only called."""

FORMATS = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}

MOST_IMAGES = 10
"""Of one request. The latest stay."""

LEFT_OUT = "[an earlier image is left out]"


@dataclass(slots=True)
class _Images:
    """How many more may come. Turns are written from the last to the first."""

    room: int = MOST_IMAGES


class Conversation:
    """One request's, as the service wants it."""

    def __init__(self, model: str, tools: KiroTools, report: Report) -> None:
        self._model = model
        self._tools = tools
        self._report = report
        self._images = _Images()

    def written(self, turns: Sequence[Turn]) -> tuple[list[Json], dict[str, Json]]:
        """(history, the current message) of alternating turns, of which the user's is the first."""
        *earlier, last = turns
        if last.role == "assistant":
            TABLE.report("turn.prefill", self._report)
            earlier, last = [*turns], Turn("user", (TextPart(CONTINUE),))
        current = self._user(last)
        history = [
            self._assistant(turn) if turn.role == "assistant" else self._user(turn) for turn in reversed(earlier)
        ]
        return history[::-1], current

    def _user(self, turn: Turn) -> dict[str, Json]:
        self._names(turn)
        texts: list[str] = []
        images: list[Json] = []
        results: list[Json] = []
        for part in turn.parts:
            if isinstance(part, ToolResultPart):
                results.append(self._result(part))
                self._say(result_media(part), texts, images)
            else:
                self._say((part,), texts, images)
        said: dict[str, Json] = {
            "content": "".join(texts) or (RESULTS if results else CONTINUE),
            "modelId": self._model,
            "origin": ORIGIN,
        }
        if images:
            said["images"] = images
        if results:
            said["userInputMessageContext"] = {"toolResults": results}
        return {"userInputMessage": said}

    def _assistant(self, turn: Turn) -> dict[str, Json]:
        self._names(turn)
        texts: list[str] = []
        calls: list[Json] = []
        said: dict[str, Json] = {}
        for part in turn.parts:
            match part:
                case ReasoningPart():
                    if (own := _own_thinking(part)) is not None:
                        said["reasoningContent"] = own
                    elif text := part.text or "\n\n".join(part.summaries):
                        texts.append(f"<thinking>{text}</thinking>\n\n")
                case ToolCallPart():
                    calls.append(self._call(part))
                case _:
                    self._say((part,), texts, [])
        said["content"] = "".join(texts) or SILENCE
        if calls:
            said["toolUses"] = calls
        return {"assistantResponseMessage": said}

    def _names(self, turn: Turn) -> None:
        if turn.name is not None:
            TABLE.report("turn.name", self._report)
        if turn.phase is not None:
            TABLE.report("turn.phase", self._report)

    def _result(self, part: ToolResultPart) -> dict[str, Json]:
        text = result_text(part)
        return {
            "toolUseId": part.call_id,
            "status": "error" if part.is_error else "success",
            "content": [{"text": text}],
        }

    def _call(self, part: ToolCallPart) -> dict[str, Json]:
        text = part.arguments_text
        if part.arguments_kind == "freeform":
            TABLE.report("part.tool_call.freeform", self._report)
            text = wrap(text)
        arguments, whole = as_object(text)
        if not whole:
            self._report.emulate("part.tool_call")
        given = {key: value for key, value in arguments.items() if key}
        return {"toolUseId": part.call_id, "name": self._tools.names.safe(part.name, part.namespace), "input": given}

    def _say(self, parts: Iterable[Part], texts: list[str], images: list[Json]) -> None:
        for part in parts:
            if part.cache is not None:
                TABLE.report("part.cache", self._report)
            match part:
                case TextPart(text=text):
                    texts.append(text)
                    if part.citations:
                        TABLE.report("part.citations", self._report)
                case RefusalPart(text=text):
                    TABLE.report("part.refusal", self._report)
                    texts.append(text)
                case ImagePart():
                    self._image(part, texts, images)
                case DocumentPart():
                    self._document(part, texts)
                case CompactionPart(text=None):
                    told = "The summary in the history can be read by its maker only: start without it."
                    self._report.refuse("part.compaction", told)
                case CompactionPart(text=str(text)):
                    TABLE.report("part.compaction", self._report)
                    texts.append(text)
                case ReasoningPart():
                    self._report.drop("part.reasoning")  # not of the model's turn
                case AudioPart():
                    TABLE.report("part.audio", self._report)
                case VideoPart():
                    TABLE.report("part.video", self._report)
                case HostedToolCallPart() | HostedToolResultPart():
                    TABLE.report("part.hosted_tool", self._report)
                case RawPart():
                    self._report.drop(f"{part.protocol}.{part.type}")
                case ToolCallPart() | ToolResultPart():
                    raise AssertionError("`paired` leaves calls and results in their own turns only")
                case CompactionPart():
                    raise AssertionError("a summary is a text or None")
                case _:
                    assert_never(part)

    def _image(self, part: ImagePart, texts: list[str], images: list[Json]) -> None:
        if part.detail is not None:
            TABLE.report("part.image.detail", self._report)
        match part.source:
            case InlineSource(media_type=media_type, data=data):
                if (known := FORMATS.get(media_type)) is None:
                    told = f"The chosen model takes PNG, JPEG, GIF and WebP, not {media_type}."
                    self._report.refuse("part.image.inline", told)
                elif self._images.room:
                    self._images.room -= 1
                    images.append({"format": known, "source": {"bytes": data}})
                else:
                    self._report.drop("part.image.inline")
                    texts.append(LEFT_OUT)
            case UrlSource():
                TABLE.report("part.image.url", self._report)
            case FileIdSource() | TextSource():
                TABLE.report("part.image.file", self._report)

    def _document(self, part: DocumentPart, texts: list[str]) -> None:
        if part.citations_enabled:
            TABLE.report("part.document.citations", self._report)
        match part.source:
            case TextSource(text=text):
                TABLE.report("part.document.text", self._report)
                title = part.title or part.filename
                opening = f'<document title="{title}">' if title else "<document>"
                context = f"{part.context}\n" if part.context else ""
                texts.append(f"{opening}\n{context}{text}\n</document>\n")
            case InlineSource():
                TABLE.report("part.document.inline", self._report)
            case UrlSource():
                TABLE.report("part.document.url", self._report)
            case FileIdSource():
                TABLE.report("part.document.file", self._report)


def _own_thinking(part: ReasoningPart) -> Json:
    """What Kiro signed itself, as it gave it; None where it did not."""
    for state in part.opaque:
        if state.vendor == NAME and state.kind == "redacted_thinking":
            return {"redactedContent": state.data}
        if state.vendor == NAME and state.kind == "thinking_signature":
            return {"reasoningText": {"text": part.text, "signature": state.data}}
    return None
