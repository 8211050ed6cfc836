"""A history that no longer fits a model's context, shortened by what a summary can do best without: the oldest tool results."""

from dataclasses import replace

from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.tokens import estimate, of_part
from aiproxy.neutral.parts import Part, TextPart, ToolResultPart
from aiproxy.neutral.request import GenerateRequest

ANSWER_SHARE = 0.1
"""Of the context that is left for the answer, and for how far an estimate may be off."""

LEFT_OUT = "[left out: the conversation is longer than the model's context]"
"""What stands for a tool's result."""


def shortened(request: GenerateRequest, can: Capabilities) -> GenerateRequest:
    """The request as it is where the model's context is not known or large enough."""
    if can.context_tokens is None:
        return request
    over = estimate(request) - int(can.context_tokens * (1 - ANSWER_SHARE))
    turns = []
    for turn in request.turns:
        parts: list[Part] = []
        for part in turn.parts:
            if over > 0 and isinstance(part, ToolResultPart):
                short = replace(part, content=(TextPart(LEFT_OUT),))
                saved = of_part(part) - of_part(short)
                part, over = (short, over - saved) if saved > 0 else (part, over)
            parts.append(part)
        turns.append(replace(turn, parts=tuple(parts)))
    return replace(request, turns=tuple(turns))
