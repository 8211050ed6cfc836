"""A request to generate, in no vendor's words. None and empty mean the client did not say; nothing said, nothing sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from aiproxy.neutral.carried import Extensions, Json
from aiproxy.neutral.parts import Part
from aiproxy.neutral.tools import ToolChoice, ToolDefinition

Role: TypeAlias = Literal["system", "developer", "user", "assistant", "tool"]

Effort: TypeAlias = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


@dataclass(frozen=True, slots=True)
class Turn:
    """System and developer turns keep their position. `phase` is OpenAI's commentary | final_answer. `continues` marks a
    piece of the turn before it: some clients keep what a stream brought as it came."""

    role: Role
    parts: tuple[Part, ...] = ()
    name: str | None = None
    phase: str | None = None
    continues: bool = False
    extensions: Extensions = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """`logit_bias` maps token ids as text. `stop` () is not given. `n` counts candidates."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    repetition_penalty: float | None = None
    seed: int | None = None
    logit_bias: Mapping[str, float] | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    stop: tuple[str, ...] = ()
    max_output_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class ReasoningConfig:
    """`budget_tokens` −1 is "as much as you think right" (Gemini's dynamic). `visibility` is what the client wants to see."""

    mode: Literal["default", "off", "adaptive", "manual", "between_tools"] = "default"
    effort: Effort | None = None
    budget_tokens: int | None = None
    visibility: Literal["hidden", "summary", "full"] | None = None
    summary_style: str | None = None


@dataclass(frozen=True, slots=True)
class OutputFormat:
    kind: Literal["text", "json_object", "json_schema"]
    name: str | None = None
    schema: Mapping[str, Json] | None = None
    strict: bool | None = None
    description: str | None = None
    extensions: Extensions = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AudioOutput:
    """How the model should sound. `voice` stays JSON: a name at OpenAI, an object at Gemini."""

    voice: Json = None
    format: str | None = None


@dataclass(frozen=True, slots=True)
class StateRef:
    """State the vendor keeps between requests (Responses)."""

    previous_response_id: str | None = None
    conversation: str | None = None
    store: bool | None = None
    background: bool | None = None


@dataclass(frozen=True, slots=True)
class CacheConfig:
    key: str | None = None
    mode: str | None = None
    ttl: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the client says its user is; told to a vendor only in the fields meant for it."""

    end_user: str | None = None
    metadata: Mapping[str, str] | None = None
    safety_id: str | None = None


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """`service_tier` in OpenAI's words: auto, default, flex, priority, fast. `modalities`: text, audio, image."""

    model: str
    turns: tuple[Turn, ...] = ()
    stream: bool = False
    tools: tuple[ToolDefinition, ...] = ()
    tool_choice: ToolChoice = field(default_factory=ToolChoice)
    sampling: SamplingParams = SamplingParams()
    reasoning: ReasoningConfig = ReasoningConfig()
    output_format: OutputFormat | None = None
    verbosity: str | None = None
    modalities: tuple[str, ...] = ()
    audio_output: AudioOutput | None = None
    state: StateRef = StateRef()
    cache: CacheConfig = CacheConfig()
    identity: Identity = Identity()
    service_tier: str | None = None
    extensions: Extensions = field(default_factory=dict)
