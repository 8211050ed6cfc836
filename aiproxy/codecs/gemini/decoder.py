"""A Gemini upstream's stream as events. Every piece is an answer of its own; texts are deltas, calls come whole.

    text, thought   continue the open part of their kind, until a signature or another kind closes it
    functionCall    starts at once; it stays open until the next part, since its signature may come after it in an empty text
    finishReason    may come early, or in every piece: what counts is the last one, when the bytes have ended

So the stream's end is `close`, which also knows the last usage."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from msgspec import UNSET

from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.gemini.answers import (
    BLOCKED,
    HEAD,
    AnswerReader,
    block_reason,
    candidate_index,
    content_of,
    created,
    extensions_of,
    finish_of,
    head,
    hidden_error,
    usage_of,
)
from aiproxy.codecs.gemini.continuation import Continuation, continuation
from aiproxy.codecs.gemini.grounding import decode_citations
from aiproxy.codecs.gemini.growing import GrowingCandidate, OpenPart
from aiproxy.codecs.gemini.logprobs import decode_logprobs
from aiproxy.codecs.gemini.reading import objects, parse, without
from aiproxy.codecs.gemini.usage import decode_usage
from aiproxy.framing import Frame
from aiproxy.framing.sse import COMMENT
from aiproxy.neutral.carried import Json, OpaqueState
from aiproxy.neutral.collect import opening
from aiproxy.neutral.errors import UpstreamFailed, UpstreamTruncated
from aiproxy.neutral.events import (
    CandidateFinished,
    CitationAdded,
    Heartbeat,
    OpaqueStateSet,
    PartFinished,
    PartStarted,
    ReasoningDelta,
    ResponseFinished,
    ResponseStarted,
    StreamEvent,
    TextDelta,
    ToolCallArgumentsDelta,
    UsageUpdated,
)
from aiproxy.neutral.parts import Part, ReasoningPart, TextPart, TokenLogprob, ToolCallPart

_HEAD = frozenset(HEAD)


class GeminiDecoder:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._reader = AnswerReader(exchange)
        self._started = False
        self._closed = False
        self._candidates: dict[int, GrowingCandidate] = {}
        self._counts: dict[str, Json] = {}
        self._own: dict[str, Json] = {}

    def feed(self, frame: Frame) -> Iterable[StreamEvent]:
        if frame.event == COMMENT:
            return (Heartbeat(),)
        if not frame.data or frame.data == b"[DONE]":
            return ()
        more = continuation(frame.data)
        if more is not None and (delta := self._continued(more)) is not None:
            return (delta,)
        try:
            found = parse(frame.data)
        except ValueError as error:
            raise UpstreamFailed("The upstream sent something that is not JSON in the middle of its stream.") from error
        return self._pieces(found)

    def _pieces(self, found: Json) -> Iterator[StreamEvent]:
        for piece in found if isinstance(found, list) else (found,):
            yield from self.answer(piece)

    def answer(self, found: Json) -> Iterator[StreamEvent]:
        """One piece, parsed."""
        if self._closed:
            raise UpstreamFailed("The upstream's stream goes on after its end.")
        try:
            yield from self._answer(found)
        except ValueError as error:
            raise UpstreamFailed(f"A piece of the upstream's stream can't be read: {error}.") from error
        except RecursionError as error:
            raise UpstreamFailed("A piece of the upstream's stream nests too deep.") from error

    def close(self, *, clean: bool = True) -> Iterator[StreamEvent]:
        if self._closed:
            return
        self._closed = True
        if not clean:
            yield from self._usage_so_far()
            raise UpstreamTruncated("The upstream's stream broke off.")
        if not self._candidates and (reason := block_reason(self._own)) is not None:
            yield CandidateFinished("content_filter", reason, 0, extensions_of({BLOCKED: True}))
        elif not self._candidates:
            yield from self._usage_so_far()
            raise UpstreamTruncated("The upstream's stream ended before it said anything.")
        for candidate in self._candidates.values():
            yield from self._end(candidate)
        usage, notes = usage_of(self._counts)
        yield ResponseFinished(usage, extensions=extensions_of({**self._own, **notes}))

    def _continued(self, more: Continuation) -> StreamEvent | None:
        (candidate,) = more.candidates
        (part,) = candidate.content.parts
        state = self._candidates.get(candidate.index)
        now = state.open if state is not None else None
        if now is None or now.sealed or not part.text or self._closed:
            return None
        delta: StreamEvent
        if part.thought is UNSET and type(now.part) is TextPart:
            delta = TextDelta(now.index, part.text, candidate.index)
        elif part.thought is True and type(now.part) is ReasoningPart:
            delta = ReasoningDelta(now.index, part.text, "summary", 0, candidate.index)
        else:
            return None
        if more.usageMetadata is not UNSET:
            self._counts.update(more.usageMetadata)
        now.fragments.append(part.text)
        return delta

    def _answer(self, found: Json) -> Iterator[StreamEvent]:
        if not isinstance(found, dict):
            raise ValueError("it is not an object")
        if error := hidden_error(found):
            yield from self._usage_so_far()
            raise error
        counts = found.get("usageMetadata")
        if isinstance(counts, dict):
            self._counts.update(counts)
        if not self._started:
            self._started = True
            yield ResponseStarted(*head(found, self._exchange), created(found), decode_usage(self._counts))
        if found.keys() - _HEAD:
            self._own.update(without(found, *HEAD))
        for candidate in objects(found.get("candidates"), "candidates"):
            yield from self._candidate(candidate)

    def _candidate(self, found: Mapping[str, Json]) -> Iterator[StreamEvent]:
        index = candidate_index(found)
        state = self._candidates.get(index)
        if state is None:
            state = self._candidates[index] = GrowingCandidate(index)
        parts, content = content_of(found)
        tokens = decode_logprobs(found["logprobsResult"]) if "logprobsResult" in found else None
        for part in parts:
            yield from self._part(state, part, tokens)
            tokens = None
        if len(found) > 1 or content:
            self._remember(state, found, content)

    @staticmethod
    def _remember(state: GrowingCandidate, found: Mapping[str, Json], content: Mapping[str, Json]) -> None:
        state.word = found.get("finishReason") or state.word
        state.own.update(without(found, "content", "finishReason", "index", "logprobsResult"))
        if rest := without(content, "role", "parts"):
            state.own["content"] = rest

    def _part(
        self, state: GrowingCandidate, found: Mapping[str, Json], tokens: tuple[TokenLogprob, ...] | None
    ) -> Iterator[StreamEvent]:
        said = found.get("text")
        if type(said) is str and len(found) == 1:
            yield from self._grow(state, TextPart, said, None, tokens)
            return
        part = self._reader.read(found)
        match part:
            case TextPart(text=said) | ReasoningPart(summaries=(said,)) if not part.extensions:
                yield from self._grow(state, type(part), said, part, tokens)
            case ReasoningPart(text="", summaries=()) if not part.extensions:
                yield from self._grow(state, ReasoningPart, "", part, tokens)
            case ToolCallPart():
                yield from self._call(state, part)
            case _:
                yield from self._start(state, part)
                yield PartFinished(state.count - 1, part, state.index)
                state.open = None

    def _grow(
        self,
        state: GrowingCandidate,
        kind: type[TextPart | ReasoningPart],
        said: str,
        part: Part | None,
        tokens: tuple[TokenLogprob, ...] | None,
    ) -> Iterator[StreamEvent]:
        now = state.open
        states = part.opaque if part else ()
        if not said:
            if states:
                yield from self._set_state(state, kind, states)
            return
        if now is None or type(now.part) is not kind or now.sealed:
            yield from self._start(state, kind())
            now = state.open
            assert now is not None
        now.fragments.append(said)
        if kind is TextPart:
            if tokens:
                now.logprobs += tokens
            yield TextDelta(now.index, said, state.index, tokens)
        else:
            yield ReasoningDelta(now.index, said, "summary", 0, state.index)
        if states:
            yield from self._set_state(state, kind, states)

    def _set_state(
        self, state: GrowingCandidate, kind: type[TextPart | ReasoningPart], states: tuple[OpaqueState, ...]
    ) -> Iterator[StreamEvent]:
        """To the open part of its kind, or to the open call when it came in an empty text; else to an empty part of its own."""
        now = state.open
        fits = now is not None and not now.part.opaque
        if fits and now is not None and isinstance(now.part, ToolCallPart):
            fits = kind is TextPart and not state.signed
            state.signed = True
        elif now is not None:
            fits = fits and type(now.part) is kind
        if not fits:
            yield from self._start(state, kind())
            now = state.open
        assert now is not None
        now.part = replace(now.part, opaque=states)
        now.sealed = True
        for held in states:
            yield OpaqueStateSet(now.index, held, state.index)

    def _start(self, state: GrowingCandidate, part: Part) -> Iterator[StreamEvent]:
        yield from self._finish_open(state)
        state.open = OpenPart(state.count, part)
        state.kinds.append(part)
        yield PartStarted(state.count, opening(part), state.index)
        state.count += 1

    def _call(self, state: GrowingCandidate, part: ToolCallPart) -> Iterator[StreamEvent]:
        yield from self._start(state, part)
        if part.arguments_text:
            yield ToolCallArgumentsDelta(state.count - 1, part.arguments_text, state.index)
        for held in part.opaque:
            yield OpaqueStateSet(state.count - 1, held, state.index)
        state.signed = state.signed or bool(part.opaque)

    def _finish_open(self, state: GrowingCandidate) -> Iterator[StreamEvent]:
        if state.open is not None:
            now, state.open = state.open, None
            yield PartFinished(now.index, now.whole(), state.index)

    def _end(self, state: GrowingCandidate) -> Iterator[StreamEvent]:
        ended = finish_of(state.word, state.kinds, self._counts)
        if ended is None:
            yield from self._usage_so_far()
            raise UpstreamTruncated("The upstream's stream ended without a finishReason: it broke off.")
        finish, detail, notes = ended
        now = state.open
        if now is not None and isinstance(now.part, TextPart):
            citations = decode_citations(state.own, "".join(now.fragments))
            for citation in citations:
                yield CitationAdded(now.index, citation, state.index)
            now.part = replace(now.part, citations=citations)
        yield from self._finish_open(state)
        yield CandidateFinished(finish, detail, state.index, extensions_of({**state.own, **notes}))

    def _usage_so_far(self) -> Iterator[StreamEvent]:
        """Before an error: what was used is used."""
        if self._started and (usage := decode_usage(self._counts)):
            yield UsageUpdated(usage)
