"""Requests, answers and streams through the codec, in one call each."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from aiproxy.codecs.codec import Exchange, Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.ollama import CODEC
from aiproxy.codecs.report import Report
from aiproxy.framing.ndjson import NdjsonFramer
from aiproxy.neutral.events import StreamEvent
from aiproxy.neutral.request import GenerateRequest
from aiproxy.secrets import Secret

SEALER = Sealer(Secret("a key for tests"), "tenant")

GENERATE: Mapping[str, Mapping[str, Any]] = {"ollama": {"~operation": "generate"}}
"""The extensions of a request that came to `/api/generate`."""


def decode(body: Any, operation: str = "chat", report: Report | None = None) -> GenerateRequest:
    data = body if isinstance(body, bytes) else dump(body)
    return CODEC.decode_request(Incoming(data, operation=operation), SEALER, report or Report())


def exchange(
    request: GenerateRequest | None = None, source: str = "ollama", report: Report | None = None, **more: Any
) -> Exchange:
    return Exchange(
        request or GenerateRequest("m"), SEALER, "req", source=source, now=1790000000, report=report or Report(), **more
    )


def encode(request: GenerateRequest, source: str = "ollama", report: Report | None = None, **more: Any) -> Any:
    return orjson.loads(CODEC.encode_request(exchange(request, source, report, **more)).body)


def ndjson(*lines: Any) -> bytes:
    return b"".join(dump(line) + b"\n" for line in lines)


def events_of(data: bytes, asked: Exchange | None = None) -> list[StreamEvent]:
    framer, decoder = NdjsonFramer(), CODEC.decoder(asked or exchange())
    events = [event for frame in (*framer.feed(data), *framer.close()) for event in decoder.feed(frame)]
    return [*events, *decoder.close()]


def wire(events: Iterable[StreamEvent], asked: Exchange | None = None) -> bytes:
    encoder = CODEC.encoder(asked or exchange())
    return b"".join(map(encoder.feed, events))
