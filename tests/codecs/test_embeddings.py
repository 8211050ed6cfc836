"""The codecs for embeddings: there and back by each of them, and nothing but errors of ours for what is none of theirs."""

import json
import math
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.codecs import gemini, ollama, openai_chat
from aiproxy.codecs.embeddings import Embeddings, normalised
from aiproxy.codecs.report import Report
from aiproxy.neutral.embedding import EmbeddingRequest, EmbeddingResponse
from aiproxy.neutral.errors import GatewayError, InvalidRequest, Unsupported

CODECS: dict[str, Embeddings] = {
    f"{codec.name}-{name}": found
    for codec in (openai_chat.CODEC, gemini.CODEC, gemini.PREDICT_CODEC, ollama.CODEC)
    for name, found in (("many", codec.embeddings), ("one", codec.embedding))
    if found is not None
}
NAMES = [
    "model",
    "input",
    "dimensions",
    "encoding_format",
    "prompt",
    "truncate",
    "requests",
    "content",
    "parts",
    "text",
    "taskType",
    "title",
    "outputDimensionality",
    "output_dimensionality",
    "data",
    "embedding",
    "embeddings",
    "values",
    "usage",
    "prompt_tokens",
    "prompt_eval_count",
    "error",
    "index",
    "usageMetadata",
    "instances",
    "parameters",
    "predictions",
    "statistics",
    "token_count",
]

junk: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=20,
)
vectors = st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3).map(tuple)
codecs = st.sampled_from(list(CODECS.values()))


@given(codecs, junk)
def test_junk_raises_only_ours(codec: Embeddings, body: Any) -> None:
    data = json.dumps(body).encode()
    with suppress(InvalidRequest):
        codec.decode_request(data, "m", Report())
    with suppress(GatewayError):
        codec.decode_response(data)


@given(codec=codecs, text=st.text(min_size=1), dimensions=st.none() | st.integers(1, 4096))
def test_a_request_of_its_own_comes_back(codec: Embeddings, text: str, dimensions: int | None) -> None:
    request = EmbeddingRequest("m", (text,), dimensions)
    report = Report()
    again = codec.decode_request(codec.encode_request(request, report), "m", Report())
    assert again.inputs == (text,)
    assert again.dimensions == (None if "drop:embedding.dimensions" in report.warnings else dimensions)


@given(codecs, vectors.filter(any))
def test_vectors_come_back(codec: Embeddings, vector: tuple[float, ...]) -> None:
    for base64 in (False, True):
        request = EmbeddingRequest("m", ("a",), base64=base64)
        body = codec.encode_response(EmbeddingResponse((vector,), 3), request, Report()).body
        (found,) = codec.decode_response(body).vectors
        assert list(found) == list(vector) or list(found) == list(normalised(vector))


def test_vectors_of_length_one_stay_as_they_are() -> None:
    assert normalised((0.6, 0.8)) == (0.6, 0.8)
    assert normalised((0.0, 0.0)) == (0.0, 0.0)
    assert math.hypot(*normalised((3.0, 4.0))) == pytest.approx(1)


def test_what_only_one_protocol_knows_is_named() -> None:
    report = Report()
    body = json.dumps({"input": "a", "user": "u", "input_type": "query"}).encode()
    request = openai_chat.CODEC.embeddings.decode_request(body, "m", report)  # type: ignore[union-attr]
    gemini.CODEC.embeddings.encode_request(request, report)  # type: ignore[union-attr]
    assert report.warnings == ("drop:input_type",)


def test_strict_refuses_what_is_lost() -> None:
    report = Report(strict=True)
    request = gemini.CODEC.embedding.decode_request(  # type: ignore[union-attr]
        b'{"content": {"parts": [{"text": "a"}]}, "taskType": "CLUSTERING"}', "m", report
    )
    with pytest.raises(Unsupported) as caught:
        ollama.CODEC.embeddings.encode_request(request, report)  # type: ignore[union-attr]
    assert caught.value.param == "taskType"


def test_vertex_is_asked_as_googles_own_library_asks() -> None:
    request = EmbeddingRequest("m", ("a", "b"), 4, task="RETRIEVAL_QUERY", title="t", truncate=True)
    shared = {"task_type": "RETRIEVAL_QUERY", "title": "t"}
    assert json.loads(gemini.PREDICT_CODEC.embeddings.encode_request(request, Report())) == {  # type: ignore[union-attr]
        "instances": [{"content": "a", **shared}, {"content": "b", **shared}],
        "parameters": {"outputDimensionality": 4, "autoTruncate": True},
    }
