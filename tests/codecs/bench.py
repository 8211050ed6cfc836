"""What the tests of several codecs share: one codec's exchanges, its way through the wire, and an SDK without a network."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from aiproxy.codecs.base import Answer
from aiproxy.codecs.capabilities import PERMISSIVE, Capabilities
from aiproxy.codecs.codec import Codec, Exchange, Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.report import Report
from aiproxy.neutral.events import StreamEvent
from aiproxy.neutral.request import GenerateRequest
from aiproxy.secrets import Secret

SEALER = Sealer(Secret("key of the tests"), "tenant")

FOREIGN = "openai-chat"
"""The codec by which foreign requests came."""


@dataclass(frozen=True)
class Bench:
    codec: Codec
    model: str

    def exchange(
        self,
        request: GenerateRequest | None = None,
        *,
        source: str | None = None,
        can: Capabilities = PERMISSIVE,
        report: Report | None = None,
    ) -> Exchange:
        """Of a request that came by the codec itself, unless another `source` is named."""
        return Exchange(
            request or GenerateRequest(self.model),
            SEALER,
            "req_test",
            source=source or self.codec.name,
            now=1790000000,
            capabilities=can,
            report=report or Report(),
        )

    def decode(self, body: Mapping[str, Any], report: Report | None = None, **incoming: Any) -> GenerateRequest:
        return self.codec.decode_request(Incoming(dump(body), **incoming), SEALER, report or Report())

    def wire(self, events: Iterable[StreamEvent], request: GenerateRequest | None = None) -> bytes:
        encoder = self.codec.encoder(self.exchange(request))
        return b"".join(map(encoder.feed, events))

    def events_of(self, data: bytes, asked: Exchange | None = None) -> list[StreamEvent]:
        decoder, framer = self.codec.decoder(asked or self.exchange()), self.codec.wire.framer()
        events = [event for frame in framer.feed(data) for event in decoder.feed(frame)]
        events += [event for frame in framer.close() for event in decoder.feed(frame)]
        return [*events, *decoder.close()]


def answering(answer: Answer | bytes) -> httpx2.Client:
    """An SDK's HTTP client that gets this answer, whatever it asks; bytes are a stream of events."""
    if isinstance(answer, bytes):
        answer = Answer(200, answer, "text/event-stream")
    headers = {"content-type": answer.content_type, **answer.headers}

    def respond(_request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(answer.status, headers=headers, content=answer.body)

    return httpx2.Client(transport=httpx2.MockTransport(respond))
