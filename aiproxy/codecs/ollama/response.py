"""Whole answers, both ways."""

from aiproxy.codecs.base import Answer
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.fields import restore
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.ollama.answers import (
    call_shown,
    done_fields,
    failure,
    hides_thinking,
    lost,
    said,
    thinking_shown,
)
from aiproxy.codecs.ollama.decoder import OllamaDecoder
from aiproxy.codecs.ollama.encode_request import is_generate
from aiproxy.codecs.ollama.errors import encode_error
from aiproxy.codecs.ollama.logprobs import write_logprobs
from aiproxy.codecs.ollama.media import write_media
from aiproxy.codecs.ollama.notes import CREATED_AT, note
from aiproxy.codecs.ollama.reading import load
from aiproxy.codecs.ollama.table import NAME
from aiproxy.codecs.ollama.times import durations, timestamp
from aiproxy.framing import Frame
from aiproxy.framing.ndjson import NdjsonFramer
from aiproxy.neutral.carried import Json
from aiproxy.neutral.collect import Collector
from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.neutral.parts import ImagePart, ReasoningPart, RefusalPart, TextPart, TokenLogprob, ToolCallPart
from aiproxy.neutral.response import Candidate, GenerateResponse


def decode_response(body: bytes, exchange: Exchange) -> GenerateResponse:
    """One line, or all lines of a stream nobody asked for."""
    decoder, collector = OllamaDecoder(exchange), Collector()
    for frame in _frames(body):
        for event in decoder.feed(frame):
            collector.feed(event)
    decoder.close()
    return collector.response


def encode_response(response: GenerateResponse, exchange: Exchange) -> Answer:
    candidate = next(iter(response.candidates), Candidate())
    if len(response.candidates) > 1:
        exchange.report.lose("sampling.n")
    message, logprobs = _message(candidate, exchange)
    if error := failure(candidate.finish, silent=message == {"content": ""}):
        return encode_error(error, exchange.request_id)
    created = note(response.extensions, CREATED_AT) or timestamp(response.created or exchange.now)
    generate = is_generate(exchange.request)
    body: dict[str, Json] = {
        "model": exchange.request.model,
        "created_at": created,
        **said(message, generate=generate),
        **done_fields(candidate.finish, candidate.extensions, response.usage),
    }
    if logprobs:
        body["logprobs"] = write_logprobs(logprobs)
    restore(candidate.extensions, NAME, body)
    restore(response.extensions, NAME, body)
    return Answer(200, dump({**body, **durations(response.timing), **body}), "application/json; charset=utf-8")


def _frames(body: bytes) -> list[Frame]:
    try:
        load(body)
    except ValueError:
        framer = NdjsonFramer()
        frames = [*framer.feed(body), *framer.close()]
        if not frames:
            raise UpstreamFailed("The upstream's answer is empty.") from None
        return frames
    return [Frame("", body)]


def _message(candidate: Candidate, exchange: Exchange) -> tuple[dict[str, Json], list[TokenLogprob]]:
    message: dict[str, Json] = {}
    content: list[str] = []
    thinking: list[str] = []
    calls: list[dict[str, Json]] = []
    logprobs: list[TokenLogprob] = []
    for part in candidate.parts:
        match part:
            case TextPart() | RefusalPart():
                content.append(part.text)
                logprobs += part.logprobs or ()
            case ReasoningPart():
                thinking.append(thinking_shown(part))
            case ToolCallPart():
                if (call := call_shown(part, len(calls), exchange.report)) is not None:
                    calls.append(call)
            case ImagePart() if is_generate(exchange.request) and (image := write_media(part)):
                message["image"] = image
            case _:
                lost(part, exchange.report)
    message["content"] = "".join(content)
    if (thought := "".join(thinking)) and not hides_thinking(exchange.request):
        message["thinking"] = thought
    if calls:
        message["tool_calls"] = calls
    return message, logprobs
