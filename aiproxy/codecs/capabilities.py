"""What an upstream model can do, as a codec needs to know it. Defaults are permissive: an unknown model is asked for all.

Where the numbers come from (the model data file, overridden by configuration) is not here."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from aiproxy.neutral.request import Effort

ThinkingKind: TypeAlias = Literal["none", "effort", "budget", "adaptive", "level"]
"""How thinking is asked for: by effort word, token budget, the model's own measure (with effort), or Gemini's level."""

ALL_EFFORTS: tuple[Effort, ...] = ("none", "minimal", "low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """`vendor` is whose opaque state the upstream takes back. None is "nobody knows": the codec applies its protocol's rule.

    `efforts` and `levels` are the words the model knows, weakest first. `budget_tokens` is the least and most it may think.
    `refused_sampling` names fields of `SamplingParams` the model answers with an error. `tool_id_rule` overrides the
    protocol's rule for tool ids ("mistral"). Token counts are the model's documented limits."""

    vendor: str = ""
    context_tokens: int | None = None
    max_output_tokens: int | None = None
    input_modalities: frozenset[str] = frozenset({"text", "image", "audio", "video", "document"})
    output_modalities: frozenset[str] = frozenset({"text", "image", "audio"})
    """"embedding" is that of models which answer with vectors only."""

    media_urls: frozenset[str] | None = None
    """The kinds of media that the upstream fetches from a URL itself; None where it does what its protocol says."""

    thinking: ThinkingKind | None = None
    efforts: tuple[Effort, ...] | None = None
    budget_tokens: tuple[int, int] | None = None
    thinking_can_be_off: bool = True
    thinking_placeholder: bool = False
    """Whether a lost `reasoning_content` may be replaced by a blank (DeepSeek, Kimi); else thinking is turned off."""

    refused_sampling: frozenset[str] = frozenset()
    temperature_max: float | None = None
    stop_limit: int | None = None

    tools: bool = True
    tool_choices: frozenset[str] = frozenset({"auto", "none", "required", "named"})
    parallel_tools: bool = True
    freeform_tools: bool | None = None
    hosted_tools: frozenset[str] | None = None
    tool_id_rule: str | None = None
    tool_result_media: bool | None = None

    json_object: bool | None = None
    json_schema: bool | None = None
    json_schema_tools: bool | None = None
    """Gemini: tool parameters as JSON Schema; else its own Schema object."""

    system_turns_midway: bool | None = None
    developer_role: bool | None = None
    prefill: bool | None = None


PERMISSIVE = Capabilities()
