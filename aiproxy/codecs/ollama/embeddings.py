"""`/api/embed`, and its elder `/api/embeddings` for one prompt. Source: Ollama's `docs/api.md` and `server/routes.go`.

Vectors of `/api/embed` have length 1, whoever made them."""

from typing import Any

from aiproxy.codecs.base import Answer
from aiproxy.codecs.embeddings import (
    Embeddings,
    account_for,
    carried,
    dimensions_of,
    inputs_of,
    normalised,
    text_of,
    vector_of,
)
from aiproxy.codecs.json_bytes import dump, load_object
from aiproxy.codecs.ollama.errors import hidden
from aiproxy.codecs.ollama.table import NAME
from aiproxy.codecs.ollama.times import durations
from aiproxy.codecs.report import Report
from aiproxy.codecs.splice import read_object
from aiproxy.neutral.carried import Json
from aiproxy.neutral.embedding import EmbeddingRequest, EmbeddingResponse
from aiproxy.neutral.errors import InvalidRequest, UpstreamFailed

_KNOWN = ("model", "input", "prompt", "dimensions", "truncate")


def decode_request(body: bytes, model: str, report: Report) -> EmbeddingRequest:
    asked = read_object(body)
    given = asked.get("input")
    texts = [given] if isinstance(given, str) else [] if given is None else given
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise InvalidRequest("invalid input type", param="input")
    return _request(asked, model, tuple(inputs_of(texts, "input")), report)


def decode_prompt(body: bytes, model: str, report: Report) -> EmbeddingRequest:
    asked = read_object(body)
    prompt = asked.get("prompt")
    if prompt is not None and not isinstance(prompt, str):
        raise InvalidRequest("`prompt`: must be a string.", param="prompt")
    return _request(asked, model, (prompt,) if prompt else (), report)


def encode_request(request: EmbeddingRequest, report: Report) -> bytes:
    account_for(request, NAME, report, "task", "title")
    return _body(
        request,
        input=[text_of(one, report) for one in request.inputs],
        dimensions=request.dimensions,
        truncate=request.truncate,
    )


def encode_prompt(request: EmbeddingRequest, report: Report) -> bytes:
    account_for(request, NAME, report, "task", "title", "truncate", "dimensions")
    return _body(request, prompt="".join(text_of(one, report) for one in request.inputs))


def decode_response(body: bytes) -> EmbeddingResponse:
    found = load_object(body, exact=False)
    if found.get("error") is not None:
        raise hidden(found, body)
    vectors = [found["embedding"]] if "embedding" in found else found.get("embeddings")
    if not isinstance(vectors, list):
        raise UpstreamFailed("The upstream sent an answer without a list of embeddings.")
    tokens = found.get("prompt_eval_count")
    return EmbeddingResponse(tuple(map(vector_of, vectors)), tokens if isinstance(tokens, int) else None)


def encode_response(response: EmbeddingResponse, request: EmbeddingRequest, _report: Report) -> Answer:
    body: dict[str, Json] = {"model": request.model, "embeddings": [normalised(one) for one in response.vectors]}
    measured = durations(response.timing)
    body |= {name: measured[name] for name in ("total_duration", "load_duration") if name in measured}
    if response.tokens is not None:
        body["prompt_eval_count"] = response.tokens
    return Answer(200, dump(body))


def encode_one_response(response: EmbeddingResponse, _request: EmbeddingRequest, _report: Report) -> Answer:
    return Answer(200, dump({"embedding": response.vectors[0] if response.vectors else []}))


def empty_embedding(body: bytes, *, one: bool) -> Answer | None:
    """What the server answers where there is no text to embed. `one`: asked by the elder endpoint."""
    asked = read_object(body)
    if asked.get("prompt" if one else "input"):
        return None
    return Answer(200, dump({"embedding": []} if one else {"model": asked.get("model"), "embeddings": []}))


def _body(request: EmbeddingRequest, **said: Json) -> bytes:
    body = {"model": request.model, **{name: value for name, value in said.items() if value is not None}}
    return dump({**request.extensions.get(NAME, {}), **body})


def _request(asked: dict[str, Any], model: str, texts: tuple[str, ...], report: Report) -> EmbeddingRequest:
    truncate = asked.get("truncate")
    if truncate is not None and not isinstance(truncate, bool):
        raise InvalidRequest("`truncate`: must be true or false.", param="truncate")
    report.read("prompt" if "prompt" in asked else "input", "embedding.inputs")
    if truncate is not None:
        report.read("truncate", "embedding.truncate")
    rest = {name: value for name, value in asked.items() if name not in _KNOWN}
    return EmbeddingRequest(
        model,
        texts,
        dimensions=dimensions_of(asked.get("dimensions"), "dimensions", report),
        truncate=truncate,
        extensions=carried(NAME, rest, report),
    )


EMBEDDINGS = Embeddings(decode_request, encode_request, decode_response, encode_response)
EMBEDDING = Embeddings(decode_prompt, encode_prompt, decode_response, encode_one_response)
