"""An operator's system prompt: added to the client's or put in its place, with words of it replaced."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiproxy.neutral.carried import Extensions
from aiproxy.neutral.parts import Part, TextPart
from aiproxy.neutral.request import GenerateRequest, Turn

_INSTRUCTING = ("system", "developer")


@dataclass(frozen=True, slots=True)
class SystemPrompt:
    """`overwrite` leaves out every system and developer turn of the client's; else `text` follows the first of them after a
    line end. `replacements` are (old, new), in order, in all system text, ours included."""

    text: str = ""
    overwrite: bool = False
    replacements: Sequence[tuple[str, str]] = ()

    @property
    def changes_nothing(self) -> bool:
        return not self.text and not self.replacements

    def applied(self, request: GenerateRequest, place: Extensions) -> GenerateRequest:
        """`place` is the note by which the client's codec knows a turn that is the whole request's (`Codec.prompt_place`)."""
        if self.changes_nothing:
            return request
        turns = list(request.turns)
        ours = Turn("system", (TextPart(self.text),), extensions=place)
        if self.text and self.overwrite:
            turns = [ours, *(turn for turn in turns if turn.role not in _INSTRUCTING)]
        elif self.text:
            turns = self._appended(turns, ours)
        return replace(request, turns=tuple(self._replaced(turn) for turn in turns))

    def _appended(self, turns: list[Turn], ours: Turn) -> list[Turn]:
        """After the system text that stands before the conversation; a conversation without any gets a turn of ours."""
        first = next((number for number, turn in enumerate(turns) if turn.role not in _INSTRUCTING), len(turns))
        for number in reversed(range(first)):
            parts = turns[number].parts
            if parts and isinstance(parts[-1], TextPart):
                grown = replace(parts[-1], text=f"{parts[-1].text}\n{self.text}")
                turns[number] = replace(turns[number], parts=(*parts[:-1], grown))
                return turns
        return [ours, *turns]

    def _replaced(self, turn: Turn) -> Turn:
        if turn.role not in _INSTRUCTING or not self.replacements:
            return turn
        return replace(turn, parts=tuple(self._reworded(part) for part in turn.parts))

    def _reworded(self, part: Part) -> Part:
        if not isinstance(part, TextPart):
            return part
        text = part.text
        for old, new in self.replacements:
            text = text.replace(old, new)
        return part if text == part.text else replace(part, text=text)
