"""Hypothesis strategies for neutral values: any answer a codec might decode."""

from dataclasses import replace

from hypothesis import strategies as st

from aiproxy.neutral.carried import OpaqueState
from aiproxy.neutral.media import FileIdSource, InlineSource, TextSource, UrlSource
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
    TokenLogprob,
    ToolCallPart,
    ToolResultPart,
    VideoPart,
)
from aiproxy.neutral.response import Candidate, FinishReason, GenerateResponse
from aiproxy.neutral.usage import Usage

short = st.text(max_size=12)
names = st.text("abcxyzABC_019", min_size=1, max_size=8)
base64 = st.binary(max_size=6).map(lambda data: data.hex())
counts = st.none() | st.integers(0, 10**6)

opaque = st.tuples() | st.tuples(
    st.builds(OpaqueState, names, st.sampled_from(["thinking_signature", "encrypted_reasoning"]), short)
)
citations = st.lists(st.builds(Citation, url=st.none() | short, title=st.none() | short), max_size=2).map(tuple)
logprobs = st.none() | st.lists(st.builds(TokenLogprob, short, st.floats(-9, 0)), max_size=2).map(tuple)
sources = (
    st.builds(UrlSource, short)
    | st.builds(InlineSource, names, base64)
    | st.builds(FileIdSource, names, names)
    | st.builds(TextSource, short)
)
json_objects = st.dictionaries(names, short | st.integers(), max_size=2)

_bare: st.SearchStrategy[Part] = st.one_of(
    st.builds(TextPart, short, citations, logprobs),
    st.builds(RefusalPart, short, logprobs),
    st.builds(ImagePart, sources),
    st.builds(AudioPart, sources, st.none() | short),
    st.builds(VideoPart, sources),
    st.builds(DocumentPart, sources, st.none() | short),
    st.builds(ReasoningPart, short, st.lists(short, max_size=3).map(tuple), st.booleans()),
    st.builds(ToolCallPart, names, names, short, complete=st.booleans()),
    st.builds(ToolResultPart, names, st.tuples(st.builds(TextPart, short))),
    st.builds(HostedToolCallPart, names, names, json_objects),
    st.builds(HostedToolResultPart, names, names, json_objects),
    st.builds(CompactionPart, st.none() | short),
    st.builds(RawPart, names, names, json_objects),
)


@st.composite
def parts(draw: st.DrawFn) -> Part:
    return replace(draw(_bare), opaque=draw(opaque), id=draw(st.none() | names))


usages = st.builds(Usage, counts, counts, counts, counts, counts, counts, counts, counts, counts)
finishes: st.SearchStrategy[FinishReason] = st.sampled_from(["stop", "length", "tool_calls", "refusal"])


@st.composite
def responses(draw: st.DrawFn) -> GenerateResponse:
    candidates = tuple(
        Candidate(index, tuple(draw(st.lists(parts(), max_size=4))), draw(finishes), draw(st.none() | short))
        for index in range(draw(st.integers(0, 3)))
    )
    return GenerateResponse(
        draw(names),
        draw(names),
        draw(st.integers(0, 2**33)),
        candidates,
        draw(st.none() | usages),
        draw(st.none() | names),
    )
