"""The model list: OpenAI has one for all its APIs. Source: OpenAI API reference, models."""

from collections.abc import Sequence
from typing import Any

import orjson

from aiproxy.codecs.base import ModelCard


def encode_models(cards: Sequence[ModelCard]) -> bytes:
    return orjson.dumps({"object": "list", "data": [_model(card) for card in cards]})


def encode_model(card: ModelCard) -> bytes:
    return orjson.dumps(_model(card))


def _model(card: ModelCard) -> dict[str, Any]:
    return {"id": card.id, "object": "model", "created": card.created, "owned_by": card.owned_by}
