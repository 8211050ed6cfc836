"""The endpoint that counts a request's tokens. Source: Anthropic API reference, count tokens."""

from aiproxy.codecs.anthropic_messages.encode_request import headers, request_body
from aiproxy.codecs.anthropic_messages.errors import hidden
from aiproxy.codecs.base import Answer
from aiproxy.codecs.codec import Exchange, Outgoing, TokenCounting
from aiproxy.codecs.json_bytes import dump, load_object
from aiproxy.neutral.errors import UpstreamFailed

_COUNTED = frozenset(
    {
        "model",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "output_format",
        "cache_control",
        "speed",
        "context_management",
        "mcp_servers",
    }
)
"""The fields of a message request that change its count; the endpoint refuses the others."""


def encode_count(exchange: Exchange) -> Outgoing:
    body = {name: value for name, value in request_body(exchange).items() if name in _COUNTED}
    return Outgoing(dump(body), headers(exchange.request, body))


def decode_count(body: bytes) -> int:
    found = load_object(body)
    if found.get("error") is not None:
        raise hidden(found, body)
    count = found.get("input_tokens")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise UpstreamFailed("The upstream's answer to a token count holds no number of tokens.")
    return count


def answer_count(count: int) -> Answer:
    return Answer(200, dump({"input_tokens": count}))


COUNTING = TokenCounting(encode_count, decode_count, answer_count)
