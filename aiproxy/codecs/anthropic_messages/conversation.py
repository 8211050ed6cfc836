"""The turns of another protocol's request in the order the Messages API takes, and their instructions.

Sources: Anthropic API reference, messages and mid-conversation system messages; error texts of the API."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from aiproxy.codecs import roles
from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.pairing import paired
from aiproxy.codecs.report import Report
from aiproxy.neutral.parts import AudioPart, DocumentPart, ImagePart, Part, TextPart
from aiproxy.neutral.request import Role, Turn

_INSTRUCTIONS: tuple[Role, ...] = ("system", "developer")


def ordered(turns: Sequence[Turn], can: Capabilities, report: Report) -> tuple[tuple[Part, ...], tuple[Turn, ...]]:
    """(the instructions before the first turn, the turns)."""
    leading, rest = roles.split_leading(turns)
    if any(turn.name for turn in turns):
        report.ignore("turn.name")
    following = paired((found for turn in rest if (found := _speakable(turn, report)).parts), report)
    following = _placed(following, can, report)
    following = roles.results_first(following)
    if roles.ends_with_assistant(following) and can.prefill is False:
        report.refuse(
            "turn.prefill", "The chosen model does not continue a last assistant message: end with a user message."
        )
    return tuple(part for turn in leading for part in turn.parts), following


def _speakable(turn: Turn, report: Report) -> Turn:
    """The API refuses empty text, a message that is blank, and media the model is said to have made."""
    parts = tuple(part for part in turn.parts if not (isinstance(part, TextPart) and not part.text))
    if turn.role == "assistant":
        parts = tuple(_named(part, report) for part in parts)
    if all(isinstance(part, TextPart) and not part.text.strip() for part in parts):
        parts = ()
    return replace(turn, parts=parts)


def _named(part: Part, report: Report) -> Part:
    match part:
        case ImagePart():
            report.drop("part.image.inline")
            return TextPart("[an image]")
        case AudioPart(transcript=transcript):
            report.drop("part.audio")
            return TextPart(transcript or "[a sound]")
        case DocumentPart():
            report.drop("part.document.inline")
            return TextPart("[a document]")
        case _:
            return part


def _placed(turns: Iterable[Turn], can: Capabilities, report: Report) -> tuple[Turn, ...]:
    """Instructions between turns: as they are where the model has a role for them and it is legal just there, else as reminders.

    Legal is: after a user's turn, and last or before the model's."""
    as_system = (replace(turn, role="system") if turn.role in _INSTRUCTIONS else turn for turn in turns)
    found = roles.merged(as_system)
    if not can.system_turns_midway:
        return roles.reminded(found, report)
    done: list[Turn] = []
    for place, turn in enumerate(found):
        after_user = place > 0 and found[place - 1].role in ("user", "tool")
        before_model = place + 1 == len(found) or found[place + 1].role == "assistant"
        texts = all(isinstance(part, TextPart) for part in turn.parts)
        if turn.role == "system" and not (after_user and before_model and texts):
            done += roles.reminded((turn,), report)
        else:
            done.append(turn)
    return tuple(done)
