"""Log probabilities of tokens, both ways: chat's list of objects, and the four parallel lists of legacy completions."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiproxy.neutral.carried import Json
from aiproxy.neutral.parts import TokenLogprob


def read_logprobs(found: Any) -> tuple[TokenLogprob, ...] | None:
    """None for what isn't a list of tokens."""
    if not isinstance(found, list):
        return None
    return tuple(_read(token) for token in found if _is_token(token))


def write_logprobs(tokens: Iterable[TokenLogprob]) -> list[Json]:
    return [{**_write(token), "top_logprobs": [_write(other) for other in token.top]} for token in tokens]


def read_legacy(found: Any) -> tuple[TokenLogprob, ...] | None:
    if not isinstance(found, Mapping):
        return None
    tokens, numbers = found.get("tokens"), found.get("token_logprobs")
    if not isinstance(tokens, list) or not isinstance(numbers, list):
        return None
    tops = found.get("top_logprobs")
    tops = tops if isinstance(tops, list) and len(tops) == len(tokens) else [None] * len(tokens)
    return tuple(
        TokenLogprob(token, float(number), None, _tops(top))
        for token, number, top in zip(tokens, numbers, tops, strict=False)
        if isinstance(token, str) and _is_number(number)
    )


def write_legacy(tokens: Iterable[TokenLogprob], offset: int = 0) -> dict[str, Json]:
    """`offset` is where the first token stands in the whole text."""
    listed = tuple(tokens)
    offsets = []
    for token in listed:
        offsets.append(offset)
        offset += len(token.token)
    return {
        "tokens": [token.token for token in listed],
        "token_logprobs": [token.logprob for token in listed],
        "top_logprobs": [{other.token: other.logprob for other in token.top} for token in listed],
        "text_offset": offsets,
    }


def _read(token: Mapping[str, Any]) -> TokenLogprob:
    listed = token.get("bytes")
    is_bytes = isinstance(listed, list) and all(isinstance(byte, int) for byte in listed)
    top = token.get("top_logprobs")
    others = tuple(_read(other) for other in top if _is_token(other)) if isinstance(top, list) else ()
    return TokenLogprob(token["token"], token["logprob"], tuple(listed or ()) if is_bytes else None, others)


def _write(token: TokenLogprob) -> dict[str, Json]:
    listed = None if token.token_bytes is None else list(token.token_bytes)
    return {"token": token.token, "bytes": listed, "logprob": token.logprob}


def _tops(top: Any) -> tuple[TokenLogprob, ...]:
    if not isinstance(top, Mapping):
        return ()
    return tuple(TokenLogprob(token, float(number)) for token, number in top.items() if _is_number(number))


def _is_token(token: Any) -> bool:
    return isinstance(token, Mapping) and isinstance(token.get("token"), str) and _is_number(token.get("logprob"))


def _is_number(number: Any) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool)
