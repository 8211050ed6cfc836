"""What the relay lane and the web layer need of a protocol: to watch an answer, to read and to render errors.

The smaller half of a codec. An operation whose bodies are never translated (embeddings) needs nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from aiproxy.codecs.base import Answer, ModelCard, Observation, Observer
from aiproxy.framing import Framer
from aiproxy.framing.sse import comment, encode_sse
from aiproxy.neutral.errors import GatewayError


def no_remark(_text: str) -> bytes:
    return b""


def _no_models(_body: bytes) -> list[str]:
    return []


@dataclass(frozen=True, slots=True)
class Wire:
    name: str
    framer: Callable[[], Framer]
    """Of its streams."""
    observer: Callable[[], Observer]
    """For one relayed stream."""
    observe: Callable[[bytes], Observation]
    """A whole relayed answer. Raises the `GatewayError` that hides in a 200, or `UpstreamFailed` for what isn't an answer."""
    encode_error: Callable[[GatewayError, str], Answer]
    """(error, request id) → the answer a client of this protocol understands."""
    decode_error: Callable[[int, Mapping[str, str], bytes], GatewayError]
    """(status, lower-case headers, body) of an upstream's failure → ours."""
    encode_models: Callable[[Sequence[ModelCard]], bytes]
    encode_model: Callable[[ModelCard], bytes]
    decode_models: Callable[[bytes], list[str]] = _no_models
    """An upstream's list → the names in it; what isn't a list is an empty one."""
    frame: Callable[[str, bytes], bytes] = encode_sse
    """(event, data) → a frame of its streams."""
    frame_end: bytes = b"\n\n"
    """What a last frame may lack at the end of the bytes."""
    request_member: str = ""
    """Where a request's own body stands in an envelope."""
    model_members: tuple[str, ...] = ("model",)
    """Where an answer and its frames name the model, dotted."""
    heartbeat: bytes = comment("keep-alive")
    """What says in the middle of a stream that it lives."""
    remark: Callable[[str], bytes] = comment
    """A note in the middle of a stream that parsers skip; nothing where the protocol has no place for one."""
    opening: bytes = comment("keep-alive")
    """What says so before its first frame."""
