"""Everything a request can say, by name: the rows of every codec's field table and of the compatibility page.

`Scalar` features are attributes of `GenerateRequest`, copied by the table; `SHAPES` are structures a codec writes by hand."""

from collections.abc import Mapping
from dataclasses import fields

from aiproxy.neutral.request import CacheConfig, Identity, ReasoningConfig, SamplingParams, StateRef

GROUPS: Mapping[str, type] = {
    "sampling": SamplingParams,
    "reasoning": ReasoningConfig,
    "state": StateRef,
    "cache": CacheConfig,
    "identity": Identity,
}

PLAIN = ("model", "stream", "verbosity", "service_tier")

SCALARS: tuple[str, ...] = PLAIN + tuple(
    f"{group}.{field.name}" for group, record in GROUPS.items() for field in fields(record)
)

SHAPES: Mapping[str, str] = {
    "turn.system": "instructions before the first turn",
    "turn.system_midway": "instructions between turns",
    "turn.user": "what the user says",
    "turn.assistant": "what the model said before",
    "turn.prefill": "a last assistant turn, for the model to continue",
    "turn.name": "the name of who speaks",
    "turn.phase": "commentary or final answer",
    "part.text": "text",
    "part.refusal": "a refusal in the history",
    "part.image.url": "an image by URL",
    "part.image.inline": "an image in base64",
    "part.image.file": "an image by file id",
    "part.image.detail": "how closely to look at an image",
    "part.audio": "sound",
    "part.video": "film",
    "part.document.url": "a document by URL",
    "part.document.inline": "a PDF in base64",
    "part.document.file": "a document by file id",
    "part.document.text": "a text document",
    "part.document.citations": "citations of a document, its title and context",
    "part.reasoning": "earlier thinking and its opaque state",
    "part.citations": "citations in the history",
    "part.cache": "a cache breakpoint",
    "part.tool_call": "a tool call in the history",
    "part.tool_call.freeform": "a call of a freeform tool",
    "part.tool_result": "a tool's result",
    "part.tool_result.media": "images and files in a tool's result",
    "part.tool_result.is_error": "that a tool failed",
    "part.hosted_tool": "calls and results of vendor-run tools",
    "part.compaction": "a summary that stands for history",
    "tool.function": "a function tool",
    "tool.function.strict": "arguments that must obey the schema",
    "tool.function.namespace": "tools grouped by namespace",
    "tool.function.defer": "tools loaded when searched for",
    "tool.freeform": "a tool that takes free text",
    "tool.web_search": "web search by the vendor",
    "tool.code_execution": "code execution by the vendor",
    "tool.hosted": "other vendor-run tools",
    "tool_choice.auto": "the model decides whether to call",
    "tool_choice.none": "no tool may be called",
    "tool_choice.required": "some tool must be called",
    "tool_choice.named": "one tool must be called",
    "tool_choice.allowed": "only some of the tools",
    "tool_choice.hosted": "a vendor-run tool must be called",
    "tool_choice.allow_parallel": "whether several calls may come at once",
    "output_format.json_object": "any JSON object",
    "output_format.json_schema": "JSON that obeys a schema",
    "modalities": "what kinds of output are wanted",
    "audio_output": "voice and format of spoken output",
}

FEATURES: tuple[str, ...] = (*SCALARS, *SHAPES)
