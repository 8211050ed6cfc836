"""One call as a line of the prompt log: what was asked, as it came, and what was answered, in words. Pure."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from aiproxy.codecs.codec import Codec, Exchange, Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.report import Report
from aiproxy.framing import Frame
from aiproxy.neutral.collect import collect
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.events import StreamEvent
from aiproxy.neutral.order import OutOfOrder
from aiproxy.neutral.parts import ReasoningPart, RefusalPart, TextPart, ToolCallPart
from aiproxy.neutral.response import GenerateResponse
from aiproxy.secrets import Secret

LONGEST_UNREAD = 65_536
"""Characters of an answer that is kept as it came, because nobody could read it."""

SHORTEST_MEDIA = 512
"""Characters. A shorter run of base64 is an id or a signature, and no picture."""

_MEDIA = re.compile(rf"(?:data:[\w/+.;=-]+,)?[A-Za-z0-9+/_-]{{{SHORTEST_MEDIA},}}={{0,2}}")

_NO_SEAL = Sealer(Secret("the prompt log opens no seal"))


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a call that has ended. `at` is seconds since the epoch; `codec` is None for what is never translated; `whole`
    says that all of the answer is here."""

    at: float
    request_id: str
    client: str
    protocol: str
    operation: str
    model: str
    outcome: str
    error: str
    codec: Codec | None
    incoming: Incoming
    streamed: bool
    answer: bytes
    whole: bool


def line(told: Told, scrub: Callable[[str], str], *, media: bool) -> str:
    """With its line end. `media` says that pictures and the like stay in it."""
    entry: dict[str, Any] = {
        "at": told.at,
        "request_id": told.request_id,
        "client": told.client,
        "protocol": told.protocol,
        "operation": told.operation,
        "model": told.model,
        "outcome": told.outcome,
        "error": told.error,
        "streamed": told.streamed,
        "request": _json(told.incoming.body),
        "answer": _answer(told),
    }
    return orjson.dumps(_clean(entry, scrub, media=media), default=str).decode() + "\n"


def _json(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return body.decode("utf-8", "replace")


def _answer(told: Told) -> Mapping[str, Any] | None:
    if not told.answer:
        return None
    response = _read(told)
    if response is None:
        return {"unread": told.answer.decode("utf-8", "replace")[:LONGEST_UNREAD], "whole": told.whole}
    parts = response.candidates[0].parts if response.candidates else ()
    texts = [part.text for part in parts if isinstance(part, TextPart | RefusalPart)]
    thoughts = [part.text for part in parts if isinstance(part, ReasoningPart) and part.text]
    calls = [
        {"id": part.call_id, "name": part.name, "arguments": part.arguments_text}
        for part in parts
        if isinstance(part, ToolCallPart)
    ]
    answer: dict[str, Any] = {"text": "".join(texts), "whole": told.whole}
    if thoughts:
        answer["reasoning"] = "\n".join(thoughts)
    if calls:
        answer["tool_calls"] = calls
    return answer


def _read(told: Told) -> GenerateResponse | None:
    """By the client's own codec, which reads answers of its protocol, too. None for what it can't."""
    if told.codec is None:
        return None
    try:
        request = told.codec.decode_request(told.incoming, _NO_SEAL, Report())
        exchange = Exchange(request, _NO_SEAL, told.request_id)
        if told.streamed:
            return collect(_events(told.codec, exchange, told.answer))
        return told.codec.decode_response(told.answer, exchange)
    except (GatewayError, OutOfOrder, ValueError):
        return None


def _events(codec: Codec, exchange: Exchange, answer: bytes) -> Iterable[StreamEvent]:
    """Of a stream that may end anywhere: what came is told."""
    framer, decoder = codec.wire.framer(), codec.decoder(exchange)
    try:
        for frame in _frames(framer.feed(answer), framer.close):
            yield from decoder.feed(frame)
        yield from decoder.close()
    except GatewayError:
        return


def _frames(first: Iterable[Frame], rest: Callable[[], Iterable[Frame]]) -> Iterable[Frame]:
    yield from first
    yield from rest()


def _clean(value: Any, scrub: Callable[[str], str], *, media: bool) -> Any:
    match value:
        case str():
            if not media and len(value) >= SHORTEST_MEDIA:
                value = _MEDIA.sub(lambda found: f"[media: {len(found[0])} characters]", value)
            return scrub(value)
        case list():
            return [_clean(item, scrub, media=media) for item in value]
        case dict():
            return {scrub(str(key)): _clean(item, scrub, media=media) for key, item in value.items()}
    return value
