"""Parts → content blocks of a request. What came in this protocol goes back as it came; what didn't is fitted to it."""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass

import orjson

from aiproxy.codecs import arguments, freeform
from aiproxy.codecs.anthropic_messages.read_blocks import BLOCK, CONTENT, DOCUMENT_TITLED, INPUT, SIGNATURE
from aiproxy.codecs.anthropic_messages.table import NAME, TABLE
from aiproxy.codecs.anthropic_messages.tools import ForeignTools, cache_control
from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.fields import restore
from aiproxy.codecs.opaque import returnable
from aiproxy.codecs.report import Report
from aiproxy.codecs.results import result_media, result_text
from aiproxy.codecs.schema import VALUE
from aiproxy.codecs.tool_ids import fit
from aiproxy.neutral.carried import Json
from aiproxy.neutral.media import FileIdSource, InlineSource, Source, TextSource, UrlSource
from aiproxy.neutral.parts import (
    AudioPart,
    Citation,
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

IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
PDF = "application/pdf"

FAILED = "The tool failed without a word."
"""What a failed tool says that said nothing: the API refuses an error without content."""

_OWN_HOSTED = re.compile(r"server_tool_use|mcp_tool_use|\w+_tool_result")
"""Types of this protocol's blocks of vendor-run tools."""


@dataclass(frozen=True, slots=True)
class BlockWriter:
    """`tools` None: the request came in this protocol, and nothing is fitted."""

    can: Capabilities
    model: str
    report: Report
    tools: ForeignTools | None

    def blocks(self, parts: Iterable[Part]) -> list[dict[str, Json]]:
        return [block for part in parts if (block := self._block(part)) is not None]

    def content(self, parts: tuple[Part, ...], notes: dict[str, Json]) -> str | list[dict[str, Json]]:
        """As one string where it came as one."""
        if notes.get(CONTENT) == "string" and len(parts) == 1 and isinstance(parts[0], TextPart):
            return parts[0].text
        return self.blocks(parts)

    def _block(self, part: Part) -> dict[str, Json] | None:
        block = self._bare(part)
        if block is None or BLOCK in part.extensions.get(NAME, {}):
            return block
        if part.cache is not None and block["type"] not in ("thinking", "redacted_thinking"):
            block["cache_control"] = cache_control(part.cache)
        restore(part.extensions, NAME, block)
        return block

    def _bare(self, part: Part) -> dict[str, Json] | None:
        match part:
            case TextPart():
                return self._text(part)
            case RefusalPart(text=text):
                TABLE.report("part.refusal", self.report)
                return {"type": "text", "text": text} if text else None
            case ImagePart():
                return self._image(part)
            case DocumentPart():
                return self._document(part)
            case AudioPart():
                TABLE.report("part.audio", self.report)
                return None
            case VideoPart():
                TABLE.report("part.video", self.report)
                return None
            case ReasoningPart():
                return self._reasoning(part)
            case ToolCallPart():
                return self._tool_call(part)
            case ToolResultPart():
                return self._tool_result(part)
            case HostedToolCallPart(payload=payload) | HostedToolResultPart(payload=payload):
                if is_own_hosted(payload):
                    return dict(payload)
                TABLE.report("part.hosted_tool", self.report)
                return None
            case CompactionPart():
                return self._compaction(part)
            case RawPart(protocol=protocol, type=kind, json=found):
                if protocol == NAME:
                    return dict(found)
                self.report.drop(f"{protocol}.{kind}")
                return None

    def _text(self, part: TextPart) -> dict[str, Json] | None:
        """The API refuses empty text, and another vendor's citations."""
        block: dict[str, Json] = {"type": "text", "text": part.text}
        if self.tools is not None and not part.text:
            return None
        own = [write_citation(citation) for citation in part.citations if NAME in citation.extensions]
        if len(own) < len(part.citations):
            TABLE.report("part.citations", self.report)
        if own:
            block["citations"] = own
        return block

    def _image(self, part: ImagePart) -> dict[str, Json] | None:
        if part.detail is not None:
            TABLE.report("part.image.detail", self.report)
        if isinstance(part.source, InlineSource) and self.tools and part.source.media_type not in IMAGE_TYPES:
            self.report.refuse(
                "part.image.inline",
                f"The chosen model takes no images of type {part.source.media_type}: send JPEG, PNG, GIF or WebP.",
            )
            return None
        source = self._source(part.source, "part.image.file")
        return {"type": "image", "source": source} if source else None

    def _document(self, part: DocumentPart) -> dict[str, Json] | None:
        if BLOCK in (notes := part.extensions.get(NAME, {})):
            return dict(notes[BLOCK])
        source = self._document_source(part.source)
        if source is None:
            return None
        block: dict[str, Json] = {"type": "document", "source": source}
        if (title := part.filename if part.title is None else part.title) is not None:
            block["title"] = title
        if part.context is not None:
            block["context"] = part.context
        if part.citations_enabled is not None:
            block["citations"] = {"enabled": part.citations_enabled}
        return block

    def _document_source(self, source: Source) -> dict[str, Json] | None:
        if isinstance(source, InlineSource) and self.tools and source.media_type != PDF:
            if source.media_type.startswith("text/") and (text := _decoded(source.data)) is not None:
                return self._source(TextSource(text), "part.document.file")
            self.report.refuse(
                "part.document.inline",
                f"The chosen model takes no documents of type {source.media_type}: send a PDF or text.",
            )
            return None
        if isinstance(source, TextSource) and self.tools:
            source = TextSource(source.text)
        return self._source(source, "part.document.file")

    def _source(self, source: Source, file_feature: str) -> dict[str, Json] | None:
        match source:
            case UrlSource(url):
                return {"type": "url", "url": url}
            case InlineSource(media_type, data):
                return {"type": "base64", "media_type": media_type, "data": data}
            case TextSource(text, media_type):
                return {"type": "text", "media_type": media_type, "data": text}
            case FileIdSource(vendor, file_id):
                if vendor == (self.can.vendor or NAME):
                    return {"type": "file", "file_id": file_id}
                TABLE.report(file_feature, self.report)
                return None

    def _reasoning(self, part: ReasoningPart) -> dict[str, Json] | None:
        """Only with the state that makes it valid; thinking that was never signed is left out, which is always legal."""
        slot = "data" if part.redacted else "signature"
        block: dict[str, Json] = {"type": "redacted_thinking" if part.redacted else "thinking"}
        if not part.redacted:
            block["thinking"] = part.text or "\n\n".join(part.summaries)
        notes = part.extensions.get(NAME, {})
        if states := returnable(part.opaque, self.can.vendor or NAME, self.model):
            state = states[0]
            if state.kind == "redacted_thinking" and not part.redacted:
                return {"type": "redacted_thinking", "data": state.data}
            block[slot] = state.data
        elif SIGNATURE in notes and self.tools is None:
            if notes[SIGNATURE] is not None:
                block[slot] = notes[SIGNATURE]
        else:
            return None
        return block

    def _tool_call(self, part: ToolCallPart) -> dict[str, Json]:
        notes = part.extensions.get(NAME, {})
        if INPUT in notes:
            return {"type": "tool_use", "id": part.call_id, "name": part.name, "input": notes[INPUT]}
        text = part.arguments_text
        call_id, name = part.call_id, part.name
        if self.tools is not None:
            call_id, name = fit(call_id, "anthropic"), self.tools.names.safe(name, part.namespace)
            if part.arguments_kind == "freeform":
                TABLE.report("part.tool_call.freeform", self.report)
                text = freeform.wrap(text)
            elif (part.name, part.namespace) in self.tools.wrapped:
                text = f'{{"{VALUE}":{arguments.json_text(text)}}}'
        found, is_object = arguments.as_object(text)
        if not is_object:
            self.report.emulate("part.tool_call")
        return {"type": "tool_use", "id": call_id, "name": name, "input": found}

    def _tool_result(self, part: ToolResultPart) -> dict[str, Json]:
        call_id = part.call_id if self.tools is None else fit(part.call_id, "anthropic")
        block: dict[str, Json] = {"type": "tool_result", "tool_use_id": call_id}
        content: str | list[dict[str, Json]]
        if self.tools is None:
            content = self.content(part.content, dict(part.extensions.get(NAME, {})))
        else:
            content = self._result_content(part)
        if content:
            block["content"] = content
        if part.is_error:
            block["is_error"] = True
        return block

    def _result_content(self, part: ToolResultPart) -> str | list[dict[str, Json]]:
        told = [
            TextPart(orjson.dumps(inner.json).decode())
            if isinstance(inner, RawPart) and inner.protocol != NAME
            else inner
            for inner in part.content
        ]
        if part.is_error and not result_text(part) and not result_media(part):
            return FAILED
        if len(told) == 1 and isinstance(told[0], TextPart) and told[0].cache is None:
            return told[0].text
        return self.blocks(told)

    def _compaction(self, part: CompactionPart) -> dict[str, Json] | None:
        if self.tools is None:
            return {"type": "compaction"} if part.text is None else {"type": "compaction", "content": part.text}
        if not part.text:
            self.report.refuse("part.compaction")
            return None
        TABLE.report("part.compaction", self.report)
        return {"type": "text", "text": part.text}


def is_own_hosted(payload: Json) -> bool:
    """Whether a vendor-run tool's call or result is in this protocol's words: the payload says so itself."""
    return isinstance(payload, dict) and bool(_OWN_HOSTED.fullmatch(str(payload.get("type"))))


def write_citation(citation: Citation) -> dict[str, Json]:
    """One of this protocol."""
    titled = "document_title" if str(citation.extensions[NAME].get("type")) in DOCUMENT_TITLED else "title"
    optional = {"url": citation.url, titled: citation.title, "cited_text": citation.cited_text}
    body: dict[str, Json] = {key: value for key, value in optional.items() if value is not None}
    restore(citation.extensions, NAME, body)
    return body


def _decoded(data: str) -> str | None:
    try:
        return base64.b64decode(data).decode()
    except (binascii.Error, ValueError):
        return None
