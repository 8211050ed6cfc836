"""Calls of clients on a WebSocket, at an upstream that speaks Responses on one itself: kept from call to call, told only what is new,
and left for HTTP where it refuses."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import httpx2
import pytest
from websockets.sync.client import ClientConnection, connect

from aiproxy.framing.websocket import Closed, Message, Reply, WebSocketConnection
from aiproxy.framing.websocket.handshake import accept, read_offer
from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Received, Upstream, Wire, upstream
from tests.vendors.openai_responses import OPENAI_RESPONSES
from tests.vendors.scenarios import SCENARIOS
from tests.vendors.vendor import Asked

KEY = "client-key-of-these-tests-1"
Says = Callable[[dict[str, Any], Callable[[dict[str, Any]], None]], None]


def events(number: int) -> list[dict[str, Any]]:
    found = OPENAI_RESPONSES.events(Asked("m", streamed=True), SCENARIOS["plain"].answer(with_results=False))  # type: ignore[arg-type]
    said = [json.loads(event.partition(b"data: ")[2]) for event in found]
    for each in said:
        if "response" in each:
            each["response"]["id"] = f"resp_up{number}"
    return said


class Vendor:
    """Speaks on sockets and over HTTP; `instead` answers a message in another way, `refuses` handshakes with this status."""

    def __init__(self) -> None:
        self.handshakes: list[Received] = []
        self.messages: list[dict[str, Any]] = []
        self.posts: list[Received] = []
        self.instead: list[Says] = []
        self.refuses = 0
        self.closed = Event()

    def __call__(self, received: Received, wire: Wire) -> None:
        if received.method == "POST":
            self.posts.append(received)
            wire.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
            for event in events(100 + len(self.posts)):
                wire.chunk(b"event: %b\ndata: %b\n\n" % (event["type"].encode(), json.dumps(event).encode()))
            wire.chunk(b"")
            return
        self.handshakes.append(received)
        if self.refuses:
            wire.answer(self.refuses, b'{"error": {"message": "no"}}')
            return
        headers = {name: [value] for name, value in received.headers.items()}
        answer, deflate = accept(read_offer(headers), most=1 << 20)
        wire.head(101, dict(answer))
        self.speak(wire, WebSocketConnection(client=False, most=1 << 20, deflate=deflate))

    def speak(self, wire: Wire, connection: WebSocketConnection) -> None:
        def say(event: dict[str, Any]) -> None:
            wire.send(connection.text(json.dumps(event).encode()))

        while data := wire.socket.recv(65536):
            for event in connection.feed(data):
                match event:
                    case Message(text):
                        self.messages.append(json.loads(text))
                        if self.instead:
                            self.instead.pop(0)(self.messages[-1], say)
                        else:
                            for each in events(len(self.messages)):
                                say(each)
                    case Reply(reply):
                        wire.send(reply)
                    case Closed():
                        self.closed.set()
                        return


@pytest.fixture
def vendor() -> Vendor:
    return Vendor()


@pytest.fixture
def served(vendor: Vendor) -> Iterator[Upstream]:
    with upstream(vendor) as running:
        yield running


@pytest.fixture
def section() -> str:
    return "codex-api-key"


@pytest.fixture
def gateway(served: Upstream, tmp_path: Path, section: str) -> Iterator[Daemon]:
    configuration = f"""
api-keys: [{KEY}]
request-retry: 0
{section}: [{{api-key: responses-key-0123456789, base-url: "{served.base_url}", models: [m], websockets: true}}]
"""
    with daemon(tmp_path, configuration) as running:
        yield running


@pytest.fixture
def client(gateway: Daemon) -> Iterator[ClientConnection]:
    headers = {"authorization": f"Bearer {KEY}", "openai-beta": "responses_websockets=2026-02-06"}
    with connect(f"ws://127.0.0.1:{gateway.port}/v1/responses", additional_headers=headers, proxy=None) as running:
        yield running


def user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def asks(client: ClientConnection, said: Any, after: str | None = None, **more: Any) -> list[dict[str, Any]]:
    asked = {"type": "response.create", "model": "m", "input": said, "store": False, **more}
    client.send(json.dumps(asked | ({"previous_response_id": after} if after else {})))
    found = [json.loads(client.recv(timeout=20))]
    while found[-1]["type"] not in ("response.completed", "response.failed", "error"):
        found.append(json.loads(client.recv(timeout=20)))
    return found


@pytest.mark.parametrize("section", ["codex-api-key", "xai-api-key"])
def test_one_socket_serves_the_calls_of_one_client(client: ClientConnection, vendor: Vendor) -> None:
    first = asks(client, [user("one")])
    assert [event["type"] for event in first] == [event["type"] for event in events(1)]
    assert first[-1]["response"]["id"] == "resp_up1"
    second = asks(client, [user("two")], "resp_up1")
    asks(client, [user("three")], second[-1]["response"]["id"])
    assert (len(vendor.handshakes), vendor.posts) == (1, [])
    shook = vendor.handshakes[0].headers
    assert shook["authorization"] == "Bearer responses-key-0123456789"
    assert shook["openai-beta"] == "responses_websockets=2026-02-06"
    assert shook["user-agent"].startswith("aiproxy/")
    one, two, three = vendor.messages
    assert (one["type"], one["input"]) == ("response.create", [user("one")])
    assert "previous_response_id" not in one
    assert (two["previous_response_id"], two["input"]) == ("resp_up1", [user("two")])
    assert (three["previous_response_id"], three["input"]) == ("resp_up2", [user("three")])


def test_what_does_not_go_on_is_said_whole(client: ClientConnection, vendor: Vendor) -> None:
    asks(client, [user("one")])
    asks(client, [user("something else")])
    asks(client, [user("two")], "resp_up1")  # not from the last answer
    _, anew, branch = vendor.messages
    assert anew["input"] == [user("something else")]
    assert [item["role"] for item in branch["input"]] == ["user", "assistant", "user"]
    assert "previous_response_id" not in branch


@pytest.mark.parametrize("status", [426, 404, 403, 503])
def test_a_refused_handshake_goes_over_http(client: ClientConnection, vendor: Vendor, status: int) -> None:
    vendor.refuses = status
    first = asks(client, [user("one")])
    assert first[-1]["response"]["id"] == "resp_up101"
    asks(client, [user("two")], "resp_up101")
    assert (len(vendor.handshakes), len(vendor.posts)) == (1, 2), "it isn't asked again"
    assert [item["role"] for item in vendor.posts[-1].json["input"]] == ["user", "assistant", "user"]


def test_an_upstream_that_has_had_enough_is_asked_over_http_then_anew(client: ClientConnection, vendor: Vendor) -> None:
    asks(client, [user("one")])
    error = {"type": "invalid_request_error", "code": "websocket_connection_limit_reached", "message": "an hour"}
    vendor.instead.append(lambda _asked, say: say({"type": "error", "status": 400, "error": error}))
    assert asks(client, [user("two")], "resp_up1")[-1]["response"]["id"] == "resp_up101"
    asks(client, [user("three")], "resp_up101")
    assert len(vendor.handshakes) == 2
    assert [item.get("role") for item in vendor.messages[-1]["input"]] == ["user", "assistant"] * 2 + ["user"]


def test_an_upstream_that_has_forgotten_hears_the_whole(client: ClientConnection, vendor: Vendor) -> None:
    asks(client, [user("one")])
    error = {"type": "invalid_request_error", "code": "previous_response_not_found", "message": "gone"}
    vendor.instead.append(lambda _asked, say: say({"type": "error", "status": 400, "error": error}))
    assert asks(client, [user("two")], "resp_up1")[-1]["response"]["id"] == "resp_up3"
    _, short, whole = vendor.messages
    assert (short["input"], len(whole["input"])) == ([user("two")], 3)
    assert "previous_response_id" not in whole
    assert len(vendor.handshakes) == 1


def test_a_refused_call_is_an_error_with_its_status(client: ClientConnection, vendor: Vendor) -> None:
    error = {"type": "usage_limit_reached", "code": None, "message": "The plan is used up."}

    def refuses(_asked: dict[str, Any], say: Callable[[dict[str, Any]], None]) -> None:
        say({"type": "codex.rate_limits", "plan_type": "plus"})
        say({"type": "error", "status_code": 429, "error": error, "headers": {"Retry-After": "7"}})

    vendor.instead.append(refuses)
    (told,) = asks(client, [user("one")])
    assert (told["type"], told["status"], told["headers"]["retry-after"]) == ("error", 429, "7")
    assert "used up" in told["error"]["message"]


def test_a_socket_that_breaks_off_amid_an_answer_ends_it_honestly(client: ClientConnection, vendor: Vendor) -> None:
    def breaks(_asked: dict[str, Any], say: Callable[[dict[str, Any]], None]) -> None:
        for event in events(1)[:6]:
            say(event)
        raise OSError

    vendor.instead.append(breaks)
    told = asks(client, [user("one")])
    assert told[-1]["type"] == "response.failed"
    assert asks(client, [user("again")])[-1]["type"] == "response.completed"
    assert len(vendor.handshakes) == 2


def test_calls_side_by_side_have_one_socket_and_http(client: ClientConnection, vendor: Vendor) -> None:
    go = Event()

    def waits(_asked: dict[str, Any], say: Callable[[dict[str, Any]], None]) -> None:
        first, *rest = events(1)
        say(first)
        go.wait(20)
        for event in rest:
            say(event)

    vendor.instead.append(waits)
    client.send(json.dumps({"type": "response.create", "model": "m", "input": [user("one")], "store": False}))
    told = asks(client, [user("aside")], stream_id="b")
    while told[-1].get("stream_id") != "b":
        told = told[:-1]
    assert told[-1]["response"]["id"] == "resp_up101"
    go.set()


def test_a_client_that_leaves_takes_its_socket_along(gateway: Daemon, vendor: Vendor) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    with connect(f"ws://127.0.0.1:{gateway.port}/v1/responses", additional_headers=headers, proxy=None) as client:
        asks(client, [user("one")])
    assert vendor.closed.wait(20)


def test_clients_over_http_are_served_over_http(gateway: Daemon, vendor: Vendor) -> None:
    body = {"model": "m", "input": "one", "stream": True}
    told = httpx2.post(f"{gateway.base_url}/responses", json=body, headers={"authorization": f"Bearer {KEY}"})
    assert "response.completed" in told.text
    assert not vendor.handshakes
