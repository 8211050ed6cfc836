"""A whole Gemini answer as neutral: one neutral part for each of its parts."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.gemini.answers import (
    BLOCKED,
    HEAD,
    AnswerReader,
    block_reason,
    candidate_index,
    content_of,
    created,
    extensions_of,
    finish_of,
    head,
    hidden_error,
    usage_of,
)
from aiproxy.codecs.gemini.decoder import GeminiDecoder
from aiproxy.codecs.gemini.grounding import decode_citations
from aiproxy.codecs.gemini.logprobs import decode_logprobs, encode_logprobs
from aiproxy.codecs.gemini.names import NAME
from aiproxy.codecs.gemini.reading import objects, parse, without
from aiproxy.neutral.carried import Json
from aiproxy.neutral.collect import collect
from aiproxy.neutral.errors import UpstreamFailed, UpstreamTruncated
from aiproxy.neutral.events import StreamEvent
from aiproxy.neutral.parts import Part, TextPart, ToolCallPart
from aiproxy.neutral.response import Candidate, GenerateResponse


def decode_response(body: bytes, exchange: Exchange) -> GenerateResponse:
    try:
        return decode_answer(parse(body), exchange)
    except ValueError as error:
        raise UpstreamFailed(f"The upstream's answer can't be read: {error}.") from error
    except RecursionError as error:
        raise UpstreamFailed("The upstream's answer nests too deep.") from error


def decode_answer(found: Json, exchange: Exchange) -> GenerateResponse:
    """Of the parsed answer. A list is a stream's pieces in one array: some upstreams answer so."""
    if isinstance(found, list):
        return collect(_pieces(found, exchange))
    if not isinstance(found, dict):
        raise ValueError("it is not an object")
    if error := hidden_error(found):
        raise error
    response_id, model = head(found, exchange)
    counts = found.get("usageMetadata")
    usage, notes = usage_of(counts if isinstance(counts, dict) else {})
    reader = AnswerReader(exchange)
    candidates = [
        _candidate(item, reader, counts if isinstance(counts, dict) else {}, exchange)
        for item in objects(found.get("candidates"), "candidates")
    ]
    reason = block_reason(found)
    if not candidates and reason is None:
        raise UpstreamTruncated("The upstream's answer holds neither a candidate nor a reason why.")
    if not candidates:
        candidates = [Candidate(0, (), "content_filter", reason, extensions_of({BLOCKED: True}))]
    return GenerateResponse(
        response_id,
        model,
        created(found),
        tuple(sorted(candidates, key=lambda candidate: candidate.index)),
        usage,
        extensions=extensions_of({**without(found, *HEAD), **notes}),
    )


def _pieces(found: Sequence[Json], exchange: Exchange) -> list[StreamEvent]:
    decoder = GeminiDecoder(exchange)
    return [*(event for piece in found for event in decoder.answer(piece)), *decoder.close()]


def _candidate(
    found: Mapping[str, Json], reader: AnswerReader, counts: Mapping[str, Json], exchange: Exchange
) -> Candidate:
    items, content = content_of(found)
    parts = tuple(reader.read(item) for item in items)
    own = without(found, "content", "finishReason", "index", "logprobsResult")
    ended = finish_of(found.get("finishReason"), [part for part in parts if part != TextPart("")], counts)
    if ended is None:
        raise UpstreamTruncated("The upstream's answer has no finishReason: it broke off.")
    finish, detail, notes = ended
    if content:
        own["content"] = content
    if exchange.source != NAME:
        parts = _settled(parts)
    logprobs = decode_logprobs(found.get("logprobsResult"))
    place = next((place for place, part in enumerate(parts) if isinstance(part, TextPart) and part.text), None)
    if place is not None and isinstance(told := parts[place], TextPart):
        told = replace(told, citations=decode_citations(found, told.text), logprobs=logprobs)
        parts = (*parts[:place], told, *parts[place + 1 :])
    if "logprobsResult" in found and (
        place is None or logprobs is None or encode_logprobs(logprobs) != found["logprobsResult"]
    ):
        own["logprobsResult"] = found["logprobsResult"]
    return Candidate(candidate_index(found), parts, finish, detail, extensions_of({**own, **notes}))


def _settled(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Without texts that hold only state: it belongs to the call of this step, else to the text before it."""
    done: list[Part] = []
    for part in parts:
        if not isinstance(part, TextPart) or part.text:
            done.append(part)
            continue
        owners = [place for place, other in enumerate(done) if isinstance(other, ToolCallPart)]
        owners = owners[:1] or [place for place, other in enumerate(done) if isinstance(other, TextPart)][-1:]
        if part.opaque and owners and not done[owners[0]].opaque:
            done[owners[0]] = replace(done[owners[0]], opaque=part.opaque)
        elif part.opaque:
            done.append(part)
    return tuple(done)
