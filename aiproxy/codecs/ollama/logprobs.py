"""Log probabilities on the wire: a list beside the message, on the line of the token."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiproxy.neutral.carried import Json
from aiproxy.neutral.parts import TokenLogprob


def read_logprobs(found: Json) -> tuple[TokenLogprob, ...]:
    """What isn't one is passed over: nobody's answer hangs on it."""
    if not isinstance(found, list):
        return ()
    return tuple(_read(entry) for entry in found if _is_one(entry))


def _is_one(entry: Json) -> bool:
    return (
        isinstance(entry, dict) and isinstance(entry.get("token"), str) and type(entry.get("logprob")) in (int, float)
    )


def _read(entry: Mapping[str, Any]) -> TokenLogprob:
    said = entry.get("bytes")
    exact = tuple(said) if isinstance(said, list) and all(type(byte) is int for byte in said) else None
    return TokenLogprob(entry["token"], entry["logprob"], exact, read_logprobs(entry.get("top_logprobs")))


def write_logprobs(logprobs: Iterable[TokenLogprob]) -> list[dict[str, Json]]:
    return [_write(entry) for entry in logprobs]


def _write(entry: TokenLogprob) -> dict[str, Json]:
    written: dict[str, Json] = {"token": entry.token, "logprob": entry.logprob}
    if entry.token_bytes is not None:
        written["bytes"] = list(entry.token_bytes)
    if entry.top:
        written["top_logprobs"] = write_logprobs(entry.top)
    return written
