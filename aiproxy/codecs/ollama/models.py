"""What Ollama's clients ask about models and the server: `/api/tags`, `/api/show`, `/api/ps`, `/api/version`.

Source: Ollama's `docs/api.md` and `api/types.go`; what its clients read of it was observed. Nothing here is a local file, so
sizes are 0; the digest is the hash of the name, because clients take equal digests for one model."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Any

import orjson

from aiproxy.codecs.base import ModelCard
from aiproxy.codecs.capabilities import Capabilities
from aiproxy.codecs.ollama.times import timestamp
from aiproxy.codecs.splice import read_object
from aiproxy.neutral.errors import InvalidRequest


def encode_models(cards: Sequence[ModelCard]) -> bytes:
    return orjson.dumps({"models": [_model(card) for card in cards]})


def encode_model(card: ModelCard) -> bytes:
    return orjson.dumps(_model(card))


def decode_models(body: bytes) -> list[str]:
    """The names in an upstream's list; what isn't a list of models is an empty one."""
    try:
        found: Any = orjson.loads(body)
        names = [entry.get("model") or entry["name"] for entry in found["models"]]
    except (ValueError, TypeError, KeyError, AttributeError):
        return []
    return [name for name in names if isinstance(name, str)]


def read_show(body: bytes) -> str:
    """The name a client asks `/api/show` about, under its old key too."""
    asked = read_object(body)
    name = asked.get("model") or asked.get("name")
    if not isinstance(name, str) or not name:
        raise InvalidRequest("model is required", param="model")
    return name


def encode_show(card: ModelCard, can: Capabilities) -> bytes:
    """Agents offer tools, images and thinking only where `capabilities` names them; Copilot shows the basename."""
    family = card.owned_by or "unknown"
    info: dict[str, Any] = {"general.architecture": family, "general.basename": card.id}
    if can.context_tokens is not None:
        info[f"{family}.context_length"] = can.context_tokens
    shown = {
        "license": "",
        "modelfile": f"# {card.id} is served by a gateway and has no Modelfile.",
        "parameters": "" if can.context_tokens is None else f"num_ctx {can.context_tokens}",
        "template": "{{ .Prompt }}",
        "details": _details(card),
        "model_info": info,
        "capabilities": list(capability_words(can)),
        "modified_at": timestamp(card.created),
    }
    return orjson.dumps(shown)


def capability_words(can: Capabilities) -> Iterator[str]:
    """Thinking is told only of models known to think: a client told so asks for it, and others answer that with an error."""
    if "embedding" in can.output_modalities:
        yield "embedding"
    else:
        yield "completion"
    if can.tools:
        yield "tools"
    if "image" in can.input_modalities:
        yield "vision"
    if can.thinking not in (None, "none"):
        yield "thinking"
    if "audio" in can.input_modalities:
        yield "audio"


def encode_running(cards: Sequence[ModelCard], expires: int) -> bytes:
    """`/api/ps`. `expires` is when the models will count as unloaded, in seconds since the epoch."""
    return orjson.dumps(
        {
            "models": [
                {
                    "name": card.id,
                    "model": card.id,
                    "size": 0,
                    "digest": _digest(card),
                    "details": _details(card),
                    "expires_at": timestamp(expires),
                    "size_vram": 0,
                }
                for card in cards
            ]
        }
    )


def encode_version(version: str) -> bytes:
    return orjson.dumps({"version": version})


def _model(card: ModelCard) -> dict[str, Any]:
    return {
        "name": card.id,
        "model": card.id,
        "modified_at": timestamp(card.created),
        "size": 0,
        "digest": _digest(card),
        "details": _details(card),
    }


def _details(card: ModelCard) -> dict[str, Any]:
    """Some clients list nothing but gguf."""
    return {
        "parent_model": "",
        "format": "gguf",
        "family": card.owned_by,
        "families": [card.owned_by],
        "parameter_size": "",
        "quantization_level": "",
    }


def _digest(card: ModelCard) -> str:
    return sha256(card.id.encode("utf-8", "surrogatepass")).hexdigest()
