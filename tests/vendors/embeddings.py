"""The vendors' endpoints for embeddings, at one loopback address: each strict on what it is sent, and held to the types of
its own SDK before it answers."""

import base64
import hashlib
import math
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import ollama
from google.genai import types as google
from openai.types import CreateEmbeddingResponse, embedding_create_params
from pydantic import TypeAdapter

from tests.rig.upstream import Received, Upstream, Wire, upstream
from tests.vendors.vendor import dumps

DIMENSIONS = 8
TOKENS = 5

PARAMS: TypeAdapter[Any] = TypeAdapter(embedding_create_params.EmbeddingCreateParams)


def vector(text: str, dimensions: int | None = None) -> list[float]:
    """Of length 1, and exact in 32 bits."""
    size = dimensions or DIMENSIONS
    numbers = struct.unpack(f"<{size}h", hashlib.shake_128(text.encode()).digest(2 * size))
    length = math.hypot(*numbers)
    return list(struct.unpack(f"<{size}f", struct.pack(f"<{size}f", *(number / length for number in numbers))))


@dataclass
class Embedders:
    upstream: Upstream
    asked: list[dict[str, Any]] = field(default_factory=list)
    """Bodies, in order."""
    refused: list[str] = field(default_factory=list)
    busy: bool = False
    """Answers 429 instead."""

    @property
    def address(self) -> str:
        return self.upstream.base_url.removesuffix("/v1")


@contextmanager
def embedders() -> Iterator[Embedders]:
    def behave(received: Received, wire: Wire) -> None:
        try:
            running.asked.append(received.json)
            body = {"error": {"message": "Slow down."}} if running.busy else _answer(received)
        except (AssertionError, KeyError, ValueError) as reason:
            running.refused.append(f"{received.path}: {reason!r} in {received.body[:500]!r}")
            wire.answer(400, dumps({"error": {"message": repr(reason)}}))
        else:
            wire.answer(429 if running.busy else 200, dumps(body), {"retry-after": "7"} if running.busy else {})

    with upstream(behave) as served:
        running = Embedders(served)
        yield running


def _answer(received: Received) -> dict[str, Any]:
    path, body = urlsplit(received.path).path, received.json
    model, _, verb = path.removeprefix("/v1beta/models/").rpartition(":")
    match verb:
        case "/v1/embeddings":
            return _openai(body)
        case "batchEmbedContents":
            return _gemini_batch(model, body)
        case "embedContent":
            return _gemini_one(model, body)
        case "predict":
            assert path.startswith("/v1/publishers/google/models/")
            return _vertex(body)
        case "/api/embed":
            return _ollama(body)
        case "/api/embeddings":
            return _ollama_one(body)
    raise AssertionError(f"nothing is at {path}")


def _openai(body: dict[str, Any]) -> dict[str, Any]:
    PARAMS.validate_python(body)
    inputs = [body["input"]] if isinstance(body["input"], str) else body["input"]
    assert inputs, "input must not be empty"
    for one in inputs:  # pydantic would look at an Iterable only while it is read, and at its first kind only
        assert isinstance(one, str) or all(type(token) is int for token in one)
    vectors = [vector(text if isinstance(text, str) else repr(text), body.get("dimensions")) for text in inputs]
    data = [{"object": "embedding", "index": index, "embedding": one} for index, one in enumerate(vectors)]
    usage = {"prompt_tokens": TOKENS, "total_tokens": TOKENS}
    found = {"object": "list", "model": body["model"], "data": data, "usage": usage}
    CreateEmbeddingResponse.model_validate(found, strict=True)
    if body.get("encoding_format") == "base64":
        for entry, one in zip(data, vectors, strict=True):
            entry["embedding"] = base64.b64encode(struct.pack(f"<{len(one)}f", *one)).decode()
    return found


def _gemini_vector(model: str, request: dict[str, Any]) -> dict[str, Any]:
    assert request.get("model", f"models/{model}") == f"models/{model}", "the model of the request must be the path's"
    content = google.Content.model_validate(request["content"])
    google.EmbedContentConfig.model_validate(
        {key: value for key, value in request.items() if key not in ("model", "content")}
    )
    found = {
        "values": vector(
            "\n".join(part.text or "" for part in content.parts or ()), request.get("outputDimensionality")
        )
    }
    google.ContentEmbedding.model_validate(found)
    return found


def _gemini_batch(model: str, body: dict[str, Any]) -> dict[str, Any]:
    assert all("model" in request for request in body["requests"])
    found = {"embeddings": [_gemini_vector(model, request) for request in body["requests"]]}
    google.EmbedContentResponse.model_validate(found)
    return found


def _gemini_one(model: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"embedding": _gemini_vector(model, body)}


def _vertex(body: dict[str, Any]) -> dict[str, Any]:
    """As google-genai asks in Vertex mode, and reads."""
    assert set(body) <= {"instances", "parameters"}
    assert set(body["parameters"]) <= {"outputDimensionality", "autoTruncate"}
    size = body["parameters"].get("outputDimensionality")
    predictions = []
    for one in body["instances"]:
        assert set(one) <= {"content", "task_type", "title"}
        statistics = {"truncated": False, "token_count": TOKENS if one is body["instances"][0] else 0}
        embedding = {"values": vector(one["content"], size), "statistics": statistics}
        google.ContentEmbedding.model_validate(embedding)
        predictions.append({"embeddings": embedding})
    return {"predictions": predictions}


def _ollama(body: dict[str, Any]) -> dict[str, Any]:
    ollama.EmbedResponse.model_validate(body | {"embeddings": []})
    inputs = [body["input"]] if isinstance(body["input"], str) else body["input"]
    assert all(isinstance(text, str) for text in inputs), "invalid input type"
    vectors = [vector(text, body.get("dimensions")) for text in inputs]
    found = {"model": body["model"], "embeddings": vectors, "total_duration": 14143917, "prompt_eval_count": TOKENS}
    ollama.EmbedResponse.model_validate(found)
    return found


def _ollama_one(body: dict[str, Any]) -> dict[str, Any]:
    found = {"embedding": vector(body["prompt"])}
    ollama.EmbeddingsResponse.model_validate(found)
    return found
