"""The official OpenAI SDK and answers that the gateway keeps: continued at another vendor, fetched, listed, deleted; and what
is said of those it hasn't."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import OpenAI
from openai.types.responses import Response, ResponseOutputMessage

from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Received, Upstream, upstream
from tests.rig.upstream import Wire as UpstreamEnd
from tests.vendors.openai_responses import OPENAI_RESPONSES
from tests.vendors.scenarios import SCENARIOS
from tests.vendors.stand_in import StandIn, vendors

KEY = "client-key-of-these-tests-1"
ANOTHER_KEY = "client-key-of-these-tests-2"


@pytest.fixture(scope="module")
def stand_in() -> Iterator[StandIn]:
    with vendors() as running:
        yield running


@pytest.fixture(scope="module")
def native() -> Iterator[Upstream]:
    """A vendor that keeps answers itself."""

    def behave(received: Received, wire: UpstreamEnd) -> None:
        if received.path == "/v1/responses/compact":
            compacted = {"type": "compaction", "id": "cmp_1", "encrypted_content": "theirs"}
            wire.answer(
                200,
                json.dumps(
                    {
                        "id": "resp_c",
                        "object": "response.compaction",
                        "created_at": 1,
                        "output": [compacted],
                        "usage": None,
                    }
                ).encode(),
            )
        else:
            asked = OPENAI_RESPONSES.asked(received)
            wire.answer(200, OPENAI_RESPONSES.whole(asked, SCENARIOS["plain"].answer(with_results=False)))  # type: ignore[arg-type]

    with upstream(behave) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(stand_in: StandIn, native: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    configuration = f"""
api-keys: [{KEY}, {ANOTHER_KEY}]
request-retry: 0
claude-api-key: [{{api-key: messages-key-0123456789, base-url: "{stand_in.address}", models: [plain, call]}}]
codex-api-key: [{{api-key: responses-key-0123456789, base-url: "{native.base_url}", models: [{{name: plain, alias: native}}]}}]
openai-compatibility: [{{name: chat, base-url: "{stand_in.address}/v1", models: [{{name: plain, alias: uncounted}}]}}]
"""
    with daemon(tmp_path_factory.mktemp("kept"), configuration) as running:
        yield running


@pytest.fixture
def client(gateway: Daemon) -> Iterator[OpenAI]:
    with OpenAI(base_url=gateway.base_url, api_key=KEY, max_retries=0) as made:
        yield made


@pytest.fixture
def other(gateway: Daemon) -> Iterator[OpenAI]:
    with OpenAI(base_url=gateway.base_url, api_key=ANOTHER_KEY, max_retries=0) as made:
        yield made


def asks(client: OpenAI, said: str, after: str | None = None, model: str = "plain", **more: Any) -> Response:
    answer: Response = client.responses.create(model=model, input=said, previous_response_id=after, **more)
    return answer


def is_unknown(client: OpenAI, response_id: str, model: str = "plain") -> bool:
    with pytest.raises(openai.NotFoundError) as refused:
        asks(client, "and?", response_id, model)
    assert refused.value.param == "previous_response_id"
    return refused.value.code == "previous_response_not_found"


def test_a_conversation_goes_on_by_reference(client: OpenAI, stand_in: StandIn) -> None:
    first = asks(client, "one", instructions="Once only.")
    second = asks(client, "two", first.id)
    third = asks(client, "three", second.id)
    assert (second.previous_response_id, third.previous_response_id) == (first.id, second.id)
    asked = stand_in.asked[-1][1]
    assert asked.texts == ("one", "two", "three")
    assert asked.said == ("Hello, world.",) * 2
    assert asked.instructions == (), "instructions are not inherited"


def test_a_conversation_branches(client: OpenAI, stand_in: StandIn) -> None:
    first = asks(client, "one")
    asks(client, "left", first.id)
    asks(client, "right", first.id)
    assert stand_in.asked[-1][1].texts == ("one", "right")


def test_a_conversation_moves_to_a_vendor_that_keeps_its_own(client: OpenAI, native: Upstream) -> None:
    first = asks(client, "one")
    second = asks(client, "two", first.id, model="native")
    sent = native.received[-1].json
    assert "previous_response_id" not in sent
    assert [item["role"] for item in sent["input"]] == ["user", "assistant", "user"]
    third = asks(client, "three", second.id, model="native")
    assert native.received[-1].json["previous_response_id"] == second.id, "its own answers are its own to look up"
    assert third.id == second.id
    assert is_unknown(client, second.id), "and nobody else's"


def test_an_answer_is_fetched_as_it_was_told(client: OpenAI) -> None:
    with client.responses.stream(model="plain", input="hi", metadata={"a": "b"}) as stream:
        answer = stream.get_final_response()
    fetched = client.responses.retrieve(answer.id)
    (message,) = fetched.output
    assert isinstance(message, ResponseOutputMessage)
    assert (message.id, fetched.output_text) == (answer.output[0].to_dict()["id"], "Hello, world.")
    assert (fetched.metadata, fetched.usage, fetched.status) == ({"a": "b"}, answer.usage, "completed")
    with pytest.raises(openai.BadRequestError, match="stream"):
        client.responses.retrieve(answer.id, stream=True)


def test_its_input_is_listed_page_by_page(client: OpenAI) -> None:
    first = asks(client, "one")
    second = client.responses.create(
        model="plain", input=[{"role": "user", "content": "two"}], previous_response_id=first.id
    )
    listed = client.responses.input_items.list(second.id, order="asc", limit=2)
    assert listed.has_more
    items = list(listed)
    texts = [item.to_dict()["content"] for item in items]
    assert [text[0]["text"] for text in texts] == ["one", "Hello, world.", "two"]  # type: ignore[index]
    assert len({item.id for item in items}) == 3
    newest = client.responses.input_items.list(second.id, limit=1)
    assert newest.data[0].id == items[-1].id
    for wrong in ({"limit": 0}, {"order": "up"}, {"after": "item_x"}):
        with pytest.raises(openai.BadRequestError, match=next(iter(wrong))):
            client.responses.input_items.list(second.id, extra_query=wrong)


def test_what_is_deleted_is_gone(client: OpenAI) -> None:
    first = asks(client, "one")
    second = asks(client, "two", first.id)
    client.responses.delete(first.id)
    assert is_unknown(client, first.id)
    assert is_unknown(client, second.id), "nobody goes on from what is not there"
    with pytest.raises(openai.NotFoundError, match="not found"):
        client.responses.retrieve(first.id)
    with pytest.raises(openai.NotFoundError, match="not found"):
        client.responses.delete(first.id)


def test_what_is_not_to_be_stored_is_not(client: OpenAI) -> None:
    answer = asks(client, "one", store=False)
    assert is_unknown(client, answer.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(answer.id)


def test_another_clients_answers_are_unknown(client: OpenAI, other: OpenAI) -> None:
    answer = asks(client, "one")
    assert is_unknown(other, answer.id)
    for attempt in (other.responses.retrieve, other.responses.delete, other.responses.input_items.list):
        with pytest.raises(openai.NotFoundError):
            attempt(answer.id)
    assert client.responses.retrieve(answer.id).id == answer.id


def test_ids_nobody_made_are_unknown(client: OpenAI) -> None:
    assert is_unknown(client, "resp_0123456789abcdef")
    assert is_unknown(client, "resp_aipx_0123456789abcdef01234567")
    assert is_unknown(client, "resp_aipx_0123456789abcdef01234567", "native")


def test_nothing_runs_in_the_background(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="background"):
        asks(client, "one", background=True)
    answer = asks(client, "one")
    with pytest.raises(openai.BadRequestError, match="synchronous"):
        client.responses.cancel(answer.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.cancel("resp_0123456789abcdef")


def test_faults_are_named_where_the_client_knows_them(client: OpenAI) -> None:
    """Not by their places in the whole conversation."""
    first = asks(client, "one")
    wrong: Any = [{"role": "user", "content": "fine"}, {"role": "nobody", "content": "x"}]
    with pytest.raises(openai.BadRequestError) as refused:
        client.responses.create(model="plain", input=wrong, previous_response_id=first.id)
    assert refused.value.param == "input[1].role"
    with pytest.raises(openai.BadRequestError, match="exclude each other"):
        asks(client, "two", first.id, conversation="conv_1")


def test_tokens_are_counted_of_the_whole_conversation(client: OpenAI) -> None:
    first = asks(client, "one " * 100)
    counted = client.responses.input_tokens.with_raw_response.count(
        model="uncounted", input="two", previous_response_id=first.id
    )
    assert counted.parse().input_tokens > 100
    assert counted.headers["x-aiproxy-warnings"] == "emulate:count_tokens"


def test_answers_are_told_apart_though_the_client_gives_its_calls_one_id(client: OpenAI, stand_in: StandIn) -> None:
    named = client.with_options(default_headers={"x-request-id": "one-id-for-the-session"})
    first = asks(named, "one")
    second = asks(named, "two", first.id)
    assert len({first.id, second.id}) == 2
    asks(named, "three", second.id)
    assert stand_in.asked[-1][1].texts == ("one", "two", "three")


def test_a_key_is_who_it_is_wherever_it_stands(stand_in: StandIn, tmp_path: Path) -> None:
    """The second key moves to the first one's place: it does not inherit what that one left."""
    rest = f'claude-api-key: [{{api-key: messages-key-0123456789, base-url: "{stand_in.address}", models: [plain]}}]'
    with daemon(tmp_path, f"api-keys: [{KEY}, {ANOTHER_KEY}]\n{rest}") as running:
        with OpenAI(base_url=running.base_url, api_key=KEY, max_retries=0) as one:
            left = asks(one, "one")
        with OpenAI(base_url=running.base_url, api_key=ANOTHER_KEY, max_retries=0) as another:
            own = asks(another, "two")
            (tmp_path / "aiproxy.yaml").write_text(f"api-keys: [{ANOTHER_KEY}]\n{rest}")
            running.signal(signal.SIGHUP)
            running.wait_for("configuration reloaded")
            assert is_unknown(another, left.id)
            assert another.responses.retrieve(own.id).id == own.id
