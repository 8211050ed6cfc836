"""One choice of an answer as it grows: deltas in, events out."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiproxy.codecs import data_urls
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.openai_chat import reasoning
from aiproxy.codecs.openai_chat.calls import signature_in
from aiproxy.codecs.openai_chat.citations import other_annotations, read_citations
from aiproxy.codecs.openai_chat.given_names import GivenNames
from aiproxy.codecs.openai_chat.logprobs import read_legacy, read_logprobs
from aiproxy.codecs.openai_chat.open_calls import OpenCalls
from aiproxy.codecs.openai_chat.open_parts import OpenAudio, OpenPart, OpenReasoning, OpenRefusal, OpenText
from aiproxy.codecs.openai_chat.reasoning import Thought
from aiproxy.codecs.openai_chat.table import NAME
from aiproxy.neutral.carried import Extensions, OpaqueState
from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.neutral.events import (
    AudioDelta,
    CandidateFinished,
    CitationAdded,
    OpaqueStateSet,
    PartFinished,
    PartStarted,
    ReasoningDelta,
    RefusalDelta,
    StreamEvent,
    TextDelta,
)
from aiproxy.neutral.parts import ImagePart, TextPart, TokenLogprob
from aiproxy.neutral.response import FinishReason

_FINISHES: Mapping[str, FinishReason] = {
    "stop": "stop",
    "eos": "stop",
    "end_turn": "stop",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "sensitive": "content_filter",
    "insufficient_system_resource": "error",
    "error": "error",
    "abort": "error",
}
"""OpenAI's words, then those of Mistral, DeepSeek, GLM and servers of open models. An unknown one is a stop."""

_OFFICIAL = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})

_CHOICE = frozenset({"index", "delta", "message", "text", "finish_reason", "logprobs"})
_MESSAGE = frozenset(
    {"role", "content", "refusal", "tool_calls", "function_call", "audio", "images", *reasoning.FIELDS}
)


class OpenCandidate:
    __slots__ = (
        "_calls",
        "_count",
        "_exchange",
        "_index",
        "_names",
        "_open",
        "_refused",
        "_rest",
        "_text",
        "_whole",
        "finish_word",
    )

    def __init__(self, index: int, exchange: Exchange, names: GivenNames) -> None:
        self.finish_word = ""
        self._index = index
        self._exchange = exchange
        self._names = names
        self._count = 0
        self._open: OpenPart | None = None
        self._calls = OpenCalls(index, exchange, names)
        self._rest: dict[str, Any] = {}
        self._whole = False
        self._refused = False
        self._text = 0

    def read(self, choice: Mapping[str, Any], out: list[StreamEvent]) -> None:
        delta = choice.get("delta")
        if delta is None:
            delta = choice.get("message")
            self._whole = delta is not None
            if delta is None:
                delta = {"content": choice.get("text")}
        if not isinstance(delta, dict):
            raise UpstreamFailed("The upstream sent a delta that is not an object.")
        logprobs = choice.get("logprobs")
        if len(delta) == 1 and not logprobs:
            self._read_one(delta, out)
        elif delta or logprobs:
            self._read(delta, logprobs, out)
        if "delta" not in choice:
            self._keep_rest(choice, delta)
        word = choice.get("finish_reason")
        if isinstance(word, str) and word and self.finish_word not in ("tool_calls", "function_call"):
            self.finish_word = word

    def end(self, out: list[StreamEvent]) -> None:
        """Closes what is open, in order."""
        self._close(out)
        word = self.finish_word
        finish = _FINISHES.get(word, "stop")
        if self._refused and finish == "stop":
            finish = "refusal"
        calls = self._calls.end(finish, out)
        if calls and (finish == "stop" or (finish == "length" and calls.complete)):
            finish = "tool_calls"
        detail = word if word and word not in _OFFICIAL else None
        extensions: Extensions = {NAME: self._rest} if self._rest else {}
        out.append(CandidateFinished(finish, detail, self._index, extensions))

    def more(self, kind: str, said: Any) -> TextDelta | ReasoningDelta | None:
        """By far the most frequent delta: it goes on with the text or the thinking that is open. None for every other."""
        part = self._open
        if type(said) is not str or not said:
            return None
        if kind == "content" and type(part) is OpenText and not part.held:
            part.pieces.append(said)
            return TextDelta(part.index, said, self._index)
        if kind in ("reasoning_content", "reasoning") and type(part) is OpenReasoning and not part.states:
            part.raw.append(said)
            return ReasoningDelta(part.index, said, "raw", 0, self._index)
        return None

    def _read_one(self, delta: Mapping[str, Any], out: list[StreamEvent]) -> None:
        """A delta of one kind, as most are: the short way to what `_read` does."""
        ((kind, said),) = delta.items()
        if (event := self.more(kind, said)) is not None:
            out.append(event)
        elif kind == "content" and type(said) is str:
            if said:
                self._say(said, None, out)
        elif kind == "tool_calls" and said:
            self._call(said, None, out)
        elif kind in ("reasoning_content", "reasoning") and type(said) is str:
            if said:
                self._think(Thought(text=said), out)
        else:
            self._read(delta, None, out)

    def _read(self, delta: Mapping[str, Any], logprobs: Any, out: list[StreamEvent]) -> None:
        """Thinking, content, refusal, sound, pictures, sources and calls, in this order where one chunk has several."""
        if not reasoning.FIELDS.isdisjoint(delta):
            for thought in reasoning.thoughts(delta):
                self._think(thought, out)
        content, refusal = _logprobs(logprobs) if logprobs else (None, None)
        said = delta.get("content")
        if isinstance(said, str):
            if said or content:
                self._say(said, content, out)
        elif isinstance(said, list):
            self._read_list(said, out)
        elif content:
            self._say("", content, out)
        if isinstance(text := delta.get("refusal"), str) and (text or refusal):
            self._refuse(text, refusal, out)
        if isinstance(audio := delta.get("audio"), dict):
            self._sound(audio, out)
        if isinstance(images := delta.get("images"), list):
            for image in images:
                self._show(image, out)
        if isinstance(annotations := delta.get("annotations"), list):
            self._cite(annotations, out)
        if (signature := signature_in(delta)) is not None:
            self._sign(signature, out)
        calls = delta.get("tool_calls")
        legacy = delta.get("function_call")
        if calls or legacy:
            self._call(calls, legacy, out)

    def _call(self, calls: Any, legacy: Any, out: list[StreamEvent]) -> None:
        self._close(out)
        self._count = self._calls.read(calls, legacy, self._count, out, whole=self._whole)

    def _read_list(self, content: Sequence[Any], out: list[StreamEvent]) -> None:
        """Content as a list of parts: Mistral's, and servers that copy requests' form."""
        for part in content:
            match part:
                case {"type": "thinking"}:
                    self._think(Thought(text=reasoning.block_text(part)), out)
                case {"type": "text", "text": str(text)}:
                    self._say(text, None, out)
                case {"type": "refusal", "refusal": str(text)}:
                    self._refuse(text, None, out)
                case {"type": "image_url"}:
                    self._show(part, out)
                case _:
                    pass  # a kind of part nobody has shown us yet

    def _say(self, text: str, logprobs: tuple[TokenLogprob, ...] | None, out: list[StreamEvent]) -> None:
        part = self._open
        if type(part) is not OpenText:
            part = OpenText(self._names.wrapped_output, self._text)
            self._begin(part, out)
        part.pieces.append(text)
        if logprobs is not None:
            part.logprobs.append(logprobs)
        if not part.held:
            out.append(TextDelta(part.index, text, self._index, logprobs))

    def _refuse(self, text: str, logprobs: tuple[TokenLogprob, ...] | None, out: list[StreamEvent]) -> None:
        self._refused = True
        part = self._open
        if not isinstance(part, OpenRefusal):
            part = OpenRefusal()
            self._begin(part, out)
        part.pieces.append(text)
        if logprobs is not None:
            part.logprobs.append(logprobs)
        out.append(RefusalDelta(part.index, text, self._index, logprobs))

    def _think(self, thought: Thought, out: list[StreamEvent]) -> None:
        part = self._open if isinstance(self._open, OpenReasoning) else None
        if part is None or reasoning.opens_part(
            thought, redacted=part.redacted, has_state=bool(part.states), last_index=part.last_index
        ):
            part = OpenReasoning(redacted=not thought.text)
            self._begin(part, out)
        if thought.text:
            section = part.add(thought)
            out.append(ReasoningDelta(part.index, thought.text, thought.channel, section, self._index))
        part.last_index = thought.index
        if thought.kind is not None and thought.state:
            state = self._state(thought)
            part.states = (*(s for s in part.states if s.kind != state.kind), state)
            out.append(OpaqueStateSet(part.index, state, self._index))

    def _state(self, thought: Thought) -> OpaqueState:
        assert thought.kind is not None
        vendor, model = self._exchange.capabilities.vendor, self._exchange.request.model
        return OpaqueState(vendor, thought.kind, thought.state, thought.id, model)

    def _sign(self, signature: str, out: list[StreamEvent]) -> None:
        """Gemini's signature of what was said: it belongs to the text before it."""
        if isinstance(self._open, OpenText):
            vendor = self._exchange.capabilities.vendor
            state = OpaqueState(vendor, "thought_signature", signature, None, self._exchange.request.model)
            self._open.states = (state,)
            out.append(OpaqueStateSet(self._open.index, state, self._index))

    def _sound(self, audio: Mapping[str, Any], out: list[StreamEvent]) -> None:
        part = self._open
        if not isinstance(part, OpenAudio):
            asked = self._exchange.request.audio_output
            audio_id = audio.get("id")
            part = OpenAudio(
                asked.format if asked and asked.format else "wav", audio_id if isinstance(audio_id, str) else None
            )
            self._begin(part, out)
        for channel, fragment in part.add(audio):
            out.append(AudioDelta(part.index, fragment, channel, self._index))

    def _show(self, image: Any, out: list[StreamEvent]) -> None:
        match image:
            case {"image_url": {"url": str(url)}}:
                try:
                    part = ImagePart(data_urls.source_of(url))
                except ValueError:
                    return
                self._close(out)
                out += (
                    PartStarted(self._count, part, self._index),
                    PartFinished(self._count, part, self._index),
                )
                self._count += 1
            case _:
                pass

    def _cite(self, annotations: Sequence[Any], out: list[StreamEvent]) -> None:
        offset = self._open.offset if isinstance(self._open, OpenText) else self._text
        for citation in read_citations(annotations, offset):
            if not isinstance(self._open, OpenText):
                self._begin(OpenText(self._names.wrapped_output, self._text), out)
            assert isinstance(self._open, OpenText)
            self._open.citations.append(citation)
            out.append(CitationAdded(self._open.index, citation, self._index))

    def _begin(self, part: OpenPart, out: list[StreamEvent]) -> None:
        self._close(out)
        part.index = self._count
        self._count += 1
        self._open = part
        out.append(PartStarted(part.index, part.opening(), self._index))

    def _close(self, out: list[StreamEvent]) -> None:
        if self._open is not None:
            part = self._open.part()
            if isinstance(part, TextPart):
                self._text += len(part.text)
            out.append(PartFinished(self._open.index, part, self._index))
            self._open = None

    def _keep_rest(self, choice: Mapping[str, Any], message: Mapping[str, Any]) -> None:
        """What a whole answer says that neutral has no word for."""
        self._rest = {key: value for key, value in choice.items() if key not in _CHOICE}
        if "message" not in choice:
            return
        inner = {key: value for key, value in message.items() if key not in _MESSAGE or value in (None, [])}
        inner.pop("role", None)
        if message.get("content") == "":
            inner["content"] = ""
        if not other_annotations(inner.get("annotations")):
            inner.pop("annotations", None)
        if inner:
            self._rest["message"] = inner


def _logprobs(found: Any) -> tuple[tuple[TokenLogprob, ...] | None, tuple[TokenLogprob, ...] | None]:
    """(of the content, of the refusal)"""
    if not isinstance(found, dict):
        return None, None
    if "tokens" in found:
        return read_legacy(found), None
    return read_logprobs(found.get("content")), read_logprobs(found.get("refusal"))
