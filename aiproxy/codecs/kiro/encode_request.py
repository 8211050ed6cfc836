"""Neutral → `generateAssistantResponse`."""

from dataclasses import replace
from uuid import NAMESPACE_URL, uuid5

from aiproxy.codecs import roles
from aiproxy.codecs.codec import Exchange, Outgoing
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.kiro.conversation import CONTINUE, Conversation
from aiproxy.codecs.kiro.table import TABLE
from aiproxy.codecs.kiro.thinking import asked, asks_itself
from aiproxy.codecs.kiro.tools import KiroTools
from aiproxy.codecs.pairing import paired
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.neutral.parts import TextPart
from aiproxy.neutral.request import GenerateRequest, Turn


def encode_request(exchange: Exchange) -> Outgoing:
    request, report = exchange.request, exchange.report
    TABLE.write(request, {}, exchange.capabilities, report)
    _report_the_rest(request, exchange.capabilities.tools, report)
    tools = KiroTools(request)
    turns = _turns(request, report)
    history, current = Conversation(request.model, tools, report).written(turns)
    if written := tools.written(report):
        current["userInputMessage"].setdefault("userInputMessageContext", {})["tools"] = written
    state: dict[str, Json] = {
        "chatTriggerType": "MANUAL",
        "agentTaskType": "vibe",
        "conversationId": str(uuid5(NAMESPACE_URL, exchange.fresh_id("conversation_"))),
        "currentMessage": current,
    }
    if history:
        state["history"] = history
    return Outgoing(dump({"conversationState": state}))


def instructions(request: GenerateRequest, report: Report) -> str:
    """What stands before all else, with what asks for thinking in front of it."""
    leading, _ = roles.split_leading(request.turns)
    texts = [part.text for turn in leading for part in turn.parts if isinstance(part, TextPart) and part.text]
    said = "\n\n".join(texts)
    wish = "" if asks_itself(said) else asked(request.reasoning, report)
    return "\n".join(text for text in (wish, said) if text)


def wants_thinking(request: GenerateRequest) -> bool:
    """Whether the answer's text is to be looked through for it."""
    return asks_itself(instructions(request, Report()))


def _turns(request: GenerateRequest, report: Report) -> tuple[Turn, ...]:
    """Alternating, the user's first, with the instructions before what the user says."""
    _, rest = roles.split_leading(paired(request.turns, report))
    turns = roles.results_first(roles.reminded(rest, report))
    said = instructions(request, report)
    if not turns:
        if not said:
            raise InvalidRequest("The request says nothing: it needs at least one turn with content.", param="messages")
        return (Turn("user", (TextPart(said),)),)
    if not said:
        return roles.starting_with_user(turns, CONTINUE, report)
    first, *others = turns
    if first.role == "assistant":
        return (Turn("user", (TextPart(said),)), *turns)
    return (replace(first, parts=(TextPart(f"{said}\n\n"), *first.parts)), *others)


def _report_the_rest(request: GenerateRequest, takes_tools: bool, report: Report) -> None:
    form = request.output_format
    present = {
        "sampling.n": (request.sampling.n or 1) > 1,
        "state.background": bool(request.state.background),
        "modalities": bool(set(request.modalities) - {"text"}),
        "audio_output": request.audio_output is not None,
        "reasoning.visibility": request.reasoning.visibility is not None,
        "reasoning.summary_style": request.reasoning.summary_style is not None,
        f"output_format.{form.kind if form else ''}": form is not None and form.kind != "text",
    }
    for feature, said in present.items():
        if said:
            TABLE.report(feature, report)
    if request.tools and not takes_tools:
        report.refuse("tool.function", "The chosen model takes no tools: leave them out.")
