"""Who may speak when: instructions between turns, neighbours of one role, who opens the conversation."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from aiproxy.codecs.report import Report
from aiproxy.neutral.parts import Part, TextPart, ToolCallPart, ToolResultPart
from aiproxy.neutral.request import Turn

_INSTRUCTIONS = ("system", "developer")


def split_leading(turns: Sequence[Turn]) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
    """(instructions before any other turn, the rest)."""
    count = next((i for i, turn in enumerate(turns) if turn.role not in _INSTRUCTIONS), len(turns))
    return tuple(turns[:count]), tuple(turns[count:])


def reminded(turns: Iterable[Turn], report: Report) -> tuple[Turn, ...]:
    """Instructions between turns as a user's text in `<system-reminder>` marks: for targets without a system role there.

    Never between a tool call and its result: those move behind the result. Expects `paired` turns."""
    done: list[Turn] = []
    held: list[Turn] = []
    for turn in turns:
        if turn.role in _INSTRUCTIONS:
            report.emulate("turn.system_midway")
            texts = tuple(_marked(part) for part in turn.parts if isinstance(part, TextPart) and part.text)
            if texts:
                held.append(Turn("user", texts))
            continue
        if turn.role != "tool":
            done += held
            held = []
        done.append(turn)
    return (*done, *held)


def merged(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Neighbours of one role as one turn (Anthropic, Gemini)."""
    done: list[Turn] = []
    for turn in turns:
        if done and done[-1].role == turn.role:
            done[-1] = replace(done[-1], parts=done[-1].parts + turn.parts)
        else:
            done.append(turn)
    return tuple(done)


def results_first(turns: Iterable[Turn]) -> tuple[Turn, ...]:
    """Tool turns as user turns, each one with the user turns beside it, results before other parts (Anthropic's one user message)."""
    as_user = (replace(turn, role="user") if turn.role == "tool" else turn for turn in turns)
    return tuple(replace(turn, parts=_results_first(turn.parts)) for turn in merged(as_user))


def starting_with_user(turns: Sequence[Turn], filler: str, report: Report) -> tuple[Turn, ...]:
    """With a user's turn before it where the model would speak first: Anthropic takes `.`, Gemini a space."""
    if turns and turns[0].role == "assistant":
        report.emulate("turn.user")
        return (Turn("user", (TextPart(filler),)), *turns)
    return tuple(turns)


def ends_with_assistant(turns: Sequence[Turn]) -> bool:
    """Whether the last turn is for the model to continue (prefill). A turn that ends in a call is waiting for its result."""
    last = turns[-1] if turns else None
    return last is not None and last.role == "assistant" and not any(isinstance(p, ToolCallPart) for p in last.parts)


def _marked(part: TextPart) -> TextPart:
    return TextPart(f"<system-reminder>\n{part.text}\n</system-reminder>", cache=part.cache)


def _results_first(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    return tuple(sorted(parts, key=lambda part: not isinstance(part, ToolResultPart)))
