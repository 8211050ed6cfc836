"""Compaction as Codex asks for it, and as the SDK does, at vendors that have none; and passed on to one that has."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI
from openai.types.responses import ResponseCompactionItem, ResponseStreamEvent

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Received, Upstream, upstream
from tests.rig.upstream import Wire as UpstreamEnd
from tests.vendors.scenarios import SCENARIOS
from tests.vendors.stand_in import StandIn, vendors

KEY = "client-key-of-these-tests-1"
ANOTHER_KEY = "client-key-of-these-tests-2"
SUMMARY = SCENARIOS["plain"].first.text  # type: ignore[union-attr]
TRIGGER = {"type": "compaction_trigger"}
TOOLS: list[Any] = [{"type": "function", "name": "exec_command", "strict": False, "parameters": {"type": "object", "properties": {"cmd": {"type": "string"}}}}]  # fmt: skip
HISTORY: list[Any] = [
    {"type": "message", "id": "msg_1", "role": "developer", "content": [{"type": "input_text", "text": "You code."}]},
    {"type": "message", "id": "msg_2", "role": "user", "content": [{"type": "input_text", "text": "Fix it."}]},
    {"type": "reasoning", "id": "rs_1", "summary": [], "content": None, "encrypted_content": "from another vendor"},
    {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "exec_command", "arguments": '{"cmd":"ls"}'},
    {"type": "function_call_output", "id": "fco_1", "call_id": "call_1", "output": "a.py"},
]
VENDORS = {"chat": "openai-compatibility", "claude": "claude", "gemini": "gemini", "ollama": "ollama"}


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with vendors() as running:
        yield running


@pytest.fixture(scope="module")
def native() -> Iterator[Upstream]:
    """A vendor that compacts itself."""

    def behave(received: Received, wire: UpstreamEnd) -> None:
        item = {"type": "compaction", "id": "cmp_1", "encrypted_content": "theirs"}
        answer = {"id": "resp_c", "object": "response.compaction", "created_at": 1, "output": [item], "usage": None}
        if received.path == "/v1/responses":
            answer |= {"object": "response", "status": "completed", "model": received.json["model"]}
        wire.answer(200, json.dumps(answer).encode())

    with upstream(behave) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(stand_in: StandIn, native: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    def models(vendor: str) -> str:
        return (
            "[" + ", ".join(f"{{name: {name}, alias: {vendor}.{name}}}" for name in ("plain", "call", "length")) + "]"
        )

    configuration = f"""
api-keys: [{KEY}, {ANOTHER_KEY}]
request-retry: 1
disable-cooling: true
openai-compatibility: [{{name: chat, base-url: "{stand_in.address}/v1", api-key-entries: [chat-key-0123456789], models: {models("chat")}}}]
claude-api-key: [{{api-key: messages-key-0123456789, base-url: "{stand_in.address}", models: {models("claude")}}}]
gemini-api-key: [{{api-key: gemini-key-0123456789, base-url: "{stand_in.address}", models: {models("gemini")}}}]
ollama: [{{base-url: "{stand_in.address}", models: {models("ollama")}}}]
codex-api-key: [{{api-key: responses-key-0123456789, base-url: "{native.base_url}", models: [{{name: plain, alias: native}}]}}]
"""
    with daemon(tmp_path_factory.mktemp("compaction"), configuration) as running:
        yield running


@pytest.fixture
def client(gateway: Daemon) -> Iterator[OpenAI]:
    with OpenAI(base_url=gateway.base_url, api_key=KEY, max_retries=0) as made:
        yield made


def as_codex(client: OpenAI, model: str, items: list[Any]) -> list[ResponseStreamEvent]:
    return list(
        client.responses.create(
            model=model,
            input=items,
            tools=TOOLS,
            tool_choice="auto",
            parallel_tool_calls=True,
            store=False,
            stream=True,
        )
    )


def compacted(client: OpenAI, model: str = "claude.plain") -> dict[str, Any]:
    """The item that Codex goes on with."""
    events = as_codex(client, model, [*HISTORY, TRIGGER])
    (item,) = [event.item for event in events if event.type == "response.output_item.done"]
    assert isinstance(item, ResponseCompactionItem)
    return item.model_dump(exclude_none=True)


@pytest.mark.parametrize("vendor", VENDORS)
def test_codex_gets_one_item_and_goes_on_with_it(vendor: str, client: OpenAI, stand_in: StandIn) -> None:
    events = as_codex(client, f"{vendor}.plain", [*HISTORY, TRIGGER])
    kinds = [event.type for event in events]
    assert kinds == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.output_item.done",
        "response.completed",
    ]
    last = events[-1]
    assert last.type == "response.completed"
    (item,) = last.response.output
    assert isinstance(item, ResponseCompactionItem)
    assert last.response.usage
    assert (last.response.usage.input_tokens, last.response.usage.output_tokens) == (19, 7)
    asked = stand_in.asked[-1][1]
    assert asked.results == ((asked.results[0][0], "a.py"),), "the whole history was summed up"
    assert "Summarise" in asked.texts[-1]

    goes_on = [HISTORY[0], HISTORY[1], item.model_dump(exclude_none=True)]
    as_codex(client, f"{vendor}.plain", goes_on)
    first, summary = stand_in.asked[-1][1].texts
    assert first == "Fix it."
    assert summary.endswith(SUMMARY)
    assert stand_in.asked[-1][1].said == ()


@pytest.mark.parametrize("model", ["claude.call", "claude.length"])
def test_no_summary_is_invented(model: str, client: OpenAI, stand_in: StandIn) -> None:
    before = len(stand_in.asked)
    with pytest.raises(openai.InternalServerError, match="sum up"):
        as_codex(client, model, [HISTORY[1], TRIGGER])
    assert len(stand_in.asked) - before == 2, "asked once more, no oftener"


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_endpoint_of_its_own(vendor: str, client: OpenAI, stand_in: StandIn) -> None:
    raw = client.responses.with_raw_response.compact(model=f"{vendor}.plain", input=HISTORY, instructions="Be brief.")
    answer = raw.parse()
    assert (answer.object, [item.type for item in answer.output]) == ("response.compaction", ["message", "compaction"])
    assert raw.headers["x-aiproxy-warnings"] == "emulate:compaction"
    assert answer.usage.input_tokens == 19
    output = json.loads(raw.http_response.read())["output"]  # the SDK's type of it warns of user messages
    again = client.responses.create(model=f"{vendor}.plain", input=output)
    assert again.output_text == SUMMARY
    assert stand_in.asked[-1][1].texts[-1].endswith(SUMMARY)


def test_a_kept_conversation_goes_on_from_its_compaction(client: OpenAI, stand_in: StandIn) -> None:
    first = client.responses.create(model="claude.plain", input="Fix it.")
    whole = client.responses.compact(model="claude.plain", previous_response_id=first.id)
    assert [item.type for item in whole.output] == ["message", "compaction"]
    trigger: Any = [TRIGGER]
    second = client.responses.create(model="claude.plain", input=trigger, previous_response_id=first.id)
    client.responses.create(model="claude.plain", input="Now?", previous_response_id=second.id)
    summary, last = stand_in.asked[-1][1].texts
    assert summary.endswith(SUMMARY)
    assert last == "Now?"


def test_a_vendor_that_compacts_is_left_to_it(client: OpenAI, native: Upstream) -> None:
    theirs = client.responses.compact(model="native", input=HISTORY)
    (item,) = theirs.output
    assert isinstance(item, ResponseCompactionItem)
    assert item.encrypted_content == "theirs"
    assert native.received[-1].path == "/v1/responses/compact"
    assert native.received[-1].json == {"model": "plain", "input": HISTORY}
    trigger: Any = [*HISTORY, TRIGGER]
    client.responses.create(model="native", input=trigger)
    assert native.received[-1].json["input"] == trigger


def test_our_summary_is_told_to_a_vendor_that_compacts(client: OpenAI, native: Upstream) -> None:
    """Which could not read it."""
    ours: Any = [HISTORY[1], compacted(client)]
    client.responses.create(model="native", input=ours)
    (_, summary) = native.received[-1].json["input"]
    assert summary["role"] == "user"
    assert SUMMARY in json.dumps(summary)
    client.responses.compact(model="native", input=ours)
    assert native.received[-1].path == "/v1/responses/compact"
    assert native.received[-1].json.keys() == {"model", "input"}
    assert native.received[-1].json["input"][1] == summary


def test_nobody_elses_summary_is_read(client: OpenAI, gateway: Daemon) -> None:
    item = compacted(client)
    with OpenAI(base_url=gateway.base_url, api_key=ANOTHER_KEY, max_retries=0) as other:
        with pytest.raises(openai.BadRequestError) as refused:
            as_codex(other, "claude.plain", [HISTORY[1], item])
        assert refused.value.param == "input[1].encrypted_content"
    foreign = {"type": "compaction", "id": "cmp_1", "encrypted_content": "of a vendor"}
    with pytest.raises(openai.BadRequestError) as refused:
        as_codex(client, "claude.plain", [HISTORY[1], foreign])
    assert refused.value.param == "input[1]"
    assert "input[].compaction" in refused.value.message
