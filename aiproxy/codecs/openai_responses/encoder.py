"""A client's stream: the writer's events, numbered and framed."""

from aiproxy.codecs.base import Answer
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.openai_responses.compaction import compaction_answer, is_compact_call
from aiproxy.codecs.openai_responses.open_items import Event
from aiproxy.codecs.openai_responses.table import NAME
from aiproxy.codecs.openai_responses.writer import ResponseWriter
from aiproxy.neutral.collect import explode
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.events import Heartbeat, StreamEvent, TextDelta
from aiproxy.neutral.response import GenerateResponse

KEEP_ALIVE = b": keep-alive\n\n"


class ResponsesEncoder:
    def __init__(self, exchange: Exchange) -> None:
        self._writer = ResponseWriter(exchange)
        self._number = 0

    def feed(self, event: StreamEvent) -> bytes:
        if type(event) is TextDelta and (message := self._writer.growing_text(event)):
            self._number += 1
            return message.longer(event.fragment, self._number - 1)
        if isinstance(event, Heartbeat):
            return KEEP_ALIVE
        return b"".join(map(self._frame, self._writer.feed(event)))

    def fail(self, error: GatewayError) -> bytes:
        return b"".join(map(self._frame, self._writer.fail(error)))

    def _frame(self, event: Event) -> bytes:
        event["sequence_number"] = self._number
        self._number += 1
        return b"event: %b\ndata: %b\n\n" % (event["type"].encode(), dump(event))


def encode_response(response: GenerateResponse, exchange: Exchange) -> Answer:
    writer = ResponseWriter(exchange)
    for event in explode(response):
        writer.feed(event)
    body = writer.response
    if is_compact_call(exchange.request) and NAME not in response.extensions:
        body = compaction_answer(body, exchange)
    return Answer(200, dump(body))
