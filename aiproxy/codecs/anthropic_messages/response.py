"""A whole answer, both ways."""

from collections.abc import Mapping

from aiproxy.codecs.anthropic_messages.answer import REASON, AnswerReader, ending
from aiproxy.codecs.anthropic_messages.answer_blocks import AnswerWriter
from aiproxy.codecs.anthropic_messages.errors import hidden
from aiproxy.codecs.anthropic_messages.read_blocks import Malformed, read_blocks
from aiproxy.codecs.anthropic_messages.table import NAME
from aiproxy.codecs.anthropic_messages.usage import TIERS, write_usage
from aiproxy.codecs.base import Answer
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.fields import restore
from aiproxy.codecs.json_bytes import dump, load_object
from aiproxy.codecs.tokens import estimate
from aiproxy.neutral.carried import Extensions, Json
from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.neutral.parts import RefusalPart
from aiproxy.neutral.response import Candidate, FinishReason, GenerateResponse
from aiproxy.neutral.usage import Usage

_REASONS: Mapping[FinishReason, str] = {
    "stop": "end_turn",
    "stop_sequence": "stop_sequence",
    "length": "max_tokens",
    "context_window": "model_context_window_exceeded",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
    "refusal": "refusal",
    "pause": "pause_turn",
    "compaction": "compaction",
}

_TIERS = {neutral: tier for tier, neutral in TIERS.items()}


def decode_response(body: bytes, exchange: Exchange) -> GenerateResponse:
    message = load_object(body)
    if message.get("type") == "error" or message.get("error") is not None:
        raise hidden(message, body)
    reader = AnswerReader.of(exchange)
    try:
        parts, _ = read_blocks(message.get("content"), reader.read_state)
    except Malformed as error:
        raise UpstreamFailed(f"The upstream sent a block that can't be read: {error}.") from error
    parts = tuple(map(reader.closed, parts))
    end = ending(message, parts)
    said = [value if isinstance(value := message.get(name), str) else "" for name in ("id", "model")]
    candidate = Candidate(0, parts, end.finish, end.detail, end.notes)
    return GenerateResponse(said[0], said[1], 0, (candidate,), end.usage, end.service_tier, end.extensions)


def encode_response(response: GenerateResponse, exchange: Exchange) -> Answer:
    """Shows the first candidate: a request through this protocol asks for one.

    Raises `UpstreamFailed` for an answer that is none: broken off by the upstream, or a call no client could read."""
    candidate = response.candidates[0] if response.candidates else Candidate()
    writer = AnswerWriter(exchange)
    content = [block for part in candidate.parts for block in writer.blocks(part)]
    refused = any(isinstance(part, RefusalPart) for part in candidate.parts)
    body = {
        **envelope(response.id, exchange),
        "content": content,
        **stop(candidate.finish, candidate.finish_detail, candidate.extensions, refused=refused),
        "usage": usage(response.usage, response.service_tier, exchange),
    }
    restore(response.extensions, NAME, body)
    return Answer(200, dump(body))


def envelope(upstream_id: str, exchange: Exchange) -> dict[str, Json]:
    message_id = upstream_id or exchange.fresh_id("msg_")
    return {"id": message_id, "type": "message", "role": "assistant", "model": exchange.request.model}


def stop(finish: FinishReason, detail: str | None, notes: Extensions, *, refused: bool) -> dict[str, Json]:
    """`refused`: the model said so in words, whatever its vendor calls the end."""
    if finish not in _REASONS:
        raise UpstreamFailed(f"The upstream ended its answer without completing it ({detail or finish}).")
    own = notes.get(NAME, {})
    reason = "refusal" if refused and finish == "stop" else _REASONS[finish]
    body: dict[str, Json] = {
        "stop_reason": own.get(REASON, reason),
        "stop_sequence": detail if finish == "stop_sequence" else None,
    }
    return body | {name: value for name, value in own.items() if not name.startswith("~")}


def usage(found: Usage | None, service_tier: str | None, exchange: Exchange) -> dict[str, Json]:
    known = found is not None and found.input_fresh is not None
    body = write_usage(found, 0 if known else estimate(exchange.request))
    if service_tier in _TIERS:
        body["service_tier"] = _TIERS[service_tier]
    return body
