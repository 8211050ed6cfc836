"""The model list. Source: Anthropic API reference, models. All four top-level keys are always there: the SDK's page needs them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson

from aiproxy.codecs.base import ModelCard


def encode_models(cards: Sequence[ModelCard]) -> bytes:
    data = [_model(card) for card in cards]
    ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
    return orjson.dumps({"data": data, "has_more": False, **ends})


def encode_model(card: ModelCard) -> bytes:
    return orjson.dumps(_model(card))


def decode_models(body: bytes) -> list[str]:
    """The names in an upstream's list; what isn't a list of models is an empty one."""
    try:
        found: Any = orjson.loads(body)
        return [entry["id"] for entry in found["data"] if isinstance(entry["id"], str)]
    except (ValueError, TypeError, KeyError):
        return []


def _model(card: ModelCard) -> dict[str, Any]:
    """An unknown time is the epoch, as Anthropic's own list has it."""
    created = datetime.fromtimestamp(card.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "type": "model",
        "id": card.id,
        "display_name": card.id,
        "created_at": created,
        "lifecycle": "active",
    }
