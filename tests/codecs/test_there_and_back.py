"""A conversation that is told in another protocol and back again keeps what both can say: every text, call and result, in
its place. For every pair of protocols."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs import anthropic_messages, gemini, ollama, openai_chat, openai_responses
from aiproxy.codecs.codec import Codec, Exchange, Incoming
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.report import Report
from aiproxy.neutral.parts import Part, TextPart, ToolCallPart, ToolResultPart
from aiproxy.neutral.request import GenerateRequest, SamplingParams, Turn
from aiproxy.neutral.tools import FunctionTool
from aiproxy.secrets import Secret

CODECS = (openai_chat.CODEC, openai_responses.CODEC, anthropic_messages.CODEC, gemini.CODEC, ollama.CODEC)
SEALER = Sealer(Secret("a key of the tests"), "tenant")
TOOLS = tuple(FunctionTool(name, "", {"type": "object", "properties": {}}) for name in ("look", "get_weather"))

# Blank texts are dropped where a target refuses them; the protocols' own tables have cases for that.
words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
    str.strip
)
arguments = st.dictionaries(st.sampled_from(["city", "n"]), words | st.integers(0, 2**70) | st.booleans(), max_size=2)


@st.composite
def conversations(draw: st.DrawFn) -> GenerateRequest:
    """Turns as agents have them: a question, an answer, or calls with their results."""
    turns: list[Turn] = [Turn("system", (TextPart(draw(words)),))] if draw(st.booleans()) else []
    calls = 0
    for _ in range(draw(st.integers(1, 4))):
        turns.append(Turn("user", (TextPart(draw(words)),)))
        said: list[Part] = [TextPart(draw(words))] if draw(st.booleans()) else []
        results: list[Part] = []
        for _ in range(draw(st.integers(0 if said else 1, 3))):
            calls += 1
            call_id, name = f"call_{calls}", draw(st.sampled_from(["look", "get_weather"]))
            said.append(ToolCallPart(call_id, name, arguments_text=json.dumps(draw(arguments), ensure_ascii=False)))
            results.append(ToolResultPart(call_id, (TextPart(draw(words)),), name))
        turns.append(Turn("assistant", tuple(said)))
        if results:
            turns.append(Turn("tool", tuple(results)))
    turns.append(Turn("user", (TextPart(draw(words)),)))
    return GenerateRequest("m", tuple(turns), tools=TOOLS, sampling=SamplingParams(max_output_tokens=1000))


def through(codec: Codec, request: GenerateRequest, source: str) -> GenerateRequest:
    """The request as this protocol's reader understands what its writer wrote."""
    written = codec.encode_request(Exchange(request, SEALER, "req_1", source)).body
    model = request.model if codec is gemini.CODEC else None
    return codec.decode_request(Incoming(written, model, stream=False if model else None), SEALER, Report())


def told(request: GenerateRequest) -> list[tuple[Any, ...]]:
    """What is said, by whom, in order; texts of one speaker that follow one another are one."""
    found: list[tuple[Any, ...]] = []
    for kind, *what in _items(request.turns):
        if found and found[-1][0] == kind and kind in ("system", "user", "assistant"):
            found[-1] = (kind, found[-1][1] + what[0])
        else:
            found.append((kind, *what))
    return found


def _items(turns: Sequence[Turn]) -> Iterator[tuple[Any, ...]]:
    for turn in turns:
        for part in turn.parts:
            match part:
                case TextPart():
                    yield ("system" if turn.role == "developer" else turn.role), part.text
                case ToolCallPart():
                    yield "call", part.name, json.loads(part.arguments_text or "{}")
                case ToolResultPart():
                    yield "result", "".join(inner.text for inner in part.content if isinstance(inner, TextPart))


@pytest.mark.parametrize(("near", "far"), list(permutations(CODECS, 2)), ids=lambda codec: codec.name)
def test_there_and_back(near: Codec, far: Codec) -> None:
    @given(conversations())
    def holds(conversation: GenerateRequest) -> None:
        came = through(near, conversation, "")
        assert told(came) == told(conversation)
        abroad = through(far, came, near.name)
        back = through(near, replace(abroad, extensions={}), far.name)
        assert told(back) == told(conversation)

    holds()
