"""An estimate of a request's tokens, for upstreams that can't count. Always flagged as one to the client."""

import re
from collections.abc import Mapping
from typing import Any, assert_never

from aiproxy.codecs.json_bytes import dump
from aiproxy.neutral.media import InlineSource, TextSource
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
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.tools import FreeformTool, FunctionTool, HostedTool, ToolDefinition

BYTES_PER_TOKEN = 4
"""The usual rule of thumb for English text and code."""

IMAGE = 1500
"""Tokens of an image: what Anthropic charges for one of 1.15 megapixels, the size larger ones are scaled to."""

BASE64_PER_TOKEN = 40
"""Base64 characters of a PDF or a sound to one token: a page of 3,000 tokens has about 120 kB."""

PER_TURN = 4
"""Tokens that mark a turn's role and end, as OpenAI's cookbook counts them."""

USUAL_OUTPUT = 4096
"""Tokens that a request is taken to write at most when it doesn't say: what vendors' own defaults were for years."""

LARGEST_CONTEXT = 1_000_000
"""Tokens a request reads, or writes, at most: no common model has a larger context, whatever a body's media weigh."""

_OUTPUT_LIMITS = ("max_tokens", "max_completion_tokens", "max_output_tokens", "maxOutputTokens", "num_predict")

_WIDE = re.compile("[\u2e80-\U0003ffff]")
"""Ideographs, kana, hangul and emoji: about one token each."""


def estimate(request: GenerateRequest) -> int:
    turns = sum(PER_TURN + sum(map(of_part, turn.parts)) for turn in request.turns)
    return turns + sum(map(_tool, request.tools))


def most_tokens(size: int, body: Mapping[str, Any]) -> tuple[int, int]:
    """About what a request reads and writes at most, in any protocol: `size` is its bytes. The output is what it allows, else
    `USUAL_OUTPUT`."""
    nested = [each for name in ("generationConfig", "options") if isinstance(each := body.get(name), dict)]
    allowed = [each.get(name) for each in (body, *nested) for name in _OUTPUT_LIMITS]
    output = max((each for each in allowed if isinstance(each, int) and each > 0), default=USUAL_OUTPUT)
    return min(size // BYTES_PER_TOKEN, LARGEST_CONTEXT), min(output, LARGEST_CONTEXT)


def of_text(text: str) -> int:
    wide = len(_WIDE.findall(text))
    narrow = len(text) - wide if text.isascii() else len(_WIDE.sub("", text).encode("utf-8", "surrogatepass"))
    return wide + -(-narrow // BYTES_PER_TOKEN)


def of_part(part: Part) -> int:
    match part:
        case TextPart(text=text) | RefusalPart(text=text):
            return of_text(text)
        case ReasoningPart(text=text, summaries=summaries):
            return of_text(text or "".join(summaries))
        case ImagePart():
            return IMAGE
        case DocumentPart(source=TextSource(text)):
            return of_text(text)
        case AudioPart(source=source) | VideoPart(source=source) | DocumentPart(source=source):
            return len(source.data) // BASE64_PER_TOKEN if isinstance(source, InlineSource) else IMAGE
        case ToolCallPart(name=name, arguments_text=text):
            return PER_TURN + of_text(name) + of_text(text)
        case ToolResultPart(content=content):
            return PER_TURN + sum(map(of_part, content))
        case HostedToolCallPart(payload=value) | HostedToolResultPart(payload=value) | RawPart(json=value):
            return len(dump(value)) // BYTES_PER_TOKEN
        case CompactionPart(text=summary):
            return of_text(summary or "")
        case _:
            assert_never(part)


def _tool(tool: ToolDefinition) -> int:
    match tool:
        case FunctionTool(name=name, description=description, parameters=parameters):
            return PER_TURN + of_text(f"{name}{description or ''}") + _size(parameters)
        case FreeformTool(name=name, description=description, grammar=grammar):
            return PER_TURN + of_text(f"{name}{description or ''}{grammar.definition if grammar else ''}")
        case HostedTool(config=config):
            return PER_TURN + _size(config)
        case _:
            assert_never(tool)


def _size(value: object) -> int:
    return len(dump(value)) // BYTES_PER_TOKEN if value else 0
