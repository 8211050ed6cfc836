"""The contract of a codec: a frozen record of pure functions and two or three small stream classes.

No clock, no socket, no logging. A codec works in both roles: what it decodes from a client it can encode to an upstream.
Codecs don't import one another, except an envelope its base.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from aiproxy.framing import Frame
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.usage import Usage


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole HTTP answer in a protocol's own shape."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Observation:
    """What a whole relayed answer says about itself."""

    usage: Usage | None = None
    model: str | None = None


class Standing(IntEnum):
    """What an end of the bytes here would mean. The reader of a protocol says so, since each marks its end in its own way:

    Chat       FINISHED when every choice has a reason; COMPLETE with the usage that follows it, or `[DONE]`
    Responses  COMPLETE with a terminal event
    Messages   COMPLETE with a reason for stopping: it comes with the usage, after all blocks
    Gemini     FINISHED when every candidate has a reason. It may stand in every piece, so never COMPLETE: only HTTP
               knows where the stream ends
    Ollama     COMPLETE with the line that says `done`"""

    OPEN = 0
    """More must come."""
    FINISHED = 1
    """An orderly end is the answer's end, but something may follow: neither silence nor a cut is one."""
    COMPLETE = 2
    """Nothing that matters can be missing, however the bytes end."""


class Observer(Protocol):
    """Reads a relayed stream without changing it, and can end it honestly."""

    def feed(self, frame: Frame) -> bool:
        """Whether this was the protocol's own end, so that no frame after it belongs to the answer. Raises the `GatewayError`
        an error frame stands for, or `UpstreamFailed` for a frame that can't be read."""

    @property
    def useful(self) -> bool:
        """Whether something the client waits for has come (content, a tool call, an end): the commit point."""

    @property
    def standing(self) -> Standing: ...

    @property
    def seen(self) -> Observation: ...

    def fail(self, error: GatewayError) -> bytes:
        """The frames that end the client's stream with this error; the protocol's clean end never follows."""


@dataclass(frozen=True, slots=True)
class ModelCard:
    """A model as a client's model list shows it. `created` is seconds since the epoch."""

    id: str
    owned_by: str
    created: int = 0
