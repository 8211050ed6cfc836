"""Exchanges for tests: what a client asked for, as this codec reads it."""

from typing import Any

import orjson

from aiproxy.codecs.capabilities import PERMISSIVE, Capabilities
from aiproxy.codecs.codec import Exchange, Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.openai_chat import CODEC
from aiproxy.codecs.report import Report
from aiproxy.framing import Frame
from aiproxy.neutral.events import StreamEvent
from aiproxy.neutral.request import GenerateRequest
from aiproxy.secrets import Secret

SEALER = Sealer(Secret("key"), "tenant")

ASKED: dict[str, Any] = {"model": "alias", "messages": [{"role": "user", "content": "hi"}]}


def request_of(body: Any, operation: str = "", report: Report | None = None) -> GenerateRequest:
    return CODEC.decode_request(Incoming(dump(body), operation=operation), SEALER, report or Report())


def exchange(
    asked: GenerateRequest | None = None,
    source: str = "openai-chat",
    can: Capabilities = PERMISSIVE,
    operation: str = "",
    **fields: Any,
) -> Exchange:
    """Of a plain question with these fields besides, unless a request is given."""
    body = {"model": "alias", "prompt": "hi"} if operation else ASKED
    request = asked or request_of({**body, **fields}, operation)
    return Exchange(request, SEALER, "req_1", source=source, now=1790000000, capabilities=can)


def written(exchanged: Exchange) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads(CODEC.encode_request(exchanged).body)
    return found


def decoded(payloads: list[bytes], exchanged: Exchange) -> list[StreamEvent]:
    decoder = CODEC.decoder(exchanged)
    events = [event for data in payloads for event in decoder.feed(Frame("", data))]
    return [*events, *decoder.close()]


def encoded(events: list[StreamEvent], exchanged: Exchange) -> bytes:
    encoder = CODEC.encoder(exchanged)
    return b"".join(encoder.feed(event) for event in events)
