"""What Ollama calls each feature of a request. Source: Ollama's `docs/api.md` and `api/types.go`, types of ollama-python 0.6.3."""

from typing import Final

from aiproxy.codecs import readers
from aiproxy.codecs.fields import Field, FieldTable, Own, Shape
from aiproxy.neutral.carried import Json

NAME: Final = "ollama"

MOST_LOGPROBS: Final = 20
"""Alternatives to a token: more is a 400."""


def _stops(value: Json) -> tuple[str, ...]:
    """A single one may come bare."""
    return (value,) if isinstance(value, str) else readers.texts(value)


def _top_logprobs(value: Json) -> int:
    found = readers.integer(value)
    if not 0 <= found <= MOST_LOGPROBS:
        raise ValueError(f"top_logprobs must be between 0 and {MOST_LOGPROBS}")
    return found


QUALITY: Final = (
    "mirostat",
    "mirostat_eta",
    "mirostat_tau",
    "penalize_newline",
    "repeat_last_n",
    "tfs_z",
    "typical_p",
)
"""Options that shape the answer, and that no one else has. All others tell a server how to load a model."""

TABLE = FieldTable(
    NAME,
    [
        Field("model", "model", read=readers.text),
        Field("stream", "stream", read=readers.boolean, note="absent is true"),
        Field("verbosity", action="drop"),
        Field("service_tier", action="ignore"),
        Field("sampling.max_output_tokens", "options.num_predict", read=readers.integer),
        Field("sampling.temperature", "options.temperature", read=readers.number),
        Field("sampling.top_p", "options.top_p", read=readers.number),
        Field("sampling.top_k", "options.top_k", read=readers.integer),
        Field("sampling.min_p", "options.min_p", read=readers.number),
        Field("sampling.frequency_penalty", "options.frequency_penalty", read=readers.number),
        Field("sampling.presence_penalty", "options.presence_penalty", read=readers.number),
        Field("sampling.repetition_penalty", "options.repeat_penalty", read=readers.number),
        Field("sampling.seed", "options.seed", read=readers.integer),
        Field("sampling.stop", "options.stop", read=_stops, write=list),
        Field("sampling.logprobs", "logprobs", read=readers.boolean),
        Field("sampling.top_logprobs", "top_logprobs", read=_top_logprobs, limits=(0, MOST_LOGPROBS)),
        Field("sampling.logit_bias", action="drop"),
        Shape("sampling.n", action="refuse"),
        Shape("reasoning.mode", "think"),
        Shape("reasoning.effort", "think"),
        Shape("reasoning.budget_tokens", "think", action="approximate"),
        Shape("reasoning.visibility", action="ignore"),
        Shape("reasoning.summary_style", action="ignore"),
        Field("state.previous_response_id", action="emulate", note="the gateway keeps the answer"),
        Field("state.conversation", action="refuse"),
        Field("state.store", action="ignore", note="the gateway keeps answers to Responses clients"),
        Shape("state.background", action="refuse"),
        Field("cache.key", action="ignore"),
        Field("cache.mode", action="ignore"),
        Field("cache.ttl", action="ignore"),
        Field("identity.end_user", action="ignore"),
        Field("identity.metadata", action="ignore"),
        Field("identity.safety_id", action="ignore"),
        Shape("turn.system", "messages[].role: system"),
        Shape("turn.system_midway", "messages[].role: system"),
        Shape("turn.user", "messages[].role: user"),
        Shape("turn.assistant", "messages[].role: assistant"),
        Shape("turn.prefill", "messages[-1].role: assistant"),
        Shape("turn.name", action="ignore"),
        Shape("turn.phase", action="ignore"),
        Shape("part.text", "messages[].content"),
        Shape("part.refusal", "messages[].content", action="approximate"),
        Shape("part.image.url", action="refuse", note="unless `media-fetch` brings it"),
        Shape("part.image.inline", "messages[].images"),
        Shape("part.image.file", action="refuse"),
        Shape("part.image.detail", action="ignore"),
        Shape("part.audio", "messages[].images", action="refuse", note="only Ollama's own clients send it so"),
        Shape("part.video", action="refuse"),
        Shape("part.document.url", action="refuse", note="unless `media-fetch` brings it"),
        Shape("part.document.inline", action="refuse"),
        Shape("part.document.file", action="refuse"),
        Shape("part.document.text", "messages[].content", action="emulate", note="in <document> marks"),
        Shape("part.document.citations", action="drop"),
        Shape("part.reasoning", "messages[].thinking", note="the text; opaque state has no place"),
        Shape("part.citations", action="drop"),
        Shape("part.cache", action="ignore"),
        Shape("part.tool_call", "messages[].tool_calls"),
        Shape("part.tool_call.freeform", "messages[].tool_calls", action="emulate"),
        Shape("part.tool_result", "messages[].role: tool"),
        Shape("part.tool_result.media", action="drop"),
        Shape("part.tool_result.is_error", "messages[].content", action="emulate"),
        Shape("part.hosted_tool", action="drop"),
        Shape("part.compaction", "messages[].content", action="emulate", note="its text, where it can be read"),
        Shape("tool.function", "tools[]"),
        Shape("tool.function.strict", action="drop"),
        Shape("tool.function.namespace", "tools[].function.name", action="emulate"),
        Shape("tool.function.defer", action="ignore", note="loaded at once"),
        Shape("tool.freeform", "tools[]", action="emulate"),
        Shape("tool.web_search", action="drop"),
        Shape("tool.code_execution", action="drop"),
        Shape("tool.hosted", action="drop"),
        Shape("tool_choice.auto"),
        Shape("tool_choice.none", "tools", action="emulate", note="no tools are sent"),
        Shape("tool_choice.required", action="drop"),
        Shape("tool_choice.named", "tools", action="drop", note="only that tool is sent"),
        Shape("tool_choice.allowed", "tools", action="emulate", note="only those tools are sent"),
        Shape("tool_choice.hosted", action="refuse"),
        Shape("tool_choice.allow_parallel", action="drop"),
        Shape("output_format.json_object", "format: json"),
        Shape("output_format.json_schema", "format"),
        Shape("modalities", action="refuse", note="other than text"),
        Shape("audio_output", action="refuse"),
        Own("keep_alive", "ignore"),
        Own("options", "ignore", "how the model is loaded"),
        *(Own(f"options.{name}") for name in QUALITY),
        Own("truncate", "ignore"),
        Own("shift", "ignore"),
        Own("_debug_render_only", "ignore"),
        Own("raw", "refuse"),
        Own("template", "refuse"),
        Own("context", "refuse"),
        Own("suffix", "refuse"),
        Own("width", "refuse"),
        Own("height", "refuse"),
        Own("steps", "refuse"),
    ],
)
