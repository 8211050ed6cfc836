"""The official OpenAI SDK on a WebSocket at `/v1/responses`: what it sends, what it parses, and how it learns of what goes wrong."""

import json
import signal
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import openai
import pytest
from openai import OpenAI
from openai.resources.responses.responses import ResponsesConnection
from openai.types.responses import Response
from openai.types.responses.responses_server_event import ResponseWsError
from openai.types.websocket_reconnection import ReconnectingEvent
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Received, Upstream, Wire, upstream
from tests.vendors.openai_responses import OPENAI_RESPONSES
from tests.vendors.scenarios import SCENARIOS
from tests.vendors.stand_in import StandIn, vendors
from tests.vendors.vendor import Asked

pytestmark = pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager:DeprecationWarning")
"""By the SDK, of the library that it opens sockets with."""

KEY = "client-key-of-these-tests-1"
HEADERS = {"authorization": f"Bearer {KEY}"}


class Native:
    """A vendor of the same protocol that counts its answers; each of `waits` holds one back after its beginning."""

    def __init__(self) -> None:
        self.answers = 0
        self.waits: deque[Event] = deque()
        self.empty_at_the_end = False

    def __call__(self, received: Received, wire: Wire) -> None:
        self.answers += 1
        asked = Asked(received.json["model"], streamed=True)
        found = OPENAI_RESPONSES.events(asked, SCENARIOS["plain"].answer(with_results=False))  # type: ignore[arg-type]
        named = [event.replace(b"resp_7", b"resp_up%d" % self.answers) for event in found]
        if self.empty_at_the_end:
            head, _, end = named[-1].partition(b"data: ")
            said = json.loads(end)
            said["response"]["output"] = []
            named[-1] = head + b"data: " + json.dumps(said).encode() + b"\n\n"
        wire.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        wire.chunk(b"".join(named[:5]))
        if self.waits:
            self.waits.popleft().wait(20)
        wire.chunk(b"".join(named[5:]))
        wire.chunk(b"")


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with vendors() as running:
        yield running


@pytest.fixture(scope="module")
def vendor() -> Native:
    return Native()


@pytest.fixture(scope="module")
def native(vendor: Native) -> Iterator[Upstream]:
    with upstream(vendor) as running:
        yield running


def configured(stand_in: StandIn, native: Upstream, more: str = "") -> str:
    return f"""
api-keys: [{KEY}]
request-retry: 0
claude-api-key: [{{api-key: messages-key-0123456789, base-url: "{stand_in.address}", models: [plain, call, status-429]}}]
codex-api-key: [{{api-key: responses-key-0123456789, base-url: "{native.base_url}", models: [native]}}]
{more}
"""


@pytest.fixture(scope="module")
def gateway(stand_in: StandIn, native: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with daemon(tmp_path_factory.mktemp("sockets"), configured(stand_in, native, "websocket: {calls: 3}")) as running:
        yield running


def opened(gateway: Daemon, **more: Any) -> Any:
    client = OpenAI(base_url=gateway.base_url, api_key=KEY, max_retries=0)
    return client.responses.connect(**more)


@pytest.fixture
def socket(gateway: Daemon) -> Iterator[ResponsesConnection]:
    with opened(gateway) as running:
        yield running


def answered(socket: ResponsesConnection) -> Response:
    for event in socket:
        assert event.type != "error", event
        if event.type in ("response.completed", "response.incomplete", "response.failed"):
            return event.response
    raise AssertionError("the socket closed")


def asks(
    socket: ResponsesConnection, said: Any, after: str | None = None, model: str = "plain", **more: Any
) -> Response:
    socket.response.create(model=model, input=said, previous_response_id=after, store=False, **more)
    return answered(socket)


def refused(socket: ResponsesConnection) -> ResponseWsError:
    event = socket.recv()
    assert isinstance(event, ResponseWsError), event
    return event


def test_what_is_not_stored_is_gone_on_from_on_its_socket_alone(
    gateway: Daemon, socket: ResponsesConnection, stand_in: StandIn
) -> None:
    first = asks(socket, "one", instructions="Once only.")
    second = asks(socket, "two", first.id)
    third = asks(socket, "three", second.id)
    assert (second.previous_response_id, third.previous_response_id) == (first.id, second.id)
    assert third.to_dict()["store"] is False
    asked = stand_in.asked[-1][1]
    assert (asked.texts, asked.said) == (("one", "two", "three"), ("Hello, world.",) * 2)
    with opened(gateway) as other:
        other.response.create(model="plain", input="four", previous_response_id=third.id, store=False)
        told = refused(other)
        assert (told.status, told.error.code, told.error.param) == (
            400,
            "previous_response_not_found",
            "previous_response_id",
        )
        assert asks(other, "anew").output_text == "Hello, world."


def test_what_is_stored_is_gone_on_from_anywhere(
    gateway: Daemon, socket: ResponsesConnection, stand_in: StandIn
) -> None:
    socket.response.create(model="plain", input="one")
    first = answered(socket)
    with OpenAI(base_url=gateway.base_url, api_key=KEY, max_retries=0) as client:
        second = client.responses.create(model="plain", input="two", previous_response_id=first.id)
    asks(socket, "three", second.id)
    assert stand_in.asked[-1][1].texts == ("one", "two", "three")


def test_answers_of_its_own_protocol_pass_and_are_gone_on_from(
    socket: ResponsesConnection, native: Upstream, vendor: Native
) -> None:
    first = asks(socket, "one", model="native")
    assert first.id == f"resp_up{vendor.answers}", "as the vendor gave it"
    vendor.empty_at_the_end = True
    second = asks(socket, "two", first.id, model="native")
    vendor.empty_at_the_end = False
    assert second.previous_response_id == first.id
    asks(socket, "three", second.id, model="native")
    sent = native.received[-1].json
    assert "previous_response_id" not in sent
    assert [item.get("role") for item in sent["input"]] == ["user", "assistant", "user", "assistant", "user"]
    assert sent["stream"] is True
    assert not sent.keys() & {"type", "generate", "stream_id"}


def test_what_its_vendor_stores_is_left_to_it(socket: ResponsesConnection, native: Upstream) -> None:
    socket.response.create(model="native", input="one")
    first = answered(socket)
    second = asks(socket, "two", first.id, model="native")
    sent = native.received[-1].json
    assert (sent["previous_response_id"], sent["input"]) == (first.id, "two")
    asks(socket, "three", second.id, model="native")
    sent = native.received[-1].json
    assert sent["previous_response_id"] == first.id
    assert [item.get("role") for item in sent["input"]] == ["user", "assistant", "user"]


def test_a_conversation_moves_to_another_vendor(
    socket: ResponsesConnection, native: Upstream, stand_in: StandIn
) -> None:
    first = asks(socket, "one", model="native")
    second = asks(socket, "two", first.id)
    assert stand_in.asked[-1][1].texts == ("one", "two")
    asks(socket, "three", second.id, model="native")
    assert [item.get("role") for item in native.received[-1].json["input"]] == ["user", "assistant"] * 2 + ["user"]


@pytest.mark.parametrize("asked", [{"generate": False}, {"prompt_cache_options": {"prewarm": True}}], ids=str)
def test_warming_up_asks_nobody_and_is_gone_on_from(socket: ResponsesConnection, stand_in: StandIn, asked: Any) -> None:
    before = len(stand_in.asked)
    said = [{"role": "developer", "content": "Be brief."}]
    socket.response.create(model="plain", input=said, store=False, **asked)  # type: ignore[arg-type]
    events = [socket.recv() for _ in range(3)]
    assert [event.type for event in events] == ["response.created", "response.in_progress", "response.completed"]
    warm = events[-1].response  # type: ignore[union-attr]
    assert (warm.output, warm.usage and warm.usage.total_tokens) == ([], 0)
    assert len(stand_in.asked) == before
    asks(socket, "one", warm.id)
    assert (stand_in.asked[-1][1].instructions, stand_in.asked[-1][1].texts) == (("Be brief.",), ("one",))


def test_warming_up_is_a_call_like_any_other(gateway: Daemon, socket: ResponsesConnection) -> None:
    socket.response.create(model="no-such-model", input="x", generate=False)
    assert refused(socket).status == 404
    socket.response.create(model="plain", input=[{"role": "nobody"}], generate=False)  # type: ignore[list-item]
    assert refused(socket).error.param == "input[0].role"
    gateway.wait_for("WS /v1/responses 404")


def test_one_call_after_the_other_and_lanes_side_by_side(socket: ResponsesConnection, vendor: Native) -> None:
    first, aside = Event(), Event()
    vendor.waits += (first, aside)
    socket.response.create(model="native", input="one", store=False)
    seen: list[Any] = [socket.recv()]
    socket.response.create(model="plain", input="two", store=False)
    socket.response.create(model="native", input="aside", store=False, stream_id="b")
    socket.response.create(model="plain", input="too many", store=False, stream_id="c")

    def until(kind: str, lane: str | None) -> None:
        while (seen[-1].type, seen[-1].stream_id) != (kind, lane):
            seen.append(socket.recv())

    until("error", "c")
    assert (seen[-1].status, seen[-1].error.code) == (429, "rate_limit_exceeded")
    aside.set()
    until("response.completed", "b")
    assert "response.completed" not in [event.type for event in seen if event.stream_id is None]
    first.set()
    until("response.completed", None)
    assert [event.type for event in seen if event.stream_id is None].count("response.created") == 1
    assert answered(socket).output_text == "Hello, world."


def test_errors_are_told_as_the_sdk_reads_them(socket: ResponsesConnection) -> None:
    connection: Any = socket
    for said, status, param in (
        ("{", 400, None),
        ("[1]", 400, None),
        ('{"type": "response.cancel"}', 400, "type"),
        ('{"type": "response.create", "stream_id": 7}', 400, "stream_id"),
        ('{"type": "response.create", "input": "x"}', 400, "model"),
        ('{"type": "response.create", "model": "plain", "input": "x", "background": true}', 400, "background"),
        ('{"type": "response.create", "model": "plain", "input": 7}', 400, "input"),
        ('{"type": "response.create", "model": "plain", "input": "x", "previous_response_id": "resp_0"}', 400, "previous_response_id"),
    ):  # fmt: skip
        connection.send_raw(said)
        told = refused(socket)
        assert (told.status, told.error.param, told.error.type) == (status, param, "invalid_request_error"), said
    socket.response.create(model="status-429", input="x", stream_id="b")
    told = refused(socket)
    assert (told.status, told.stream_id, told.error.code) == (429, "b", "rate_limit_exceeded")
    assert (told.model_extra or {})["headers"]["retry-after"] == "7"
    assert asks(socket, "still there").output_text == "Hello, world."
    socket.response.create(model="no-such-model", input="x")
    with pytest.raises(openai.OpenAIError, match="model_not_found"):
        socket.dispatch_events()


def test_steering_comes_back(socket: ResponsesConnection) -> None:
    socket.response.steer(input=[{"role": "user", "content": "faster"}], previous_response_id="resp_1")  # type: ignore[list-item]
    told: Any = socket.recv()
    assert (told.type, told.error.code) == ("response.steer.failed", "steering_not_supported")
    assert (told.steer.previous_response_id, told.steer.input[0]["content"]) == ("resp_1", "faster")


def test_a_handshake_that_fails_says_why(gateway: Daemon) -> None:
    address = f"ws://127.0.0.1:{gateway.port}/v1/responses"
    with pytest.raises(InvalidStatus) as refusal, connect(address, proxy=None):
        pass
    assert refusal.value.response.status_code == 401
    assert json.loads(refusal.value.response.body)["error"]["code"] == "invalid_api_key"


def test_the_mode_is_not_told_to_vendors_over_http(gateway: Daemon, native: Upstream) -> None:
    betas = {"openai-beta": "responses_websockets=2026-02-06, other=v1", "session-id": "s-1"}
    address = f"ws://127.0.0.1:{gateway.port}/v1/responses"
    with connect(address, additional_headers={**HEADERS, **betas}, proxy=None) as ws:
        ws.send(json.dumps({"type": "response.create", "model": "native", "input": "x", "stream": True}))
        while json.loads(ws.recv(timeout=20))["type"] != "response.completed":
            pass
    assert native.received[-1].headers["openai-beta"] == "other=v1"


def test_a_socket_that_has_lasted_ends_after_its_call_and_the_sdk_connects_again(
    stand_in: StandIn, native: Upstream, vendor: Native, tmp_path: Path
) -> None:
    again: list[int] = []
    connection: list[ResponsesConnection] = []

    def lost(event: ReconnectingEvent) -> None:
        again.append(event.close_code)
        connection[0].response.create(model="plain", input="three", store=False)

    go = Event()
    vendor.waits.append(go)
    with daemon(tmp_path, configured(stand_in, native, "websocket: {responses-seconds: 3}")) as gateway:
        with opened(gateway, on_reconnecting=lost) as socket:
            connection.append(socket)
            socket.response.create(model="native", input="one", store=False)
            socket.response.create(model="plain", input="two", store=False)
            assert socket.recv().type == "response.created"
            with (
                pytest.raises(ConnectionClosed),
                connect(f"ws://127.0.0.1:{gateway.port}/v1/responses", additional_headers=HEADERS, proxy=None) as idle,
            ):
                idle.recv(timeout=20)  # both sockets have lasted as long as they may
            go.set()
            assert answered(socket).output_text == "Hello, world."
            assert refused(socket).error.code == "websocket_connection_limit_reached"
            assert answered(socket).output_text == "Hello, world."
        assert again == [1001]


def test_a_shutdown_lets_the_call_end_and_the_client_come_back_elsewhere(
    stand_in: StandIn, native: Upstream, vendor: Native, tmp_path: Path
) -> None:
    go = Event()
    vendor.waits.append(go)
    with daemon(tmp_path, configured(stand_in, native)) as gateway, opened(gateway) as socket:
        socket.response.create(model="native", input="one", store=False)
        socket.response.create(model="native", input="two", store=False)
        assert socket.recv().type == "response.created"
        gateway.signal(signal.SIGTERM)
        gateway.wait_for("draining")
        go.set()
        assert answered(socket).output_text == "Hello, world."
        assert (refused(socket).status, close_code(socket)) == (503, 1001)


def close_code(socket: ResponsesConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        socket.recv()
    assert closed.value.rcvd is not None
    return closed.value.rcvd.code
