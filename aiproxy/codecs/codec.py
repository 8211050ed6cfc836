"""A codec: a frozen record of pure functions between one protocol and neutral, and two small stream classes.

It works in both roles: what it decodes from a client it can encode to an upstream, and the other way round for answers.
Same codec in and out is the identity: what neutral has no word for rides in `extensions` under the codec's name.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

from aiproxy.codecs.base import Answer
from aiproxy.codecs.capabilities import PERMISSIVE, Capabilities
from aiproxy.codecs.embeddings import Embeddings
from aiproxy.codecs.envelope import Sealer
from aiproxy.codecs.fields import FieldTable
from aiproxy.codecs.outline import outline_of
from aiproxy.codecs.report import Report
from aiproxy.codecs.wire import Wire
from aiproxy.framing import Frame
from aiproxy.neutral.carried import Extensions, Json
from aiproxy.neutral.errors import GatewayError
from aiproxy.neutral.events import StreamEvent
from aiproxy.neutral.request import GenerateRequest
from aiproxy.neutral.response import GenerateResponse


@dataclass(frozen=True, slots=True)
class Incoming:
    """A client's request as it came. Header names are in lower case.

    `model` and `stream` are what the path says, where the protocol says it there (Gemini). `operation` tells bodies of one
    codec apart: "generate" and "chat" (Ollama), "chat" and "completions" (OpenAI); "" is the protocol's main one. `outline` is the
    body for those who only route it."""

    body: bytes
    model: str | None = None
    stream: bool | None = None
    operation: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    outline: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "outline", outline_of(self.body))


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request for an upstream. `headers` are those the body asks for (betas), never a credential."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What whoever writes a request, or reads or writes its answer, needs to know of it. The gateway makes one for the client's
    side and, with `request.model` and `capabilities` of the upstream, one for each attempt.

    `source` is the name of the codec the request was decoded by: an encoder of the same name leaves order, ids and names as
    they came. `now` is seconds since the epoch, for answers whose upstream gave no time. Errors name the `request_id`; a client
    may give one to several calls, so ids derive from `seed`, which is this call's alone.
    `keep` is handed the whole answer as its client is told it, before the client can refer to it; None where nobody keeps it."""

    request: GenerateRequest
    sealer: Sealer
    request_id: str
    source: str = ""
    now: int = 0
    capabilities: Capabilities = PERMISSIVE
    report: Report = field(default_factory=Report)
    seed: str = ""
    keep: Callable[[Mapping[str, Json]], None] | None = None

    def fresh_id(self, prefix: str, position: int = 0) -> str:
        """An id of 24 characters after the prefix, the same for the same position of the same exchange."""
        seed = f"{self.seed or self.request_id}\0{prefix}\0{position}".encode()
        return prefix + sha256(seed).hexdigest()[:24]


class Decoder(Protocol):
    """Reads an upstream's stream. Any frame at all gives events or raises a `GatewayError`; so do the frames after it ended."""

    def feed(self, frame: Frame) -> Iterable[StreamEvent]:
        """Raises the `GatewayError` an error frame stands for, or `UpstreamFailed` for what can't be read."""

    def close(self, *, clean: bool = True) -> Iterable[StreamEvent]:
        """The end of the bytes, `clean` as far as HTTP can tell. Raises `UpstreamTruncated` when the answer may lack something
        (see `Standing`); never invents a stop."""


class Encoder(Protocol):
    """Writes a client's stream. Takes events in the order rules of `aiproxy.neutral.events`; b"" when one shows nothing."""

    def feed(self, event: StreamEvent) -> bytes: ...

    def fail(self, error: GatewayError) -> bytes:
        """The frames that end a begun stream with this error; the protocol's clean end never follows."""


@dataclass(frozen=True, slots=True)
class TokenCounting:
    """The protocol's own endpoint that counts a request's tokens. The client's request is read by `Codec.decode_request`
    with operation "count_tokens"."""

    encode_request: Callable[[Exchange], Outgoing]
    decode_answer: Callable[[bytes], int]
    """Raises `UpstreamFailed` for what isn't an answer."""
    encode_answer: Callable[[int], Answer]


@dataclass(frozen=True, slots=True)
class Storing:
    """How requests of the protocol refer to answers that were kept, for upstreams that keep none."""

    wanted: Callable[[bytes], bool]
    """Whether the answer to a request's body is to be kept."""
    reference: Callable[[bytes], str | None]
    """A request's body → the answer that it continues, whoever keeps it. Raises `InvalidRequest`."""
    ours: Callable[[str], bool]
    """Whether an answer of this id is kept by us, if by anybody."""
    upstreams: Callable[[bytes], str | None]
    """A request's body → the answer that it continues and its upstream keeps."""
    keep: Callable[[bytes, Mapping[str, Json]], bytes]
    """(a request's body, its answer as the client is told it) → what to keep of them."""
    previous: Callable[[bytes], str | None]
    """What was kept → the answer before it."""
    continued: Callable[[bytes, Sequence[bytes]], bytes]
    """(a request's body, what was kept of its conversation, the first turn first) → the body with all of it, and no reference
    but the one to what an upstream keeps of it."""


@dataclass(frozen=True, slots=True)
class Compacting:
    """How a client of the protocol asks for its history as one item, for upstreams that can't make one."""

    asked: Callable[[GenerateRequest], bool]
    summarising: Callable[[GenerateRequest], GenerateRequest]
    """The request that any model can answer: with a summary, which becomes a `CompactionPart`."""


@dataclass(frozen=True, slots=True)
class Codec:
    wire: Wire
    """What the relay lane and the web need: framing, observer, errors, model lists."""
    fields: FieldTable
    """What becomes of each neutral feature here; does the copying, names the losses, generates the compatibility page."""
    decode_request: Callable[[Incoming, Sealer, Report], GenerateRequest]
    """Raises `InvalidRequest` naming the field (`param`) that can't be read."""
    encode_request: Callable[[Exchange], Outgoing]
    """For an upstream that is `exchange.capabilities`. Raises `Unsupported` for what must not be dropped."""
    decode_response: Callable[[bytes, Exchange], GenerateResponse]
    """A whole upstream answer. Raises the `GatewayError` that hides in a 200, or `UpstreamFailed` for what isn't an answer."""
    encode_response: Callable[[GenerateResponse, Exchange], Answer]
    decoder: Callable[[Exchange], Decoder]
    encoder: Callable[[Exchange], Encoder]
    stream_content_type: str = "text/event-stream; charset=utf-8"
    media_urls: frozenset[str] = frozenset()
    """The kinds of media ("image", "document", …) that can be named by URL; of the others it wants the bytes."""
    token_counting: TokenCounting | None = None
    embeddings: Embeddings | None = None
    embedding: Embeddings | None = None
    """Of one text, where the protocol has an endpoint of its own for it."""
    storing: Storing | None = None
    compacting: Compacting | None = None
    tells_times: bool = False
    """Whether its answers say how long they took."""
    pauses: bool = False
    """Whether an upstream may pause in the middle of a turn, and goes on when it gets back what it said so far."""
    forgetful: bool = False
    """Whether clients lose opaque state between two turns: the protocol has no place for it, or one that few keep."""
    shows_thinking: bool = False
    """Whether a client that asks for thinking sees it unless it says otherwise."""
    prompt_place: Extensions = field(default_factory=dict)
    """The extensions of a system turn that stands in the request's own field, where the protocol has one beside its messages."""

    @property
    def name(self) -> str:
        return self.wire.name
