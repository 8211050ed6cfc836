"""The part a candidate is saying right now, as far as it has come."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, TypeAlias

from aiproxy.codecs.openai_chat.reasoning import Thought
from aiproxy.codecs.openai_chat.table import NAME
from aiproxy.codecs.schema import unwrapped
from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.media import InlineSource
from aiproxy.neutral.parts import AudioPart, Citation, ReasoningPart, RefusalPart, TextPart, TokenLogprob

_MEDIA_TYPES = {"mp3": "audio/mpeg", "pcm16": "audio/pcm"}


class OpenText:
    """`held`: its deltas wait for the end, because the whole has to be unwrapped. `offset`: characters of the message's text
    before it."""

    __slots__ = ("citations", "held", "index", "logprobs", "offset", "pieces", "states")

    def __init__(self, held: bool, offset: int) -> None:
        self.index = 0
        self.offset = offset
        self.held = held
        self.pieces: list[str] = []
        self.logprobs: list[tuple[TokenLogprob, ...]] = []
        self.citations: list[Citation] = []
        self.states: tuple[OpaqueState, ...] = ()

    def opening(self) -> TextPart:
        return TextPart()

    def part(self) -> TextPart:
        text = "".join(self.pieces)
        return TextPart(
            unwrapped(text) if self.held else text, tuple(self.citations), joined(self.logprobs), opaque=self.states
        )


class OpenRefusal:
    __slots__ = ("index", "logprobs", "pieces")

    def __init__(self) -> None:
        self.index = 0
        self.pieces: list[str] = []
        self.logprobs: list[tuple[TokenLogprob, ...]] = []

    def opening(self) -> RefusalPart:
        return RefusalPart()

    def part(self) -> RefusalPart:
        return RefusalPart("".join(self.pieces), joined(self.logprobs))


class OpenReasoning:
    __slots__ = ("_summaries", "index", "last_index", "raw", "redacted", "states")

    def __init__(self, redacted: bool) -> None:
        self.index = 0
        self.last_index: int | None = None
        self.states: tuple[OpaqueState, ...] = ()
        self.redacted = redacted
        self.raw: list[str] = []
        self._summaries: list[str] = []

    def add(self, thought: Thought) -> int:
        """The section it belongs to: an upstream's summary is one, its pieces come one by one."""
        if thought.channel == "summary":
            self._summaries.append(thought.text)
        else:
            self.raw.append(thought.text)
        self.redacted = False
        return 0

    def opening(self) -> ReasoningPart:
        return ReasoningPart(redacted=self.redacted)

    def part(self) -> ReasoningPart:
        summaries = ("".join(self._summaries),) if self._summaries else ()
        return ReasoningPart("".join(self.raw), summaries, self.redacted, opaque=self.states)


class OpenAudio:
    __slots__ = ("_data", "_id", "_media_type", "_rest", "_transcript", "index")

    def __init__(self, form: str, audio_id: str | None) -> None:
        self.index = 0
        self._media_type = _MEDIA_TYPES.get(form, f"audio/{form}")
        self._id = audio_id
        self._data: list[str] = []
        self._transcript: list[str] = []
        self._rest: dict[str, Any] = {}

    def add(self, audio: Mapping[str, Any]) -> Iterator[tuple[Literal["data", "transcript"], str]]:
        if "expires_at" in audio:
            self._rest["expires_at"] = audio["expires_at"]
        if isinstance(data := audio.get("data"), str) and data:
            self._data.append(data)
            yield "data", data
        if isinstance(words := audio.get("transcript"), str) and words:
            self._transcript.append(words)
            yield "transcript", words

    def opening(self) -> AudioPart:
        return AudioPart(InlineSource(self._media_type, ""), id=self._id)

    def part(self) -> AudioPart:
        extensions = {NAME: self._rest} if self._rest else {}
        transcript = "".join(self._transcript) if self._transcript else None
        return AudioPart(
            InlineSource(self._media_type, "".join(self._data)), transcript, id=self._id, extensions=extensions
        )


def joined(logprobs: list[tuple[TokenLogprob, ...]]) -> tuple[TokenLogprob, ...] | None:
    """None when no delta had any."""
    return tuple(token for tokens in logprobs for token in tokens) if logprobs else None


OpenPart: TypeAlias = OpenText | OpenRefusal | OpenReasoning | OpenAudio
