"""All vendors at one loopback address: the path tells the protocol, the model's name the scenario."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from threading import Event
from urllib.parse import urlsplit

from tests.rig.upstream import Received, Upstream, Wire, upstream
from tests.vendors import xai
from tests.vendors.aistudio import AISTUDIO, PREFIX
from tests.vendors.anthropic_messages import ANTHROPIC_MESSAGES
from tests.vendors.back_ends import LOGINS, PROVIDERS, good_token
from tests.vendors.gemini import GEMINI
from tests.vendors.google_tokens import TokenEndpoint, service_account
from tests.vendors.logins import LoginVendor
from tests.vendors.ollama import OLLAMA
from tests.vendors.openai_chat import OPENAI_CHAT
from tests.vendors.openai_responses import OPENAI_RESPONSES
from tests.vendors.scenarios import BREAKS_OFF, SCENARIOS, Answer, Failure, Scenario
from tests.vendors.usage import USED_UP, UsageEndpoints
from tests.vendors.validation import check_writers
from tests.vendors.vendor import Asked, Vendor
from tests.vendors.vertex import VERTEX, bearer, is_vertex

VENDORS = (OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES, GEMINI, VERTEX, OLLAMA)


SEES_WITHIN = 20.0
"""Seconds until a stream breaks that no client has begun to see."""


@dataclass
class StandIn:
    """The running vendors: `asked` is what they were asked, `refused` why they said no. Streams that break wait for `begun`,
    that the client has seen something: what comes all at once is no stream. `used_up` are the providers whose plan is used up at
    the next call."""

    upstream: Upstream
    asked: list[tuple[Vendor, Asked]] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    begun: Event = field(default_factory=Event)
    usage: UsageEndpoints = field(default_factory=UsageEndpoints)
    used_up: set[str] = field(default_factory=set)
    tokens: TokenEndpoint = field(default_factory=TokenEndpoint)
    logins: Mapping[str, LoginVendor] = field(
        default_factory=lambda: {provider: LoginVendor() for provider in PROVIDERS}
    )

    @property
    def address(self) -> str:
        """Scheme, host and port."""
        return self.upstream.base_url.removesuffix("/v1")

    def service_account(self, **instead: object) -> str:
        """The file of the account that Vertex knows."""
        return json.dumps(service_account(f"{self.address}/token", **instead))


def vendor_at(path: str) -> Vendor:
    """The first takes what nobody has, and refuses it."""
    if is_vertex(path):
        return VERTEX
    if path.startswith(PREFIX):
        return AISTUDIO
    if path.startswith(xai.PREFIX):
        return xai.vendor_of(path)
    match urlsplit(path).path.rpartition("/")[2].rpartition(":")[2]:
        case "responses":
            return OPENAI_RESPONSES
        case "messages":
            return ANTHROPIC_MESSAGES
        case "generateContent" | "streamGenerateContent":
            return GEMINI
        case "chat" | "generate":
            return OLLAMA
        case _:
            return OPENAI_CHAT


@contextmanager
def vendors() -> Iterator[StandIn]:
    check_writers(*VENDORS)

    def behave(received: Received, wire: Wire) -> None:
        _behave(running, received, wire)

    with upstream(behave) as served:
        running = StandIn(served)
        yield running


def _behave(running: StandIn, received: Received, wire: Wire) -> None:
    if received.path.startswith("/login/"):
        running.logins[received.path.split("/")[2]].serve(received, wire)
        return
    if running.usage.serve(received, wire):
        return
    if received.method != "POST":
        wire.answer(404, b"{}")
        return
    if received.path == "/token":
        running.tokens.serve(received, wire)
        return
    if (login := login_at(received)) is not None:
        _behave_at_login(running, *login, wire)
        return
    vendor = vendor_at(received.path)
    token = bearer(received)
    if token is not None and token not in running.tokens.good:
        _fail(vendor, Failure(401, f"Request had invalid authentication credentials: {token}"), wire)
        return
    _serve(running, vendor, received, wire)


def login_at(received: Received) -> tuple[str, Received] | None:
    """A provider of logins, and the request as its back end sees it."""
    first, _, rest = received.path.removeprefix("/").partition("/")
    return (first, replace(received, path=f"/{rest}")) if first in PROVIDERS else None


def _behave_at_login(running: StandIn, provider: str, received: Received, wire: Wire) -> None:
    served = [each for each in LOGINS if each.provider == provider]
    vendor = next((each.vendor for each in served if each.path and received.path.endswith(each.path)), served[0].vendor)
    token = received.headers.get("authorization", "").removeprefix("Bearer ")
    if token != good_token(provider, running.logins[provider]):
        wire.answer(401, b'{"error": {"code": 401, "message": "This token is good no more."}}')
    elif provider in running.used_up:
        running.used_up.remove(provider)
        USED_UP[provider].serve(wire)
    else:
        _serve(running, vendor, received, wire)


def _serve(running: StandIn, vendor: Vendor, received: Received, wire: Wire) -> None:
    try:
        asked = vendor.asked(received)
    except (AssertionError, KeyError, IndexError, TypeError, ValueError) as reason:
        running.refused.append(f"{vendor.name}: {reason!r} in {received.body[:2000]!r}")
        _fail(vendor, Failure(400, f"The vendor refuses: {reason!r:.500}"), wire)
        return
    running.asked.append((vendor, asked))
    scenario = SCENARIOS[asked.model]
    match scenario.answer(with_results=bool(asked.results)):
        case Failure() as failure:
            _fail(vendor, failure, wire)
        case Answer() as answer if asked.streamed:
            _stream(running.begun, vendor, scenario, asked, answer, wire)
        case Answer() as answer:
            wire.answer(200, vendor.whole(asked, answer))


def _fail(vendor: Vendor, failure: Failure, wire: Wire) -> None:
    headers, body = vendor.error(failure)
    wire.answer(failure.status, body, headers)


def _stream(begun: Event, vendor: Vendor, scenario: Scenario, asked: Asked, answer: Answer, wire: Wire) -> None:
    content_type = "application/json" if asked.as_array else vendor.stream_type
    # Each write a segment of its own.
    wire.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    wire.head(200, {"content-type": content_type, "transfer-encoding": "chunked"})
    events = vendor.events(asked, answer)
    if scenario.breaks:
        events = events[: len(events) // 2]
    for written in _writes(events, scenario.write_size):
        wire.chunk(written)
    if scenario.breaks:
        begun.wait(SEES_WITHIN)
    if scenario.breaks == "cut":
        wire.cut()
        return
    if scenario.breaks == "error":
        wire.chunk(vendor.broken(BREAKS_OFF))
    wire.chunk(b"")


def _writes(events: list[bytes], size: int | None) -> Iterator[bytes]:
    if size is None:
        yield from events
    else:
        data = b"".join(events)
        yield from (data[start : start + size] for start in range(0, len(data), size))
