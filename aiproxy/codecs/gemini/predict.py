"""Vertex AI's `:predict` for embeddings of texts, which is its own form and not Gemini's.

Source: google-genai 3.6 in Vertex mode (`instances`, `parameters`); Vertex AI API reference, text embeddings."""

from typing import Any

from aiproxy.codecs.base import Answer
from aiproxy.codecs.embeddings import (
    Embeddings,
    account_for,
    carried,
    dimensions_of,
    inputs_of,
    text_of,
    vector_of,
)
from aiproxy.codecs.gemini.answers import hidden_error
from aiproxy.codecs.json_bytes import dump, load_object
from aiproxy.codecs.report import Report
from aiproxy.codecs.splice import read_object
from aiproxy.neutral.carried import Json
from aiproxy.neutral.embedding import EmbeddingRequest, EmbeddingResponse
from aiproxy.neutral.errors import InvalidRequest, UpstreamFailed

NAME = "vertex-predict"

_KNOWN = ("outputDimensionality", "autoTruncate")


def decode_request(body: bytes, model: str, report: Report) -> EmbeddingRequest:
    asked = read_object(body)
    instances, parameters = asked.get("instances"), asked.get("parameters") or {}
    if not isinstance(instances, list) or not all(
        isinstance(one, dict) and isinstance(one.get("content"), str) for one in instances
    ):
        raise InvalidRequest("`instances`: must be a list of objects with a text as `content`.", param="instances")
    if not isinstance(parameters, dict):
        raise InvalidRequest("`parameters`: must be an object.", param="parameters")
    first: dict[str, Any] = instances[0] if instances else {}
    truncate = parameters.get("autoTruncate")
    report.read("instances", "embedding.inputs")
    return EmbeddingRequest(
        model,
        tuple(one["content"] for one in inputs_of(instances, "instances")),
        dimensions=dimensions_of(parameters.get("outputDimensionality"), "parameters.outputDimensionality", report),
        task=_text(first, "task_type"),
        title=_text(first, "title"),
        truncate=truncate if isinstance(truncate, bool) else None,
        extensions=carried(NAME, {name: value for name, value in parameters.items() if name not in _KNOWN}, report),
    )


def encode_request(request: EmbeddingRequest, report: Report) -> bytes:
    """The model is in the path; what the texts are for stands in each instance, how long vectors are once for all."""
    account_for(request, NAME, report)
    said = {"task_type": request.task, "title": request.title}
    shared = {name: value for name, value in said.items() if value is not None}
    instances: list[Json] = [{"content": text_of(one, report), **shared} for one in request.inputs]
    wanted = {"outputDimensionality": request.dimensions, "autoTruncate": request.truncate}
    parameters = {name: value for name, value in wanted.items() if value is not None}
    return dump({"instances": instances, "parameters": {**parameters, **request.extensions.get(NAME, {})}})


def decode_response(body: bytes) -> EmbeddingResponse:
    found = load_object(body, exact=False)
    if error := hidden_error(found):
        raise error
    predictions = found.get("predictions")
    if not isinstance(predictions, list):
        raise UpstreamFailed("The upstream sent an answer without a list of predictions.")
    embeddings = [_embedding(one) for one in predictions]
    counts = [_tokens(one) for one in embeddings]
    tokens = None if None in counts else sum(count or 0 for count in counts)
    return EmbeddingResponse(tuple(vector_of(one.get("values", [])) for one in embeddings), tokens)


def encode_response(response: EmbeddingResponse, _request: EmbeddingRequest, _report: Report) -> Answer:
    return Answer(200, dump({"predictions": [{"embeddings": {"values": one}} for one in response.vectors]}))


def _embedding(prediction: Json) -> dict[str, Any]:
    found = prediction.get("embeddings") if isinstance(prediction, dict) else None
    if not isinstance(found, dict):
        raise UpstreamFailed("The upstream sent a prediction that is no embedding.")
    return found


def _tokens(embedding: dict[str, Any]) -> int | None:
    statistics = embedding.get("statistics")
    count = statistics.get("token_count") if isinstance(statistics, dict) else None
    return int(count) if isinstance(count, int | float) and not isinstance(count, bool) else None


def _text(instance: dict[str, Any], name: str) -> str | None:
    value = instance.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidRequest(f"`instances[].{name}`: must be a string.", param=f"instances[].{name}")
    return value


PREDICT = Embeddings(decode_request, encode_request, decode_response, encode_response)
