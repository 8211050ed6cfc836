"""`logprobsResult`. Token ids are Google's own and stay behind. Source: Gemini API reference, LogprobsResult."""

from collections.abc import Mapping, Sequence

from aiproxy.neutral.carried import Json
from aiproxy.neutral.parts import TokenLogprob


def decode_logprobs(result: Json) -> tuple[TokenLogprob, ...] | None:
    if not isinstance(result, dict):
        return None
    chosen, top = result.get("chosenCandidates"), result.get("topCandidates")
    tops = (
        [_tokens(item.get("candidates")) if isinstance(item, dict) else () for item in top or ()]
        if isinstance(top, list)
        else []
    )
    found = _tokens(chosen)
    if not found:
        return None
    tops += [()] * (len(found) - len(tops))
    return tuple(
        TokenLogprob(token.token, token.logprob, top=others) for token, others in zip(found, tops, strict=False)
    )


def encode_logprobs(tokens: Sequence[TokenLogprob]) -> dict[str, Json]:
    found: dict[str, Json] = {"chosenCandidates": [_token(token) for token in tokens]}
    if any(token.top for token in tokens):
        found["topCandidates"] = [{"candidates": [_token(other) for other in token.top]} for token in tokens]
    return found


def _tokens(items: Json) -> tuple[TokenLogprob, ...]:
    if not isinstance(items, list):
        return ()
    return tuple(_read(item) for item in items if isinstance(item, dict))


def _read(item: Mapping[str, Json]) -> TokenLogprob:
    """A probability of one is a logarithm of zero, and zeros are left out."""
    token, logprob = item.get("token", ""), item.get("logProbability", 0.0)
    number = isinstance(logprob, int | float) and not isinstance(logprob, bool)
    return TokenLogprob(token if isinstance(token, str) else "", logprob if number else 0.0)


def _token(token: TokenLogprob) -> dict[str, Json]:
    return {"token": token.token, "logProbability": token.logprob}
