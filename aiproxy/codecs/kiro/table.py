"""What becomes of each feature of a request at Kiro, whose requests are a conversation and its tools, and little else.

Source: provider sheet kiro; the service's model in aws/amazon-q-developer-cli."""

from typing import Final

from aiproxy.codecs.fields import Field, FieldTable, Shape

NAME: Final = "kiro"

_CURRENT: Final = "conversationState.currentMessage.userInputMessage"
_HISTORY: Final = "conversationState.history[]"

_UNKNOWN: Final = (
    "temperature",
    "top_p",
    "top_k",
    "min_p",
    "frequency_penalty",
    "presence_penalty",
    "repetition_penalty",
    "seed",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "max_output_tokens",
)
"""Of sampling: there is no such parameter."""

TABLE = FieldTable(
    NAME,
    [
        Shape("model", f"{_CURRENT}.modelId"),
        Shape("stream", note="answers are always streams"),
        Field("verbosity", action="drop"),
        Field("service_tier", action="ignore"),
        *(Field(f"sampling.{name}", action="drop") for name in _UNKNOWN),
        Field("sampling.stop", action="emulate", note="the gateway cuts the answer"),
        Shape("sampling.n", action="refuse"),
        Shape("reasoning.mode", "<thinking_mode>", note="before the instructions"),
        Shape("reasoning.effort", "<thinking_effort>"),
        Shape("reasoning.budget_tokens", "<max_thinking_length>"),
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
        Shape("turn.system", f"{_HISTORY}.userInputMessage.content", note="before the first message's own text"),
        Shape("turn.system_midway", f"{_HISTORY}.userInputMessage.content", action="emulate"),
        Shape("turn.user", f"{_HISTORY}.userInputMessage"),
        Shape("turn.assistant", f"{_HISTORY}.assistantResponseMessage"),
        Shape("turn.prefill", action="approximate", note="the model is asked to continue"),
        Shape("turn.name", action="ignore"),
        Shape("turn.phase", action="ignore"),
        Shape("part.text", f"{_CURRENT}.content"),
        Shape("part.refusal", f"{_HISTORY}.assistantResponseMessage.content", action="approximate"),
        Shape("part.image.url", action="refuse", note="unless `media-fetch` brings it"),
        Shape("part.image.inline", f"{_CURRENT}.images[]", note="the last ten"),
        Shape("part.image.file", action="refuse"),
        Shape("part.image.detail", action="ignore"),
        Shape("part.audio", action="refuse"),
        Shape("part.video", action="refuse"),
        Shape("part.document.url", action="refuse", note="unless `media-fetch` brings it"),
        Shape("part.document.inline", action="refuse"),
        Shape("part.document.file", action="refuse"),
        Shape("part.document.text", f"{_CURRENT}.content", action="emulate", note="in <document> marks"),
        Shape("part.document.citations", action="drop"),
        Shape(
            "part.reasoning", f"{_HISTORY}.assistantResponseMessage.reasoningContent", note="its text where unsigned"
        ),
        Shape("part.citations", action="drop"),
        Shape("part.cache", action="ignore"),
        Shape("part.tool_call", f"{_HISTORY}.assistantResponseMessage.toolUses[]"),
        Shape("part.tool_call.freeform", f"{_HISTORY}.assistantResponseMessage.toolUses[]", action="emulate"),
        Shape("part.tool_result", f"{_CURRENT}.userInputMessageContext.toolResults[]"),
        Shape("part.tool_result.media", f"{_CURRENT}.images[]"),
        Shape("part.tool_result.is_error", f"{_CURRENT}.userInputMessageContext.toolResults[].status"),
        Shape("part.hosted_tool", action="drop"),
        Shape(
            "part.compaction",
            f"{_HISTORY}.userInputMessage.content",
            action="emulate",
            note="its text, where it can be read",
        ),
        Shape("tool.function", f"{_CURRENT}.userInputMessageContext.tools[]"),
        Shape("tool.function.strict", action="drop"),
        Shape("tool.function.namespace", f"{_CURRENT}.userInputMessageContext.tools[]", action="emulate"),
        Shape("tool.function.defer", action="ignore", note="loaded at once"),
        Shape("tool.freeform", f"{_CURRENT}.userInputMessageContext.tools[]", action="emulate"),
        Shape("tool.web_search", action="drop"),
        Shape("tool.code_execution", action="drop"),
        Shape("tool.hosted", action="drop"),
        Shape("tool_choice.auto"),
        Shape("tool_choice.none", action="emulate", note="no tools are sent"),
        Shape("tool_choice.required", action="drop"),
        Shape("tool_choice.named", action="drop", note="only that tool is sent"),
        Shape("tool_choice.allowed", action="emulate", note="only those tools are sent"),
        Shape("tool_choice.hosted", action="refuse"),
        Shape("tool_choice.allow_parallel", action="drop"),
        Shape("output_format.json_object", action="drop"),
        Shape("output_format.json_schema", action="drop"),
        Shape("modalities", action="refuse", note="other than text"),
        Shape("audio_output", action="refuse"),
    ],
)
