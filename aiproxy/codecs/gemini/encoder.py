"""A Gemini client's stream: every event an answer of its own, texts as deltas, calls whole.

    started   nothing: the head is in every piece
    deltas    a piece each
    finished  a call; a thought's state; what no delta brought; every other part
    the end   one piece with all finish reasons and the usage, since only then both are known

The frames are what Google's own SDKs can read, which are no general SSE parsers: one `data: ` line an event, no comments, no
`event:`, no `[DONE]`; an error is a bare JSON line. Source: google-genai 3.4 and @google/genai 1.30, the Gemini CLI."""

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.fields import restore
from aiproxy.codecs.gemini.answer_parts import answer_part, counts, finish_word, is_blocked, is_failure, state_part
from aiproxy.codecs.gemini.encode_response import FAILED
from aiproxy.codecs.gemini.errors import error_object
from aiproxy.codecs.gemini.grounding import encode_grounding
from aiproxy.codecs.gemini.logprobs import encode_logprobs
from aiproxy.codecs.gemini.names import NAME
from aiproxy.codecs.gemini.native_parts import own, shown
from aiproxy.codecs.json_bytes import dump
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import GatewayError, UpstreamFailed
from aiproxy.neutral.events import (
    AudioDelta,
    CandidateFinished,
    CitationAdded,
    Heartbeat,
    OpaqueStateSet,
    PartFinished,
    PartStarted,
    RawEvent,
    ReasoningDelta,
    RefusalDelta,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    TextDelta,
    ToolCallArgumentsDelta,
    UsageUpdated,
)
from aiproxy.neutral.parts import Part, ReasoningPart, RefusalPart, TextPart

_BEFORE_TEXT = b'{"candidates":[{"content":{"parts":[{"text":'
_AFTER_TEXT = b'}],"role":"model"},"index":%d}]'
_AFTER_THOUGHT = b',"thought":true}],"role":"model"},"index":%d}]'

BLANK = b"\r\n"
"""A sign of life: white space says nothing, in SSE as in a JSON array."""


class GeminiEncoder:
    """SSE. `ArrayEncoder` frames the same pieces as one JSON array."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._tail = b"}"
        self._sent: dict[tuple[int, int], list[str]] = {}
        self._sections: dict[tuple[int, int], tuple[str, int]] = {}
        self._cited: dict[int, list[tuple[int, TextPart]]] = {}
        self._ended: list[CandidateFinished] = []

    def feed(self, event: StreamEvent) -> bytes:
        match event:
            case TextDelta(index, fragment, candidate, logprobs) | RefusalDelta(index, fragment, candidate, logprobs):
                if not fragment:
                    return b""
                self._sent[candidate, index].append(fragment)
                if logprobs:
                    told = {"logprobsResult": encode_logprobs(logprobs)}
                    return self._piece(candidate, {"text": fragment}, told)
                return self._text(fragment, _AFTER_TEXT, candidate)
            case ReasoningDelta(index, fragment, candidate=candidate):
                return self._thought(event, (candidate, index), fragment)
            case PartStarted(index, _, candidate):
                self._sent[candidate, index] = []
                return b""
            case PartFinished(index, part, candidate):
                return self._finished(part, candidate, "".join(self._sent.pop((candidate, index), ())))
            case ResponseStarted(response_id):
                head = b',"modelVersion":%b,"responseId":%b}' % (dump(self._exchange.request.model), dump(response_id))
                self._tail = on_one_line(head)
                return b""
            case CandidateFinished():
                self._ended.append(event)
                return b""
            case ResponseFinished():
                return self._end(event)
            case Heartbeat():
                return BLANK
            case (
                ToolCallArgumentsDelta()
                | AudioDelta()
                | CitationAdded()
                | OpaqueStateSet()
                | UsageUpdated()
                | RawEvent()
            ):
                return b""  # they are in the finished part, or in the end

    def fail(self, error: GatewayError) -> bytes:
        """Both SDKs raise for a line like this; behind `data: ` one of them would take it for an empty piece."""
        return on_one_line(dump({"error": error_object(error, self._exchange.request_id)})) + b"\r\n\r\n"

    def _thought(self, event: ReasoningDelta, key: tuple[int, int], fragment: str) -> bytes:
        """Summaries are paragraphs of one thought."""
        section = (event.channel, event.section)
        if self._sections.setdefault(key, section) != section:
            self._sections[key] = section
            fragment = f"\n\n{fragment}"
        if not fragment:
            return b""
        self._sent[key].append(fragment)
        return self._text(fragment, _AFTER_THOUGHT, event.candidate)

    def _finished(self, part: Part, candidate: int, sent: str) -> bytes:
        match part:
            case TextPart(text=whole) | RefusalPart(text=whole):
                if isinstance(part, TextPart) and part.citations:
                    self._cited.setdefault(candidate, []).append((0, part))
                unseen = whole[len(sent) :] if whole.startswith(sent) else ""
                if not part.opaque:
                    return self._text(unseen, _AFTER_TEXT, candidate) if unseen else b""
                found = answer_part(TextPart(unseen, opaque=part.opaque), self._exchange)
            case ReasoningPart():
                whole = shown(part)
                unseen = whole[len(sent) :] if whole.startswith(sent) else ""
                thought = self._text(unseen, _AFTER_THOUGHT, candidate) if unseen else b""
                return thought + (self._piece(candidate, state_part(part, self._exchange)) if part.opaque else b"")
            case _:
                found = answer_part(part, self._exchange)
        return self._piece(candidate, found) if found is not None else b""

    def _end(self, event: ResponseFinished) -> bytes:
        if any(is_failure(ended.finish, ended.extensions) for ended in self._ended):
            return self.fail(UpstreamFailed(FAILED))
        found: dict[str, Json] = {}
        candidates = [self._last(ended) for ended in self._ended if not is_blocked(ended.extensions)]
        if candidates:
            found["candidates"] = candidates
        if usage := counts(event.usage, event.extensions):
            found["usageMetadata"] = usage
        restore(event.extensions, NAME, found)
        said = on_one_line(dump(found))[:-1]
        return self._framed(said + (self._tail if found else self._tail[1:])) + self._closing()

    def _last(self, ended: CandidateFinished) -> dict[str, Json]:
        """With an empty text, as Google's last piece has it: chat sessions of its SDK forget a turn with a part-less piece."""
        found: dict[str, Json] = {
            "content": {"parts": [{"text": ""}], "role": "model"},
            "finishReason": finish_word(ended.finish, ended.detail, ended.extensions),
            "index": ended.candidate,
        }
        carried = own(ended.extensions)
        if "groundingMetadata" not in carried and "citationMetadata" not in carried:
            grounding = encode_grounding(self._cited.get(ended.candidate, ()))
            found |= {"groundingMetadata": grounding} if grounding else {}
        restore(ended.extensions, NAME, found)
        return found

    def _text(self, fragment: str, after: bytes, candidate: int) -> bytes:
        said = dump(fragment)
        return self._framed(
            b"%b%b%b%b"
            % (_BEFORE_TEXT, said if fragment.isascii() else on_one_line(said), after % candidate, self._tail)
        )

    def _piece(self, candidate: int, part: dict[str, Json], told: dict[str, Json] | None = None) -> bytes:
        found = {"content": {"parts": [part], "role": "model"}, "index": candidate, **(told or {})}
        return self._framed(b'{"candidates":[%b]%b' % (on_one_line(dump(found)), self._tail))

    def _framed(self, piece: bytes) -> bytes:
        return b"data: %b\r\n\r\n" % piece

    def _closing(self) -> bytes:
        return b""


class ArrayEncoder(GeminiEncoder):
    """`streamGenerateContent` without `alt=sse`: one JSON array of the same pieces, closed after an error too."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self._begun = False

    def fail(self, error: GatewayError) -> bytes:
        return self._framed(dump({"error": error_object(error, self._exchange.request_id)})) + self._closing()

    def _framed(self, piece: bytes) -> bytes:
        before = b",\r\n" if self._begun else b"["
        self._begun = True
        return before + piece

    def _closing(self) -> bytes:
        return b"]"


def on_one_line(piece: bytes) -> bytes:
    """Three characters that JSON may hold bare, and at which the Python SDK cuts lines."""
    for raw, escaped in _LINE_ENDS:
        if raw in piece:
            piece = piece.replace(raw, escaped)
    return piece


_LINE_ENDS = (("\u2028".encode(), b"\\u2028"), ("\u2029".encode(), b"\\u2029"), ("\x85".encode(), b"\\u0085"))
