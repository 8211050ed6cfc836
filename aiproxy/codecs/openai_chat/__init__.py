"""OpenAI Chat Completions, and the legacy completions and embeddings that share its errors and streams.

Source: OpenAI API reference and the types of openai-python 3.52."""

from aiproxy.codecs.openai_chat.errors import decode_error, encode_error
from aiproxy.codecs.openai_chat.models import encode_model, encode_models
from aiproxy.codecs.openai_chat.observer import ChatObserver, observe
from aiproxy.codecs.wire import Wire
from aiproxy.framing.sse import SseFramer

WIRE = Wire(
    name="openai-chat",
    framer=SseFramer,
    observer=ChatObserver,
    observe=observe,
    encode_error=encode_error,
    decode_error=decode_error,
    encode_models=encode_models,
    encode_model=encode_model,
)

__all__ = ["WIRE"]
