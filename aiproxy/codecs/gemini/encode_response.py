"""A whole answer for a Gemini client."""

from collections.abc import Mapping

from aiproxy.codecs.base import Answer
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.fields import restore
from aiproxy.codecs.gemini.answer_parts import answer_part, counts, finish_word, is_blocked, is_failure
from aiproxy.codecs.gemini.errors import encode_error
from aiproxy.codecs.gemini.grounding import encode_grounding
from aiproxy.codecs.gemini.logprobs import encode_logprobs
from aiproxy.codecs.gemini.names import NAME
from aiproxy.codecs.gemini.native_parts import own
from aiproxy.codecs.json_bytes import dump
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.neutral.parts import RefusalPart, TextPart
from aiproxy.neutral.response import Candidate, GenerateResponse

FAILED = "The model ended its answer with an error."


def encode_response(response: GenerateResponse, exchange: Exchange) -> Answer:
    if any(is_failure(candidate.finish, candidate.extensions) for candidate in response.candidates):
        return encode_error(UpstreamFailed(FAILED), exchange.request_id)
    return Answer(200, dump(answer_object(response, exchange)))


def answer_object(response: GenerateResponse, exchange: Exchange) -> dict[str, Json]:
    """The answer, before it is bytes: an envelope puts it into another one."""
    found: dict[str, Json] = {}
    shown = [candidate for candidate in response.candidates if not is_blocked(candidate.extensions)]
    if shown:
        found["candidates"] = [_candidate(candidate, exchange) for candidate in shown]
    if usage := counts(response.usage, response.extensions):
        found["usageMetadata"] = usage
    found |= {"modelVersion": exchange.request.model, "responseId": response.id}
    restore(response.extensions, NAME, found)
    return found


def _candidate(candidate: Candidate, exchange: Exchange) -> dict[str, Json]:
    parts = [found for found in (answer_part(part, exchange) for part in candidate.parts) if found is not None]
    found: dict[str, Json] = {
        "finishReason": finish_word(candidate.finish, candidate.finish_detail, candidate.extensions),
        "index": candidate.index,
    }
    if parts:
        found = {"content": {"parts": parts, "role": "model"}, **found}
    carried = own(candidate.extensions)
    found |= _told(candidate, carried)
    restore(candidate.extensions, NAME, found)
    return found


def _told(candidate: Candidate, carried: Mapping[str, Json]) -> dict[str, Json]:
    """What the texts know besides themselves, and Gemini tells of the candidate."""
    found: dict[str, Json] = {}
    if "groundingMetadata" not in carried and "citationMetadata" not in carried:
        texts = [(place, part) for place, part in enumerate(candidate.parts) if isinstance(part, TextPart)]
        if grounding := encode_grounding(texts):
            found["groundingMetadata"] = grounding
    tokens = [
        token
        for part in candidate.parts
        if isinstance(part, TextPart | RefusalPart) and part.logprobs
        for token in part.logprobs
    ]
    if tokens and "logprobsResult" not in carried:
        found["logprobsResult"] = encode_logprobs(tokens)
    return found
