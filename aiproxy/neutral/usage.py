"""What one answer used, in disjoint buckets, and the two sums that protocols derive from them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

TOKENS = (
    "input_uncached", "cache_read", "cache_write", "cache_write_1h", "audio_in", "image_in", "tool_prompt",
    "output_visible", "reasoning", "audio_out", "image_out",
)  # fmt: skip
"""The buckets: first those of what was read, from `output_visible` on those of what was written."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens. Disjoint: nothing is counted in two buckets. None means nobody said, which is not zero.

    `cache_write` holds writes of the vendor's default lifetime, `cache_write_1h` those of an hour. `tool_prompt` is what a
    vendor-run tool put into the prompt. `server_tools` counts uses of vendor-run tools by kind: uses, not tokens."""

    input_uncached: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    cache_write_1h: int | None = None
    audio_in: int | None = None
    tool_prompt: int | None = None
    output_visible: int | None = None
    reasoning: int | None = None
    audio_out: int | None = None
    image_in: int | None = None
    image_out: int | None = None
    server_tools: Mapping[str, int] | None = None
    raw: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    """What the vendor said, as it said it."""
    estimated: bool = field(default=False, compare=False, repr=False)
    """The vendor doesn't say; who read its answer guesses."""

    @classmethod
    def from_totals(
        cls,
        *,
        input_total: int | None = None,
        cache_read: int | None = None,
        cache_write: int | None = None,
        audio_in: int | None = None,
        tool_prompt: int | None = None,
        output_total: int | None = None,
        reasoning: int | None = None,
        audio_out: int | None = None,
        image_in: int | None = None,
        image_out: int | None = None,
        total: int | None = None,
        server_tools: Mapping[str, int] | None = None,
        raw: Mapping[str, Any] | None = None,
    ) -> "Usage":
        """From the view of OpenAI and Gemini, where the details are parts of the total.

        Some servers report an input that excludes its details; then the details would exceed it, and it is taken as the rest.
        Some (xAI) report an output that excludes reasoning; then only all three add up to their `total`."""
        if reasoning and input_total is not None and output_total is not None:
            output_total += reasoning if total == input_total + output_total + reasoning else 0
        return cls(
            input_uncached=_rest(input_total, cache_read, cache_write, audio_in, image_in, tool_prompt),
            cache_read=cache_read,
            cache_write=cache_write,
            audio_in=audio_in,
            tool_prompt=tool_prompt,
            output_visible=_rest(output_total, reasoning, audio_out, image_out),
            reasoning=reasoning,
            audio_out=audio_out,
            image_in=image_in,
            image_out=image_out,
            server_tools=server_tools,
            raw=raw,
        )

    @property
    def input_total(self) -> int | None:
        """Everything the model read: the OpenAI and Gemini view of input."""
        return _sum(
            self.input_uncached,
            self.cache_read,
            self.cache_write,
            self.cache_write_1h,
            self.audio_in,
            self.image_in,
            self.tool_prompt,
        )

    @property
    def input_fresh(self) -> int | None:
        """What was neither read from a cache nor written to one: Anthropic's `input_tokens`."""
        return _sum(self.input_uncached, self.audio_in, self.image_in, self.tool_prompt)

    @property
    def cache_write_total(self) -> int | None:
        """Anthropic's `cache_creation_input_tokens`."""
        if self.cache_write is None:
            return self.cache_write_1h
        return _sum(self.cache_write, self.cache_write_1h)

    @property
    def output_total(self) -> int | None:
        """Everything the model wrote, thinking included."""
        return _sum(self.output_visible, self.reasoning, self.audio_out, self.image_out)

    def updated(self, later: "Usage") -> "Usage":
        """A later report of the same answer: its numbers win, what it leaves out stays."""
        said = {f.name: value for f in fields(later) if (value := getattr(later, f.name)) is not None}
        if self.raw and later.raw:
            said["raw"] = {**self.raw, **later.raw}
        return replace(self, **said)

    def plus(self, other: "Usage") -> "Usage":
        """Of two answers together. What neither of them said, nobody says."""
        numbers = {
            f.name: _sum(one, two) if (one := getattr(self, f.name)) is not None else two
            for f in fields(self)
            if f.name not in ("server_tools", "raw", "estimated")
            for two in (getattr(other, f.name),)
        }
        tools = [*(self.server_tools or {}).items(), *(other.server_tools or {}).items()]
        uses = {kind: sum(count for name, count in tools if name == kind) for kind, _ in tools}
        guessed = self.estimated or other.estimated
        return Usage(**numbers, server_tools=uses or None, raw=other.raw or self.raw, estimated=guessed)


def _sum(first: int | None, *rest: int | None) -> int | None:
    if first is None:
        return None
    for part in rest:  # a loop, since every answer is summed up several times, and a generator costs thrice as much
        if part:
            first += part
    return first


def _rest(total: int | None, *details: int | None) -> int | None:
    if total is None:
        return None
    inside = sum(part or 0 for part in details)
    return total - inside if inside <= total else total
