"""An upstream's output items while they grow, and what they are when they end."""

from dataclasses import dataclass, field, replace

from aiproxy.codecs.arguments import is_complete
from aiproxy.codecs.openai_responses.items import ITEM
from aiproxy.codecs.openai_responses.table import NAME
from aiproxy.neutral.parts import Citation, Part, ReasoningPart, RefusalPart, TextPart, ToolCallPart


@dataclass(slots=True)
class Growing:
    """A part whose deltas come in. `seen` holds them by section (a summary's index; −1 for everything else)."""

    index: int
    part: Part
    seen: dict[int, list[str]] = field(default_factory=dict)
    citations: list[Citation] = field(default_factory=list)
    hidden: bool = False

    def text(self, section: int = -1) -> str:
        return "".join(self.seen.get(section, ()))


@dataclass(slots=True)
class Item:
    """`parts` by content index; items that are no messages have one, at 0. `early` are arguments that came before the name."""

    kind: str
    id: str | None = None
    key: str | None = None
    parts: dict[int, Growing] = field(default_factory=dict)
    early: list[str] = field(default_factory=list)
    done: bool = False


def agreed(growing: Growing, part: Part) -> Part:
    """The whole part, without contradicting what its deltas have shown already."""
    match part:
        case TextPart(text=text) if not growing.hidden and not text.startswith(seen := growing.text()):
            return replace(part, text=seen, citations=part.citations or tuple(growing.citations))
        case RefusalPart(text=text) if not text.startswith(seen := growing.text()):
            return replace(part, text=seen)
        case ToolCallPart(arguments_text=text) if not growing.hidden and not text.startswith(seen := growing.text()):
            return replace(part, arguments_text=seen, complete=part.arguments_kind == "freeform" or is_complete(seen))
        case ReasoningPart(text=text, summaries=summaries):
            if not text.startswith(seen := growing.text()):
                part = replace(part, text=seen)
            shown = _summaries(growing)
            if len(shown) > len(summaries) or any(
                not whole.startswith(s) for s, whole in zip(shown, summaries, strict=False)
            ):
                part = replace(part, summaries=shown)
        case _:
            pass
    return part


def cut_off(growing: Growing, status: str, *, is_first: bool) -> Part:
    """A part whose end never came, of what did; its item in this status."""
    head = {ITEM: {"status": status, "role": "assistant"}} if is_first else {}
    match growing.part:
        case TextPart() as part:
            extensions = {NAME: {**part.extensions[NAME], **head}}
            return replace(part, text=growing.text(), citations=tuple(growing.citations), extensions=extensions)
        case RefusalPart() as part:
            return replace(part, text=growing.text(), extensions={NAME: {**part.extensions[NAME], **head}})
        case ToolCallPart(arguments_kind="freeform") as part:
            return replace(part, arguments_text=growing.text())
        case ToolCallPart() as part:
            text = growing.text()
            extensions = {NAME: {**part.extensions[NAME], "status": status}}
            complete = status == "completed" or is_complete(text)
            return replace(part, arguments_text=text, complete=complete, extensions=extensions)
        case ReasoningPart() as part:
            return replace(part, text=growing.text(), summaries=_summaries(growing))
        case part:
            return part


def _summaries(growing: Growing) -> tuple[str, ...]:
    sections = [section for section in growing.seen if section >= 0]
    return tuple(growing.text(section) for section in range(max(sections, default=-1) + 1))
