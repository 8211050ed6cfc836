"""The parts of a foreign request as Gemini takes them: names, ids and arguments in its forms, state only of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from aiproxy.codecs import freeform
from aiproxy.codecs.arguments import as_object
from aiproxy.codecs.codec import Exchange
from aiproxy.codecs.gemini.media import MediaPart, encode_media, guessed_type
from aiproxy.codecs.gemini.names import VENDOR
from aiproxy.codecs.gemini.parts import SIGNATURE
from aiproxy.codecs.gemini.reported import media_feature
from aiproxy.codecs.gemini.schemas import wrapped_tools
from aiproxy.codecs.gemini.table import TABLE
from aiproxy.codecs.gemini.thinking import is_third_generation
from aiproxy.codecs.opaque import returnable
from aiproxy.codecs.results import as_response_object, result_media
from aiproxy.codecs.schema import VALUE
from aiproxy.codecs.tool_names import ToolNames
from aiproxy.neutral.carried import Json, OpaqueState
from aiproxy.neutral.media import FileIdSource, TextSource
from aiproxy.neutral.parts import (
    AudioPart,
    CompactionPart,
    DocumentPart,
    HostedToolCallPart,
    HostedToolResultPart,
    ImagePart,
    Part,
    RawPart,
    ReasoningPart,
    RefusalPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    VideoPart,
)
from aiproxy.neutral.request import Turn

WireParts = Sequence[dict[str, Json]]

_RESOLUTIONS = {"low": "MEDIA_RESOLUTION_LOW", "high": "MEDIA_RESOLUTION_HIGH"}


class PartWriter:
    """For one request. A part may become none (another vendor's state), or two (a result and its picture)."""

    def __init__(self, exchange: Exchange) -> None:
        self.names = ToolNames.of(exchange.request, "gemini")
        self._can = exchange.capabilities
        self._report = exchange.report
        self._model = exchange.request.model
        self._is_third = is_third_generation(self._model)
        self._wrapped = wrapped_tools(exchange.request, exchange.capabilities)
        self._called: dict[str, str] = {}

    def write_turn(self, turn: Turn) -> list[dict[str, Json]]:
        parts = self._with_states(turn.parts) if turn.role == "assistant" else turn.parts
        return [found for part in parts for found in self.write(part)]

    def write(self, part: Part) -> WireParts:
        if part.cache:
            TABLE.report("part.cache", self._report)
        match part:
            case TextPart(text=said, citations=citations):
                if citations:
                    TABLE.report("part.citations", self._report)
                return self._signed({"text": said}, part) if said else ()
            case RefusalPart(text=said):
                TABLE.report("part.refusal", self._report)
                return [{"text": said}] if said else ()
            case CompactionPart(text=said):
                TABLE.report("part.compaction", self._report)
                return [{"text": said}] if said else ()
            case ImagePart() | AudioPart() | VideoPart() | DocumentPart():
                return [self._media(part)]
            case ToolCallPart():
                return self._signed({"functionCall": self._call(part)}, part)
            case ToolResultPart():
                return self._result(part)
            case ReasoningPart():
                return ()
            case HostedToolCallPart() | HostedToolResultPart() | RawPart():
                TABLE.report("part.hosted_tool", self._report)
                return ()

    def _with_states(self, parts: Sequence[Part]) -> Iterator[Part]:
        """Google's state where other protocols keep it, on a reasoning part, belongs to the call or text that follows."""
        held: tuple[OpaqueState, ...] = ()
        for part in parts:
            if isinstance(part, ReasoningPart):
                held = returnable(part.opaque, VENDOR, self._model) or held
            elif held and isinstance(part, ToolCallPart | TextPart):
                yield part if returnable(part.opaque, VENDOR, self._model) else replace(part, opaque=held)
                held = ()
            else:
                yield part

    def _signed(self, found: dict[str, Json], part: Part) -> WireParts:
        states = returnable(part.opaque, VENDOR, self._model)
        return [{**found, SIGNATURE: states[-1].data} if states else found]

    def _call(self, part: ToolCallPart) -> dict[str, Json]:
        said = part.arguments_text
        if part.arguments_kind == "freeform":
            TABLE.report("part.tool_call.freeform", self._report)
            said = freeform.wrap(said)
        elif (part.name, part.namespace) in self._wrapped:
            said = f'{{"{VALUE}":{said or "null"}}}'
        arguments, whole = as_object(said)
        if not whole:
            self._report.emulate("part.tool_call")
        name = self._called[part.call_id] = self.names.safe(part.name, part.namespace)
        found: dict[str, Json] = {"name": name, "args": arguments}
        return {"id": part.call_id, **found} if part.call_id else found

    def _result(self, part: ToolResultPart) -> WireParts:
        """By the name of its call. Pictures go inside the result since Gemini 3, before that beside it."""
        answer: dict[str, Json] = {"id": part.call_id} if part.call_id else {}
        name = self._called.get(part.call_id) or self.names.safe(part.name or "_")
        answer |= {"name": name, "response": as_response_object(part)}
        media = [found for inner in result_media(part) for found in self.write(inner)]
        inside = self._can.tool_result_media if self._can.tool_result_media is not None else self._is_third
        if media and inside:
            answer["parts"] = media
        return [{"functionResponse": answer}, *(() if inside else media)]

    def _media(self, part: MediaPart) -> dict[str, Json]:
        feature = media_feature(part)
        kind = feature.split(".")[1]
        if kind not in self._can.input_modalities and not isinstance(part.source, TextSource):
            self._report.refuse(feature, f"The chosen model takes no {kind}.")
        if isinstance(part.source, FileIdSource) and part.source.vendor != VENDOR:
            self._report.refuse(feature, "The file is stored at another vendor: send its content instead.")
        if isinstance(part, DocumentPart) and (part.citations_enabled or part.context or part.title):
            TABLE.report("part.document.citations", self._report)
        found = encode_media(replace(part, extensions={}))
        found.get("inlineData", {}).pop("displayName", None)  # Vertex AI knows it, the Gemini API refuses it
        if guessed := guessed_type(part):
            found["fileData"]["mimeType"] = guessed
        if isinstance(part, ImagePart) and part.detail in _RESOLUTIONS:
            if self._is_third:
                found["mediaResolution"] = {"level": _RESOLUTIONS[part.detail]}
            else:
                self._report.drop("part.image.detail")
        return found
