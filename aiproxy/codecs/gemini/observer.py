"""Reads relayed Gemini answers: usage, completion, and the errors that hide in them.

Source: Gemini API reference, GenerateContentResponse and EmbedContentResponse."""

from collections.abc import Mapping

import orjson

from aiproxy.codecs.base import Observation, Standing
from aiproxy.codecs.failures import error_of
from aiproxy.codecs.gemini.errors import error_object
from aiproxy.codecs.gemini.usage import decode_usage
from aiproxy.codecs.json_bytes import dump
from aiproxy.framing import Frame
from aiproxy.framing.sse import COMMENT
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import GatewayError, UpstreamFailed


class GeminiObserver:
    """Finished when every candidate that began has a reason to have ended, or the prompt was blocked. An answer of thoughts only
    may lack the reason; then its counts must add up."""

    def __init__(self) -> None:
        self._counts: dict[str, Json] = {}
        self._model: str | None = None
        self._useful = False
        self._blocked = False
        self._open: set[int] = set()
        self._finished: set[int] = set()
        self._thoughts_only = True

    @property
    def useful(self) -> bool:
        return self._useful

    @property
    def standing(self) -> Standing:
        return Standing.FINISHED if self._may_end() else Standing.OPEN

    def _may_end(self) -> bool:
        if self._blocked or (self._finished and not self._open):
            return True
        counts = [
            self._counts.get(name, 0) for name in ("promptTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")
        ]
        return (
            bool(self._open)
            and self._thoughts_only
            and not self._counts.get("candidatesTokenCount")
            and all(isinstance(count, int) for count in counts)
            and self._counts.get("totalTokenCount") == sum(counts)
        )

    @property
    def seen(self) -> Observation:
        return Observation(decode_usage(self._counts), self._model)

    def feed(self, frame: Frame) -> bool:
        if frame.event != COMMENT and frame.data:
            self.read(_parse(frame.data))
        return False

    def read(self, piece: Mapping[str, Json]) -> None:
        """One piece, parsed."""
        if piece.get("error") is not None:
            raise _hidden(piece)
        if self._model is None and isinstance(piece.get("modelVersion"), str):
            self._model = piece["modelVersion"]
        if isinstance(counts := piece.get("usageMetadata"), dict):
            self._counts.update(counts)
        feedback = piece.get("promptFeedback")
        if isinstance(feedback, dict) and feedback.get("blockReason"):
            self._blocked = self._useful = True
        candidates = piece.get("candidates") or []
        if not isinstance(candidates, list) or not all(isinstance(candidate, dict) for candidate in candidates):
            raise UpstreamFailed("The upstream sent a piece whose candidates are not a list of objects.")
        for candidate in candidates:
            self._candidate(candidate)

    def fail(self, error: GatewayError) -> bytes:
        return dump({"error": error_object(error)}) + b"\r\n\r\n"

    def _candidate(self, candidate: Mapping[str, Json]) -> None:
        index = candidate.get("index", 0)
        if not isinstance(index, int):
            raise UpstreamFailed("The upstream sent a candidate whose index is not a number.")
        if candidate.get("finishReason"):
            self._finished.add(index)
            self._open.discard(index)
            self._useful = True
        elif index not in self._finished:
            self._open.add(index)
        content = candidate.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict) and part and part.get("text") != "":
                self._useful = True
                self._thoughts_only = self._thoughts_only and part.get("thought") is True


class ArrayObserver(GeminiObserver):
    """The same in a JSON array, whose last element is the error."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = False

    def feed(self, frame: Frame) -> bool:
        self._begun = True
        return super().feed(frame)

    def fail(self, error: GatewayError) -> bytes:
        return (b",\r\n" if self._begun else b"[") + dump({"error": error_object(error)}) + b"]"


def observe(body: bytes) -> Observation:
    """A whole answer: of generateContent, of countTokens (which has no usage of its own), of embeddings."""
    answer = _parse(body)
    if answer.get("error") is not None:
        raise _hidden(answer)
    model = answer.get("modelVersion")
    return Observation(decode_usage(answer.get("usageMetadata")), model if isinstance(model, str) else None)


def _parse(data: bytes) -> dict[str, Json]:
    try:
        found = orjson.loads(data)
    except ValueError as error:
        raise UpstreamFailed("The upstream sent something that is not JSON where an answer was due.") from error
    if not isinstance(found, dict):
        raise UpstreamFailed("The upstream sent JSON that is not an object where an answer was due.")
    return found


def _hidden(found: Mapping[str, Json]) -> GatewayError:
    return error_of(200, {}, dump({"error": found["error"]}))
