"""The response object around an answer's items: what it repeats of the request, its status, its usage."""

from typing import Final

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.openai_responses.encode_request import own_settings
from aiproxy.codecs.openai_responses.reading import written
from aiproxy.codecs.openai_responses.response import UNFINISHED
from aiproxy.codecs.openai_responses.stored import KEPT
from aiproxy.codecs.openai_responses.table import NAME
from aiproxy.codecs.openai_responses.usage import write_usage
from aiproxy.neutral.carried import Extensions, Json
from aiproxy.neutral.events import CandidateFinished
from aiproxy.neutral.parts import TextPart
from aiproxy.neutral.usage import Usage

_REPEATED: Final[dict[str, Json]] = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "reasoning": {"effort": None, "summary": None},
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": 1.0,
    "truncation": "disabled",
}
"""What a response repeats of its request in any case, with what the API takes for granted."""

_REPEATED_WHEN_SAID: Final = (
    "background",
    "conversation",
    "max_tool_calls",
    "prompt_cache_key",
    "safety_identifier",
    "service_tier",
    "store",
    "top_logprobs",
    "user",
)


class Skeleton:
    """Of one response. `head` is set when the answer starts."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._repeated: dict[str, Json] | None = None
        self.response_id = exchange.fresh_id(KEPT if exchange.keep else "resp_")
        self.created = exchange.now

    def start(self, response_id: str, created: int) -> None:
        """An upstream's own id is kept where it is one of this protocol, and the upstream keeps the answer."""
        if response_id.startswith("resp") and self._exchange.keep is None:
            self.response_id = response_id
        self.created = created or self._exchange.now

    def begun(self) -> dict[str, Json]:
        return self._built("in_progress", [])

    def failed(self, error: dict[str, Json], output: list[Json]) -> dict[str, Json]:
        return self._built("failed", output) | {"error": error}

    def finished(
        self,
        end: CandidateFinished,
        output: list[Json],
        usage: Usage | None,
        service_tier: str | None,
        extensions: Extensions,
    ) -> dict[str, Json]:
        """As it came, where it came by this protocol."""
        if NAME in extensions:
            head = {"id": self.response_id, "created_at": self.created, "model": self._exchange.request.model}
            built = {**head, "output": output}
            if self._exchange.keep is not None:  # who keeps it is we, whatever the upstream says of itself
                state = self._exchange.request.state
                built |= {"previous_response_id": state.previous_response_id, "store": state.store is not False}
            if (counted := write_usage(usage)) is not None:
                built["usage"] = counted
        else:
            status, reason = status_of(end)
            built = self._built(status, output)
            built["usage"] = write_usage(usage)
            if reason is not None:
                built["incomplete_details"] = {"reason": reason}
        if service_tier is not None:
            built["service_tier"] = service_tier
        return written(built, extensions)

    def _built(self, status: str, output: list[Json]) -> dict[str, Json]:
        if self._repeated is None:
            self._repeated = self._repeat()
        return {
            "id": self.response_id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": None,
            "model": self._exchange.request.model,
            "output": output,
            "usage": None,
            **self._repeated,
        }

    def _repeat(self) -> dict[str, Json]:
        repeated = dict(_REPEATED)
        if self._exchange.source != NAME:
            return repeated
        said = own_settings(self._exchange)
        repeated |= {key: said[key] for key in (*_REPEATED, *_REPEATED_WHEN_SAID) if said.get(key) is not None}
        repeated["text"] = {**_REPEATED["text"], **repeated["text"]}
        repeated["reasoning"] = {**_REPEATED["reasoning"], **repeated["reasoning"]}
        if isinstance(conversation := repeated.get("conversation"), str):
            repeated["conversation"] = {"id": conversation}
        turns = self._exchange.request.turns
        if turns and turns[0].role == "system" and "instructions" not in said:
            texts = [part.text for part in turns[0].parts if isinstance(part, TextPart)]
            repeated["instructions"] = "".join(texts)
        return repeated


def status_of(end: CandidateFinished) -> tuple[str, str | None]:
    """(status, reason why it is incomplete)"""
    match end.finish:
        case "length" | "context_window":
            return "incomplete", end.detail if end.detail in ("max_messages", "steered") else "max_output_tokens"
        case "content_filter":
            return "incomplete", "content_filter"
        case "cancelled":
            return "cancelled", None
        case "error" | "malformed_tool_call":
            return "failed", None
        case "pause" if end.detail in UNFINISHED:
            return str(end.detail), None
        case _:
            return "completed", None
