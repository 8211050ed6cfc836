"""The model list. Source: Gemini API reference, models."""

from collections.abc import Sequence

import orjson

from aiproxy.codecs.base import ModelCard
from aiproxy.neutral.carried import Json

_PREFIX = "models/"


def encode_models(cards: Sequence[ModelCard]) -> bytes:
    return orjson.dumps({"models": [_model(card) for card in cards]})


def encode_model(card: ModelCard) -> bytes:
    return orjson.dumps(_model(card))


def decode_models(body: bytes) -> list[str]:
    """The names in an upstream's list, without their prefix; what isn't a list of models is an empty one."""
    try:
        found = orjson.loads(body)
        return [entry["name"].removeprefix(_PREFIX) for entry in found["models"]]
    except (ValueError, TypeError, KeyError, AttributeError):
        return []


def _model(card: ModelCard) -> dict[str, Json]:
    return {
        "name": f"{_PREFIX}{card.id}",
        "version": card.id,
        "displayName": card.id,
        "supportedGenerationMethods": ["generateContent", "streamGenerateContent", "countTokens"],
    }
