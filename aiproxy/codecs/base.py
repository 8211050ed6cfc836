"""The contract of a codec: a frozen record of pure functions and two or three small stream classes.

No clock, no socket, no logging. A codec works in both roles: what it decodes from a client it can encode to an upstream.
Codecs don't import one another, except an envelope its base.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
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


class Observer(Protocol):
    """Reads a relayed stream without changing it, and can end it honestly."""

    def feed(self, frame: Frame) -> None:
        """Raises the `GatewayError` an error frame stands for, or `UpstreamFailed` for a frame that can't be read."""

    @property
    def useful(self) -> bool:
        """Whether something the client waits for has come (content, a tool call, an end): the commit point."""

    @property
    def complete(self) -> bool:
        """Whether the protocol's own end was seen. The end of the bytes before that is a truncation."""

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
