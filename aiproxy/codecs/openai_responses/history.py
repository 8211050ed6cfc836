"""The items of `input`, gathered into turns."""

from dataclasses import replace
from typing import Final

from aiproxy.codecs.openai_responses.content import read_content
from aiproxy.codecs.openai_responses.items import (
    COMPACTIONS,
    CONTENT,
    HOSTED,
    ReadState,
    read_call,
    read_compaction,
    read_hosted,
    read_reasoning,
    read_result,
)
from aiproxy.codecs.openai_responses.read_tools import FROM_INPUT, read_tools
from aiproxy.codecs.openai_responses.reading import Malformed, Taking
from aiproxy.codecs.openai_responses.table import NAME
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json, OpaqueState
from aiproxy.neutral.parts import HostedToolCallPart, Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from aiproxy.neutral.request import Role, Turn
from aiproxy.neutral.tools import ToolDefinition

ITEMS: Final = "~items"
"""The note that lists input items without a place in neutral, each with its position."""

INPUT: Final = "~input"
"""The note that the input came as one string."""

ITEM_KINDS: Final = "input[]."
"""What begins the name of an input item's type among the request's own fields, where losing such an item must be told. The
field's value is the place of the first one."""

_ROLES: Final[tuple[Role, ...]] = ("user", "assistant", "system", "developer")

PREFACE: Final = "This is a summary of the conversation so far, which it replaces:\n\n"
"""Before the text of a summary of ours, where it stands in for the history."""


class History:
    """Reads one request's input. `aside` holds [position, item] of what is no turn, `tools` those that came as an item,
    `unique` the types of items that only this protocol can have, each with the place of its first one."""

    def __init__(self, read_state: ReadState) -> None:
        self._read_state = read_state
        self._turns: list[Turn] = []
        self._model: list[Part] = []  # parts of the assistant's turn that is open
        self._message: Turn | None = None  # the one message in it
        self._signatures: dict[str, OpaqueState] = {}  # by the id of the call or message they sign
        self.aside: list[Json] = []
        self.tools: tuple[ToolDefinition, ...] = ()
        self.unique: dict[str, int] = {}

    def read(self, rest: dict[str, Json], report: Report) -> None:
        """Takes `input` out of the rest. Raises `Malformed` with the path of the item."""
        found = rest.get("input")
        if found is None or found == []:
            return
        report.read("input", "turn.user")
        del rest["input"]
        if isinstance(found, str):
            rest[INPUT] = "string"
            self._turns.append(Turn("user", (TextPart(found),)))
            return
        if not isinstance(found, list):
            raise Malformed("input", "must be a string or a list of items")
        for place, item in enumerate(found):
            try:
                self._item(place, item)
            except Malformed as error:
                raise error.inside(f"input[{place}]") from error

    def turns(self) -> list[Turn]:
        """All that was read, with signatures that travelled in items of their own back at what they sign."""
        self._close()
        return [_signed(turn, self._signatures) for turn in self._turns] if self._signatures else self._turns

    def _item(self, place: int, item: Json) -> None:
        if not isinstance(item, dict):
            raise Malformed("", "must be an object")
        kind = item.get("type")
        match kind:
            case None if "role" in item:
                self._read_message(item)
            case "message":
                self._read_message(item)
            case "reasoning":
                self._reasoning(item)
            case "function_call" | "custom_tool_call":
                self._model.append(read_call(item))
            case "function_call_output" | "custom_tool_call_output":
                self._result(read_result(item))
            case str() if kind in COMPACTIONS:
                self._close()
                self._compaction(place, item)
            case str() if kind in HOSTED:
                self._model.append(read_hosted(item))
            case _:
                self._aside(place, item)

    def _read_message(self, item: dict[str, Json]) -> None:
        found = Taking(item)
        role = found.text("role")
        if role not in _ROLES:
            raise Malformed("role", f"must be one of {', '.join(_ROLES)}")
        absent: tuple[str, ...] = () if "type" in found.rest else ("type",)
        found.rest.pop("type", None)
        notes: dict[str, Json] = {}
        parts: tuple[Part, ...] = ()
        content = found.rest.get("content")
        if isinstance(content, str):
            del found.rest["content"]
            notes[CONTENT] = "string"
            parts = (TextPart(content),)
        elif content is not None:
            try:
                parts = read_content(content, "output_text" if role == "assistant" else "input_text")
            except Malformed as error:
                raise error.inside("content") from error
            del found.rest["content"]
        elif "content" not in found.rest:
            absent += ("content",)
        phase = found.maybe("phase", str)
        turn = Turn(role, parts, phase=phase, extensions=found.extensions(notes, absent))
        if role != "assistant" or not parts:
            self._close()
            self._turns.append(turn)
            return
        if self._message:
            self._close(keeping=_trailing_thought(self._model))
        self._message = turn
        self._model += parts

    def _reasoning(self, item: dict[str, Json]) -> None:
        part, envelope = read_reasoning(item, self._read_state)
        state = envelope.state if envelope else None
        if state and state.kind == "thought_signature" and state.item_id is not None:
            self._signatures[state.item_id] = replace(state, item_id=None)
        else:
            self._model.append(part)

    def _compaction(self, place: int, item: dict[str, Json]) -> None:
        """One of ours becomes what it stands for; a vendor's can go only to that vendor."""
        part = read_compaction(item, self._read_state)
        if part.text is not None:
            self._turns.append(Turn("user", (TextPart(f"{PREFACE}{part.text}"),)))
        else:
            self._turns.append(Turn("user", (part,)))
            self.unique.setdefault("compaction", place)

    def _result(self, part: ToolResultPart) -> None:
        self._close()
        last = self._turns[-1] if self._turns else None
        if last and last.role == "tool":
            self._turns[-1] = replace(last, parts=(*last.parts, part))
        else:
            self._turns.append(Turn("tool", (part,)))

    def _aside(self, place: int, item: dict[str, Json]) -> None:
        self.aside.append([place, item])
        kind = item.get("type")
        if kind != "additional_tools":
            self.unique.setdefault(kind if isinstance(kind, str) else "", place)
        else:
            self.tools += tuple(
                replace(tool, extensions={NAME: {FROM_INPUT: True}}) for tool in read_tools(item.get("tools"))
            )

    def _close(self, keeping: int = 0) -> None:
        """Ends the assistant's turn; its last `keeping` parts begin the next one."""
        kept = len(self._model) - keeping
        parts, self._model = self._model[:kept], self._model[kept:]
        message, self._message = self._message, None
        if parts:
            head = message or Turn("assistant")
            self._turns.append(replace(head, parts=tuple(parts)))


def _trailing_thought(parts: list[Part]) -> int:
    """How many of the last parts led to the message that comes next."""
    count = 0
    for part in reversed(parts):
        if not isinstance(part, ReasoningPart | HostedToolCallPart):
            break
        count += 1
    return count


def _signed(turn: Turn, states: dict[str, OpaqueState]) -> Turn:
    """The turn with each signature at the call it names, or at the last text of the message it names."""
    message_id = turn.extensions.get(NAME, {}).get("id")
    texts = [place for place, part in enumerate(turn.parts) if isinstance(part, TextPart)]
    parts = list(turn.parts)
    for place, part in enumerate(parts):
        key = part.call_id if isinstance(part, ToolCallPart) else message_id if texts[-1:] == [place] else None
        if isinstance(key, str) and key in states:
            parts[place] = replace(part, opaque=(*part.opaque, states[key]))
    return replace(turn, parts=tuple(parts))
