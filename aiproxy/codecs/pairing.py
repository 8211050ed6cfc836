"""Tool calls and their results, brought into the order every protocol accepts. Run on every foreign pair before encoding.

Assistant turns with calls that follow one another are one turn; its results come directly after it, in call order, as one
`tool` turn holding nothing else; a call without result gets one, a result without call becomes a user's text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from itertools import groupby
from operator import or_

from aiproxy.codecs.report import Report
from aiproxy.codecs.results import result_text
from aiproxy.codecs.tool_ids import distinct
from aiproxy.neutral.parts import Part, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from aiproxy.neutral.request import Role, Turn

MISSING = "No result was provided for this tool call."


@dataclass(slots=True)
class _CallTurn:
    """An assistant turn with calls, and the results found for them so far, by the call's place in the turn."""

    turn: Turn
    calls: list[ToolCallPart]
    results: dict[int, ToolResultPart] = field(default_factory=dict)

    def place_for(self, result: ToolResultPart) -> int | None:
        """The first call that waits for this result; the last one that has its id, when all were answered already.

        A result without an id (older Ollama clients) goes by the tool's name, then by order."""
        by_id = [i for i, call in enumerate(self.calls) if call.call_id == result.call_id]
        waiting = [i for i in range(len(self.calls)) if i not in self.results]
        if not result.call_id:
            named = [i for i in waiting if self.calls[i].name == result.name]
            return next(iter(named or waiting), None)
        return next((i for i in by_id if i in waiting), by_id[-1] if by_id else None)


def paired(turns: Iterable[Turn], report: Report) -> tuple[Turn, ...]:
    blocks: list[Turn | _CallTurn] = []
    nearest: dict[str, _CallTurn] = {}
    for turn in _merged_calls(map(_by_who_calls, _in_one_piece(turns))):
        calls = [part for part in turn.parts if isinstance(part, ToolCallPart)]
        if turn.role == "assistant" and calls:
            block = _CallTurn(turn, calls)
            nearest.update(dict.fromkeys(("", *(call.call_id for call in calls)), block))
            blocks.append(block)
        else:
            blocks.append(_without_results(turn, nearest, report))
    taken: dict[str, int] = {}
    done: list[Turn] = []
    for entry in blocks:
        if isinstance(entry, _CallTurn):
            done += _answered(entry, taken, report)
        elif entry.parts or entry.role != "tool":
            done.append(entry)
    return tuple(done)


def _in_one_piece(turns: Iterable[Turn]) -> list[Turn]:
    """Turns with the pieces that continue them; text goes on where text stopped, thinking where thinking did."""
    done: list[Turn] = []
    for turn in turns:
        if not (turn.continues and done):
            done.append(turn)
            continue
        parts = list(done[-1].parts)
        for part in turn.parts:
            joined = _joined(parts[-1], part) if parts else None
            if joined is None:
                parts.append(part)
            else:
                parts[-1] = joined
        done[-1] = replace(done[-1], parts=tuple(parts))
    return done


def _joined(first: Part, second: Part) -> Part | None:
    """Both as one part, where nothing but text is lost between them."""
    if first.opaque or first.cache or first.extensions or second.extensions:
        return None
    match first, second:
        case TextPart(), TextPart() if not (first.citations or second.citations):
            return replace(second, text=first.text + second.text)
        case ReasoningPart(), ReasoningPart() if not (first.redacted or second.redacted):
            seam = (
                ("".join((*first.summaries[-1:], *second.summaries[:1])),) if second.summaries else first.summaries[-1:]
            )
            summaries = (*first.summaries[:-1], *seam, *second.summaries[1:])
            return replace(second, text=first.text + second.text, summaries=summaries)
    return None


def _by_who_calls(turn: Turn) -> Turn:
    """Only an assistant calls, whoever a client says it was."""
    return replace(turn, role="assistant") if _has_calls(turn) else turn


def _merged_calls(turns: Iterable[Turn]) -> list[Turn]:
    """Neighbouring assistant turns as one, where one of them holds calls: Responses has an item for each call."""
    done: list[Turn] = []
    for role, group in groupby(turns, key=lambda turn: turn.role):
        run = list(group)
        if role == "assistant" and any(map(_has_calls, run)):
            parts = tuple(part for turn in run for part in turn.parts)
            done.append(replace(run[0], parts=parts, extensions=reduce(or_, (dict(turn.extensions) for turn in run))))
        else:
            done += run
    return done


def _has_calls(turn: Turn) -> bool:
    return any(isinstance(part, ToolCallPart) for part in turn.parts)


def _without_results(turn: Turn, nearest: Mapping[str, _CallTurn], report: Report) -> Turn:
    """The turn after its results went to the nearest call of their id. What is left of a tool turn the user says."""
    left: list[Part] = []
    for part in turn.parts:
        if not isinstance(part, ToolResultPart):
            left.append(part)
            continue
        owner = nearest.get(part.call_id)
        place = owner.place_for(part) if owner else None
        if owner and place is not None:
            owner.results[place] = part
        else:
            report.emulate("part.tool_result")
            left.append(TextPart(f"[tool result for {part.call_id}] {result_text(part)}"))
    role: Role = "user" if turn.role == "tool" and left else turn.role
    return replace(turn, role=role, parts=tuple(left))


def _answered(block: _CallTurn, taken: dict[str, int], report: Report) -> tuple[Turn, Turn]:
    """The call turn and its results, under ids that occur once in the whole history."""
    ids = [distinct(call.call_id, taken) for call in block.calls]
    fresh = iter(ids)
    parts = tuple(
        replace(part, call_id=next(fresh)) if isinstance(part, ToolCallPart) else part for part in block.turn.parts
    )
    results = []
    for place, (call, call_id) in enumerate(zip(block.calls, ids, strict=True)):
        result = block.results.get(place)
        if result is None:
            report.emulate("part.tool_result")
            result = ToolResultPart(call_id, (TextPart(MISSING),), is_error=True, kind=call.arguments_kind)
        results.append(replace(result, call_id=call_id, name=call.name))
    return replace(block.turn, parts=parts), Turn("tool", tuple(results))
