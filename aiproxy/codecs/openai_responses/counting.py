"""The endpoint that counts a request's input tokens."""

from aiproxy.codecs.base import Answer
from aiproxy.codecs.codec import TokenCounting
from aiproxy.codecs.json_bytes import dump, load_object
from aiproxy.codecs.openai_responses.encode_request import encode_count
from aiproxy.neutral.errors import UpstreamFailed


def decode_count(body: bytes) -> int:
    count = load_object(body).get("input_tokens")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise UpstreamFailed("The upstream answered a token count without a number of tokens.")
    return count


def encode_counted(count: int) -> Answer:
    return Answer(200, dump({"object": "response.input_tokens", "input_tokens": count}))


COUNTING = TokenCounting(encode_count, decode_count, encode_counted)
