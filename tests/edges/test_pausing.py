"""An upstream that pauses in the middle of a turn, and clients that have no word for it: they see one answer."""

import json
from collections.abc import Iterator
from threading import Event
from typing import Any

import openai
import pytest
from anthropic import Anthropic
from openai import OpenAI

from aiproxy.gateway.pausing import MOST_PAUSES
from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Behaviour, Received, Upstream, Wire, fails, upstream

SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "weather"}}
FOUND = {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": []}


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said, "citations": None}


def answers(stop: str, *blocks: dict[str, Any]) -> Behaviour:
    """A stream of these blocks, each of which comes whole."""
    usage = {"input_tokens": 10, "output_tokens": 3}
    message: dict[str, Any] = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [], "stop_reason": None, "stop_sequence": None, "usage": usage}  # fmt: skip
    bodies: list[dict[str, Any]] = [{"type": "message_start", "message": message}]
    for index, block in enumerate(blocks):
        begun = {**block, "text": ""} if block["type"] == "text" else block
        bodies.append({"type": "content_block_start", "index": index, "content_block": begun})
        if block["type"] == "text":
            delta = {"type": "text_delta", "text": block["text"]}
            bodies.append({"type": "content_block_delta", "index": index, "delta": delta})
        bodies.append({"type": "content_block_stop", "index": index})
    bodies.append({"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": usage})
    bodies.append({"type": "message_stop"})
    frames = b"".join(
        b"event: %b\ndata: %b\n\n" % (body["type"].encode(), json.dumps(body).encode()) for body in bodies
    )

    def behave(received: Received, wire: Wire) -> None:
        assert received.path == "/v1/messages"
        wire.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        wire.chunk(frames)
        wire.chunk(b"")

    return behave


@pytest.fixture(scope="module")
def vendor() -> Iterator[Upstream]:
    with upstream(answers("end_turn", text("Sunny."))) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(vendor: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    address = vendor.base_url.removesuffix("/v1")
    # The first takes no assistant's turn at the end, which is what going on looks like.
    models = "[claude-sonnet-4-6]"
    entries = f"request-retry: 0\ndisable-cooling: true\nclaude-api-key: [{{api-key: key-0123456789abcdef, base-url: '{address}', models: {models}}}]"
    with daemon(tmp_path_factory.mktemp("pausing"), entries) as running:
        yield running


@pytest.fixture
def client(gateway: Daemon) -> Iterator[OpenAI]:
    with OpenAI(base_url=gateway.base_url, api_key="-", max_retries=0) as made:
        yield made


MODEL = "claude-sonnet-4-6"
PAUSE = answers("pause_turn", text("Let me look. "), SEARCH, FOUND)


def chat(client: OpenAI, *, streamed: bool) -> tuple[str, str | None, Any]:
    asked: Any = {"model": MODEL, "messages": [{"role": "user", "content": "How is the weather?"}]}
    if not streamed:
        answer = client.chat.completions.create(**asked)
        return answer.choices[0].message.content or "", answer.choices[0].finish_reason, answer.usage
    with client.chat.completions.stream(**asked, stream_options={"include_usage": True}) as stream:
        final = stream.get_final_completion()
    return final.choices[0].message.content or "", final.choices[0].finish_reason, final.usage


@pytest.mark.parametrize("streamed", [False, True])
def test_the_answer_goes_on(streamed: bool, client: OpenAI, vendor: Upstream) -> None:
    before = len(vendor.received)
    vendor.script.extend([PAUSE, answers("pause_turn", text("Hm. ")), answers("end_turn", text("Sunny."))])
    said, finish, usage = chat(client, streamed=streamed)
    assert (said, finish) == ("Let me look. Hm. Sunny.", "stop")
    assert (usage.prompt_tokens, usage.completion_tokens) == (30, 9)
    _, second, third = vendor.received[before:]
    asked, said_so_far = second.json["messages"]
    assert asked["role"] == "user"
    assert [block["type"] for block in said_so_far["content"]] == ["text", "server_tool_use", "web_search_tool_result"]
    assert said_so_far["content"][1:] == [SEARCH, FOUND]
    assert [block["type"] for block in third.json["messages"][-1]["content"]][-1] == "text"
    assert len(third.json["messages"]) == 2


def test_items_are_numbered_through(client: OpenAI, vendor: Upstream) -> None:
    vendor.script.extend([PAUSE, answers("end_turn", text("Sunny."))])
    with client.responses.stream(model=MODEL, input="How is the weather?") as stream:
        answer = stream.get_final_response()
    assert answer.output_text == "Let me look. Sunny."
    assert [item.type for item in answer.output] == ["message", "web_search_call", "message"]


def test_it_does_not_go_on_for_ever(client: OpenAI, vendor: Upstream) -> None:
    before = len(vendor.received)
    vendor.script.extend([answers("pause_turn", text("x"))] * (MOST_PAUSES + 1))
    said, finish, _ = chat(client, streamed=True)
    assert (said, finish) == ("x" * (MOST_PAUSES + 1), "stop")
    assert len(vendor.received) - before == MOST_PAUSES + 1
    assert not vendor.script


def test_an_error_on_the_way_is_told(client: OpenAI, vendor: Upstream) -> None:
    vendor.script.extend([PAUSE, fails(529, "too many")])
    with pytest.raises(openai.APIError, match="too many"):
        chat(client, streamed=True)
    vendor.script.extend([PAUSE, fails(429, "slow")])
    with pytest.raises(openai.RateLimitError, match="slow"):
        chat(client, streamed=False)


def test_who_knows_of_pauses_is_told_of_them(gateway: Daemon, vendor: Upstream) -> None:
    vendor.script.append(PAUSE)
    with (
        Anthropic(base_url=gateway.address, api_key="-", max_retries=0) as made,
        made.messages.stream(model=MODEL, max_tokens=9, messages=[{"role": "user", "content": "x"}]) as stream,
    ):
        assert stream.get_final_message().stop_reason == "pause_turn"


def test_a_client_that_leaves_takes_the_upstream_with_it(client: OpenAI, vendor: Upstream, gateway: Daemon) -> None:
    asked_again, let_go = Event(), Event()

    def waits(received: Received, wire: Wire) -> None:
        asked_again.set()
        if wire.wait_for_close():
            let_go.set()

    vendor.script.extend([PAUSE, waits])
    stream = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "x"}], stream=True)
    request_id = stream.response.headers["x-request-id"]
    assert asked_again.wait(20)
    stream.close()
    assert let_go.wait(20)
    assert gateway.wait_for_access(request_id)["outcome"] == "cancelled"
