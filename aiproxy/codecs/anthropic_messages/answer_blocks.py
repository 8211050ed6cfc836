"""Parts of an answer → the content blocks a client is shown, and opaque state into the slots it gives back."""

from collections.abc import Sequence

from aiproxy.codecs import arguments, freeform
from aiproxy.codecs.anthropic_messages.read_blocks import INPUT, SIGNATURE
from aiproxy.codecs.anthropic_messages.table import NAME
from aiproxy.codecs.anthropic_messages.write_blocks import is_own_hosted, write_citation
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.envelope import Envelope
from aiproxy.codecs.fields import restore
from aiproxy.codecs.opaque import slot_value
from aiproxy.codecs.tool_ids import fit
from aiproxy.neutral.carried import Json, OpaqueState
from aiproxy.neutral.parts import (
    AudioPart,
    Citation,
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

SECTIONS = "\n\n"
"""Between the summaries of one piece of reasoning."""


class AnswerWriter:
    """Of one answer: tool ids are distinct within it."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        asked = exchange.request.reasoning
        self.shows_thinking = asked.visibility != "hidden" and asked.mode != "off"
        self._calls = 0

    def blocks(self, part: Part) -> Sequence[dict[str, Json]]:
        match part:
            case TextPart():
                return self._text(part)
            case RefusalPart(text=text):
                return [{"type": "text", "text": text}] if text else []
            case ReasoningPart():
                return self._reasoning(part)
            case ToolCallPart():
                text = freeform.wrap(part.arguments_text) if part.arguments_kind == "freeform" else part.arguments_text
                notes = part.extensions.get(NAME, {})
                found = notes[INPUT] if INPUT in notes else arguments.as_object(text)[0]
                return [*self.carriers(part.opaque), {**self.opened_call(part), "input": found}]
            case HostedToolCallPart(payload=payload) | HostedToolResultPart(payload=payload):
                return [dict(payload)] if is_own_hosted(payload) else self._search(part)
            case CompactionPart(text=text) if NAME in part.extensions:
                block: dict[str, Json] = (
                    {"type": "compaction"} if text is None else {"type": "compaction", "content": text}
                )
                restore(part.extensions, NAME, block)
                return [block]
            case RawPart(protocol=protocol, json=found) if protocol == NAME:
                return [dict(found)]
            case ImagePart() | AudioPart() | VideoPart() | DocumentPart():
                return self._told(part)
            case CompactionPart() | RawPart() | ToolResultPart():
                return []

    def citation(self, citation: Citation) -> dict[str, Json] | None:
        """Another vendor's can be shown where it names a page."""
        if NAME in citation.extensions:
            return write_citation(citation)
        if citation.url is None:
            return None
        return {
            "type": "web_search_result_location",
            "url": citation.url,
            "title": citation.title,
            "encrypted_index": "",
            "cited_text": citation.cited_text or "",
        }

    def opened_call(self, part: ToolCallPart) -> dict[str, Json]:
        self._calls += 1
        call_id = fit(part.call_id, "anthropic") if part.call_id else self._exchange.fresh_id("toolu_", self._calls)
        block: dict[str, Json] = {"type": "tool_use", "id": call_id, "name": part.name, "input": {}}
        restore(part.extensions, NAME, block)
        return block

    def carriers(self, states: Sequence[OpaqueState]) -> list[dict[str, Json]]:
        """A call's state travels in an empty thinking block before it."""
        sealed = [
            self._exchange.sealer.seal(
                Envelope(OpaqueState(s.vendor, s.kind, "", s.item_id, s.model, s.scope), ((0, s.data),))
            )
            for s in states[:1]
        ]
        return [{"type": "thinking", "thinking": "", "signature": signature} for signature in sealed]

    def thinking(self, part: ReasoningPart) -> str:
        """What the client is shown: what the vendor tells of it rather than the thinking itself. Signed text stays whole."""
        if part.opaque and part.opaque[0].vendor == NAME:
            return part.text or SECTIONS.join(part.summaries)
        return (SECTIONS.join(part.summaries) or part.text) if self.shows_thinking else ""

    def signature(self, part: ReasoningPart) -> str:
        """Never empty where the client wants one: without any state the text itself is what must come back."""
        text = None if self.shows_thinking else (SECTIONS.join(part.summaries) or part.text or None)
        if part.opaque:
            return slot_value(self._exchange.sealer, part.opaque[0], NAME, text=text)
        return self._exchange.sealer.seal(Envelope(OpaqueState("", "reasoning_text", ""), text=text))

    def _text(self, part: TextPart) -> list[dict[str, Json]]:
        """Empty text is left out: clients that send it back are refused."""
        cited = [found for citation in part.citations if (found := self.citation(citation))]
        if not part.text and not cited:
            return []
        block: dict[str, Json] = {"type": "text", "text": part.text}
        if cited:
            block["citations"] = cited
        restore(part.extensions, NAME, block)
        return [block]

    def _reasoning(self, part: ReasoningPart) -> list[dict[str, Json]]:
        notes = part.extensions.get(NAME, {})
        own = part.opaque[0] if part.opaque and part.opaque[0].vendor == NAME else None
        if part.redacted and (own or SIGNATURE in notes):
            block: dict[str, Json] = {"type": "redacted_thinking", "data": own.data if own else notes[SIGNATURE] or ""}
        elif SIGNATURE in notes and not part.opaque:
            block = {"type": "thinking", "thinking": part.text}
            if notes[SIGNATURE] is not None:
                block["signature"] = notes[SIGNATURE]
        elif not part.opaque and not part.text and not part.summaries:
            return []
        else:
            block = {"type": "thinking", "thinking": self.thinking(part), "signature": self.signature(part)}
        restore(part.extensions, NAME, block)
        return [block]

    def _search(self, part: HostedToolCallPart | HostedToolResultPart) -> list[dict[str, Json]]:
        """Another vendor's web search is shown as one without results: those are its secret, the citations follow in the text."""
        if not isinstance(part, HostedToolCallPart) or part.kind != "web_search":
            return []
        self._calls += 1
        call_id = self._exchange.fresh_id("srvtoolu_", self._calls)
        action = part.payload.get("action") if isinstance(part.payload, dict) else None
        query = action.get("query") if isinstance(action, dict) else None
        asked = {"query": query} if isinstance(query, str) else {}
        return [
            {"type": "server_tool_use", "id": call_id, "name": "web_search", "input": asked},
            {"type": "web_search_tool_result", "tool_use_id": call_id, "content": []},
        ]

    def _told(self, part: ImagePart | AudioPart | VideoPart | DocumentPart) -> list[dict[str, Json]]:
        """The protocol has no output but text: of a sound its transcript, of anything else that it was there."""
        kind = type(part).__name__.removesuffix("Part").lower()
        self._exchange.report.lose(f"part.{kind}")
        if isinstance(part, AudioPart) and part.transcript:
            return [{"type": "text", "text": part.transcript}]
        return [{"type": "text", "text": f"[The model answered with {kind} content, which this API cannot carry.]"}]
