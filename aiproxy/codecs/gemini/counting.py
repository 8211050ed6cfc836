"""countTokens. Source: Gemini API reference, countTokens."""

import orjson

from aiproxy.codecs.base import Answer
from aiproxy.codecs.codec import Exchange, Outgoing, TokenCounting
from aiproxy.codecs.failures import error_of
from aiproxy.codecs.gemini.encode_request import request_object
from aiproxy.codecs.json_bytes import dump
from aiproxy.neutral.errors import UpstreamFailed


def encode_count_request(exchange: Exchange) -> Outgoing:
    """Bare contents where there is nothing else, or a whole request that names its model."""
    body = request_object(exchange)
    if body.keys() <= {"contents"}:
        return Outgoing(dump(body))
    model = exchange.request.model
    named = model if "/" in model else f"models/{model}"
    return Outgoing(dump({"generateContentRequest": {**body, "model": named}}))


def decode_count(body: bytes) -> int:
    try:
        found = orjson.loads(body)
    except ValueError as error:
        raise UpstreamFailed("The upstream's token count is not JSON.") from error
    if isinstance(found, dict) and found.get("error") is not None:
        raise error_of(200, {}, body)
    count = found.get("totalTokens", 0) if isinstance(found, dict) else None  # zeros are left out
    if isinstance(count, bool) or not isinstance(count, int) or count < 0:
        raise UpstreamFailed("The upstream's token count is not a number.")
    return count


def encode_count(count: int) -> Answer:
    return Answer(200, orjson.dumps({"totalTokens": count}))


COUNTING = TokenCounting(encode_count_request, decode_count, encode_count)
