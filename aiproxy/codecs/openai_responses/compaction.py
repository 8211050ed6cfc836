"""Compaction: a client (Codex, mostly) asks for its history as one opaque item. What the wire says of it is here; who summarises,
and when, is the gateway's matter.

It is asked for by a `compaction_trigger` as the last input item, or at an endpoint of its own. The answer's item holds the
summary sealed; when it comes back in a later request it is read as a user's turn (`history`)."""

from dataclasses import replace
from typing import Final

from aiproxy.codecs.codec import Compacting, Exchange
from aiproxy.codecs.envelope import Envelope, Sealer
from aiproxy.codecs.openai_responses.decode_request import OPERATION
from aiproxy.codecs.openai_responses.history import ITEM_KINDS, ITEMS
from aiproxy.codecs.openai_responses.own import write_own_history
from aiproxy.codecs.openai_responses.table import NAME
from aiproxy.codecs.openai_responses.write import spelled_out
from aiproxy.neutral.carried import Json, OpaqueState
from aiproxy.neutral.parts import TextPart
from aiproxy.neutral.request import GenerateRequest, ReasoningConfig, Turn
from aiproxy.neutral.tools import ToolChoice

GATEWAY: Final = "aiproxy"
"""The vendor of summaries made here."""

COMPACT: Final = "compact"
"""The operation of the endpoint of its own."""

TRIGGER: Final = "compaction_trigger"

INSTRUCTION: Final = (
    "Summarise this conversation so that you can continue the work from the summary alone. State the task and its present "
    "state, the decisions taken and why, the files and other things concerned with their exact names and identifiers, what "
    "was tried and did not work, and the steps still open. Write only the summary, and call no tool."
)


def is_compaction(request: GenerateRequest) -> bool:
    """Whether the client asks for a compaction instead of an answer."""
    return is_compact_call(request) or _is_trigger(_last_item(request))


def is_compact_call(request: GenerateRequest) -> bool:
    return bool(request.extensions.get(NAME, {}).get(OPERATION) == COMPACT)


def summarising(request: GenerateRequest) -> GenerateRequest:
    """The request a model without compaction can answer: it is asked for a summary, and its text is what the item will hold."""
    notes = dict(request.extensions.get(NAME, {}))
    if _is_trigger(_last_item(request)):
        notes[ITEMS] = notes[ITEMS][:-1]
        notes.pop(f"{ITEM_KINDS}{TRIGGER}", None)
    return replace(
        request,
        turns=(*request.turns, Turn("user", (TextPart(INSTRUCTION),))),
        tool_choice=ToolChoice("none") if request.tools else ToolChoice(),
        reasoning=ReasoningConfig(effort="low") if request.reasoning != ReasoningConfig() else request.reasoning,
        output_format=None,
        extensions={**request.extensions, NAME: notes},
    )


def seal_summary(sealer: Sealer, summary: str) -> str:
    """A compaction item's `encrypted_content`."""
    return sealer.seal(Envelope(OpaqueState(GATEWAY, "compaction", ""), text=summary))


def compaction_answer(response: dict[str, Json], exchange: Exchange) -> dict[str, Json]:
    """The endpoint's answer: what the client shall have as its history from now on."""
    users = (turn for turn in exchange.request.turns if turn.role == "user")
    return {
        "id": response["id"],
        "object": "response.compaction",
        "created_at": response["created_at"],
        "output": [*map(spelled_out, write_own_history(users, exchange)), *response["output"]],
        "usage": response["usage"],
    }


COMPACTING = Compacting(is_compaction, summarising)


def _last_item(request: GenerateRequest) -> Json:
    """The last item beside the turns; whether it is the last of all, the API's rule for triggers says."""
    aside = request.extensions.get(NAME, {}).get(ITEMS)
    return aside[-1][1] if aside else None


def _is_trigger(item: Json) -> bool:
    return isinstance(item, dict) and item.get("type") == TRIGGER
