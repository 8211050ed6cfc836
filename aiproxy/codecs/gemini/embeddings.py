"""`:batchEmbedContents`, and `:embedContent` for one. Source: Gemini API reference, embeddings; google-genai asks for
batches only, and puts several texts of one content's parts into one vector."""

from collections.abc import Mapping
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
from aiproxy.codecs.gemini.names import NAME, camel
from aiproxy.codecs.json_bytes import dump, load_object
from aiproxy.codecs.report import Report
from aiproxy.codecs.splice import read_object
from aiproxy.neutral.carried import Json
from aiproxy.neutral.embedding import EmbeddingRequest, EmbeddingResponse, Input, Parts
from aiproxy.neutral.errors import InvalidRequest, Unsupported, UpstreamFailed

_KNOWN = ("model", "content", "taskType", "title", "outputDimensionality")

CONTENTS = "~contents"
"""The note that holds contents as they came, where they are more than a text each."""


def decode_batch(body: bytes, model: str, report: Report) -> EmbeddingRequest:
    asked = _camel(body)
    requests = asked.get("requests")
    if not isinstance(requests, list) or not all(isinstance(one, dict) for one in requests):
        raise InvalidRequest("`requests`: must be a list of objects.", param="requests")
    return _request(inputs_of(requests, "requests"), model, "requests[].", report)


def decode_one(body: bytes, model: str, report: Report) -> EmbeddingRequest:
    return _request([_camel(body)], model, "", report)


def encode_batch(request: EmbeddingRequest, report: Report) -> bytes:
    return dump({"requests": _requests(request, report)})


def encode_one(request: EmbeddingRequest, report: Report) -> bytes:
    requests = _requests(request, report)
    return dump(requests[0] if requests else {})


def _requests(request: EmbeddingRequest, report: Report) -> list[dict[str, Json]]:
    """Each names the model once more, or Google refuses it."""
    account_for(request, NAME, report, "truncate")
    name = request.model if "/" in request.model else f"models/{request.model}"
    said = {"taskType": request.task, "title": request.title, "outputDimensionality": request.dimensions}
    shared: dict[str, Json] = {key: value for key, value in said.items() if value is not None}
    riding = dict(request.extensions.get(NAME, {}))
    contents = riding.pop(CONTENTS, None) or [{"parts": [{"text": text_of(one, report)}]} for one in request.inputs]
    return [{"model": name, "content": content, **shared, **riding} for content in contents]


def decode_response(body: bytes) -> EmbeddingResponse:
    found = load_object(body, exact=False)
    if error := hidden_error(found):
        raise error
    embeddings = [found["embedding"]] if "embedding" in found else found.get("embeddings", [])
    if not isinstance(embeddings, list) or not all(isinstance(one, dict) for one in embeddings):
        raise UpstreamFailed("The upstream sent an answer without a list of embeddings.")
    usage = found.get("usageMetadata")
    tokens = usage.get("promptTokenCount") if isinstance(usage, dict) else None
    return EmbeddingResponse(
        tuple(vector_of(one.get("values", [])) for one in embeddings), tokens if isinstance(tokens, int) else None
    )


def encode_batch_response(response: EmbeddingResponse, _request: EmbeddingRequest, _report: Report) -> Answer:
    return Answer(200, dump({"embeddings": [{"values": one} for one in response.vectors], **_usage(response)}))


def encode_one_response(response: EmbeddingResponse, _request: EmbeddingRequest, _report: Report) -> Answer:
    values = response.vectors[0] if response.vectors else []
    return Answer(200, dump({"embedding": {"values": values}, **_usage(response)}))


def _usage(response: EmbeddingResponse) -> dict[str, Json]:
    return {} if response.tokens is None else {"usageMetadata": {"promptTokenCount": response.tokens}}


def _camel(body: bytes) -> dict[str, Any]:
    try:
        found: dict[str, Any] = camel(read_object(body))
    except ValueError as error:
        raise InvalidRequest(f"{error}.") from error
    return found


def _request(requests: list[dict[str, Any]], model: str, where: str, report: Report) -> EmbeddingRequest:
    """What all texts are to be made for is said once in neutral: a batch that differs in it can't be told elsewhere."""
    if len({dump({**one, "content": None}) for one in requests}) > 1:
        field = f"{where}taskType"
        raise Unsupported(
            f"`{field}`, `title` and `outputDimensionality` must be the same for all requests of a batch that is "
            "translated: send a batch for each.",
            param=field,
        )
    first = requests[0] if requests else {}
    for name, feature in (("taskType", "task"), ("title", "title")):
        if first.get(name) is not None:
            report.read(f"{where}{name}", f"embedding.{feature}")
    rest = {name: value for name, value in first.items() if name not in _KNOWN}
    contents = [_parts(one.get("content"), f"{where}content") for one in requests]
    inputs = tuple(map(_input, contents))
    report.read(where.removesuffix("[].") or "content", "embedding.inputs")
    if any(isinstance(one, Parts) for one in inputs):
        report.read(f"{where}content.parts", "embedding.parts")
        rest[CONTENTS] = [one["content"] for one in requests]
    return EmbeddingRequest(
        model,
        inputs,
        dimensions=dimensions_of(first.get("outputDimensionality"), f"{where}outputDimensionality", report),
        task=_string(first, "taskType", where),
        title=_string(first, "title", where),
        extensions=carried(NAME, rest, report),
    )


def _parts(content: Json, field: str) -> list[dict[str, Any]]:
    parts = content.get("parts") if isinstance(content, dict) else None
    if isinstance(parts, dict):
        parts = [parts]
    if not isinstance(parts, list) or not parts or not all(isinstance(part, dict) for part in parts):
        raise InvalidRequest(f"`{field}`: must have a list of parts.", param=f"{field}.parts")
    return parts


def _input(parts: list[dict[str, Any]]) -> Input:
    texts = tuple(part["text"] for part in parts if isinstance(part.get("text"), str))
    return texts[0] if len(texts) == len(parts) == 1 else Parts(texts, media=len(texts) < len(parts))


def _string(found: Mapping[str, Any], name: str, where: str) -> str | None:
    value = found.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidRequest(f"`{where}{name}`: must be a string.", param=f"{where}{name}")
    return value


EMBEDDINGS = Embeddings(decode_batch, encode_batch, decode_response, encode_batch_response)
EMBEDDING = Embeddings(decode_one, encode_one, decode_response, encode_one_response)
