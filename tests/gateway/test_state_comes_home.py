"""State that only the account which made it can give back: it is asked for there, and left out elsewhere."""

import json
from base64 import b64decode
from collections.abc import Sequence
from typing import Any

from aiproxy.codecs import anthropic_messages, gemini, openai_responses
from aiproxy.gateway.named_answers import LONGEST_HEAD, NamedSink
from aiproxy.neutral import errors
from aiproxy.usage import story
from tests.rig.scripted import Asked, Rig, Said, Sink, fails

TWO = """
gemini-api-key:
  - {api-key: key-one-0123456789, name: one, base-url: "http://one.test"}
  - {api-key: key-two-0123456789, name: two, base-url: "http://two.test"}
"""
MODEL = "gemini-3-pro"
SIGNATURE = "c2lnbmF0dXJl"
CALLS = {
    "candidates": [
        {
            "index": 0,
            "finishReason": "STOP",
            "content": {
                "role": "model",
                "parts": [{"functionCall": {"name": "f", "args": {}}, "thoughtSignature": SIGNATURE}],
            },
        }
    ],
    "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2},
}
ASKED = {"role": "user", "content": "hi"}


def rig() -> Rig:
    made = Rig("routing: {session-affinity: false}\n" + TWO)
    for name in ("one", "two"):
        made[name].otherwise = Said(200, CALLS)
    return made


def ask(made: Rig, *turns: dict[str, Any]) -> Asked:
    return made.ask(MODEL, codec=anthropic_messages.CODEC, messages=turns, max_tokens=100)


def history(made: Rig) -> list[dict[str, Any]]:
    """After a first turn, by the first account."""
    asked = ask(made, ASKED)
    assert asked.accounts == ["one"]
    content = json.loads(asked.sink.body)["content"]
    call = next(block["id"] for block in content if block["type"] == "tool_use")
    result = {"type": "tool_result", "tool_use_id": call, "content": "done"}
    return [ASKED, {"role": "assistant", "content": content}, {"role": "user", "content": [result]}]


def signature_sent(made: Rig, host: str) -> str:
    body = json.loads(made[host].asked[-1].body)
    (part,) = (part for turn in body["contents"] for part in turn["parts"] if "functionCall" in part)
    return str(part["thoughtSignature"])


def test_the_account_that_made_it_is_asked_before_others() -> None:
    made = rig()
    turns = history(made)
    for _ in range(3):
        asked = ask(made, *turns)
        assert asked.accounts == ["one"]
        assert signature_sent(made, "one") == SIGNATURE
        assert "x-aiproxy-warnings" not in asked.sink.headers
    assert "by the state it made" in story(asked.record)


def test_another_account_answers_without_it_and_its_own_comes_home_from_then_on() -> None:
    made = rig()
    turns = history(made)
    made["one"].script = [fails(429, retry_after="60")]
    asked = ask(made, *turns)
    assert asked.accounts == ["one", "two"]
    assert signature_sent(made, "two") == "skip_thought_signature_validator"
    assert "drop:" in asked.sink.headers["x-aiproxy-warnings"]
    made.wait(61.0)
    later = [{"role": "assistant", "content": json.loads(asked.sink.body)["content"]}, {"role": "user", "content": "y"}]
    assert ask(made, *turns, *later).accounts == ["two"], "the latest state counts"


def test_an_envelope_tells_no_secret_and_no_account() -> None:
    made = rig()
    carried = next(block for block in history(made)[1]["content"] if block["type"] == "thinking")["signature"]
    body = carried.split(".")[1]
    told = json.loads(b64decode(body + "=" * (-len(body) % 4), altchars=b"-_"))
    assert set(told) == {"v", "vendor", "kind", "data", "model", "route", "calls"}
    assert "one" not in told["route"]
    assert "key" not in told["route"]


def test_what_binds_nothing_goes_anywhere() -> None:
    snapshot = rig().snapshot(TWO + "claude-api-key: [{api-key: key-three-0123456789, name: three}]")
    three = snapshot.upstreams["three"]
    assert snapshot.state_scope(three, "claude-opus-4-6") is None
    assert snapshot.state_scope(three, "claude-opus-5-5") is not None
    scopes = {snapshot.state_scope(snapshot.upstreams[name], MODEL) for name in ("one", "two")}
    assert len(scopes) == 2


OPENAI = """
codex-api-key:
  - {api-key: key-one-0123456789, name: one, base-url: "http://one.test/v1"}
  - {api-key: key-two-0123456789, name: two, base-url: "http://two.test/v1"}
"""


def response(name: str) -> Said:
    return Said(200, {"id": name, "object": "response", "status": "completed", "model": "m", "output": []})


def test_whoever_goes_on_from_an_upstreams_answer_comes_back_to_its_account() -> None:
    made = Rig(OPENAI)
    made["one"].otherwise, made["two"].otherwise = response("resp_one"), response("resp_two")

    def go_on(**more: Any) -> Sequence[str]:
        asked = made.ask(codec=openai_responses.CODEC, input="and?", **more)
        assert asked.error is None
        return asked.accounts

    assert [go_on(prompt_cache_key="x"), go_on(prompt_cache_key="y")] == [["one"], ["two"]]
    for _ in range(2):
        assert go_on(previous_response_id="resp_two") == ["two"]
        assert go_on(previous_response_id="resp_one") == ["one"]
    assert go_on(previous_response_id="resp_two", prompt_cache_key="x") == ["two"], "its account alone has it"
    assert go_on(previous_response_id="resp_other")
    assert go_on(prompt_cache_key="z", store=False)


def test_the_id_is_found_wherever_the_writes_are_cut() -> None:
    answer = b': alive\n\ndata: {"type": "response.created", "response": {"id": "resp_1"}}\n\ndata: {"id": "other"}\n\n'
    for place in range(len(answer)):
        sink = NamedSink(Sink())
        sink.write(answer[:place])
        sink.write(answer[place:])
        assert sink.id == "resp_1"
    sink = NamedSink(Sink())
    sink.write(b" " * LONGEST_HEAD)
    sink.write(answer)
    assert sink.id == "", "late is never"


CALLED = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "done"}]}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "another account's"}
FOREIGN = "messages.1.content.0: Invalid `signature` in `thinking` block"
SAID = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 1, "output_tokens": 1},
}


def claude(*script: Said) -> Rig:
    made = Rig('claude-api-key: [{api-key: key-one-0123456789, name: one, base-url: "http://one.test"}]')
    made["one"].script = list(script)
    return made


def test_thinking_that_the_upstream_does_not_know_is_left_out_with_a_warning() -> None:
    made = claude(fails(400, FOREIGN), Said(200, SAID))
    turns = [ASKED, {"role": "assistant", "content": [THOUGHT, CALLED]}, RESULT]
    thinking = {"type": "enabled", "budget_tokens": 2048}
    asked = made.ask(
        "claude-x", codec=anthropic_messages.CODEC, messages=turns, max_tokens=4096, thinking=thinking, tools=[]
    )
    assert (asked.error, asked.accounts) == (None, ["one"])
    first, second = (json.loads(each.body) for each in made["one"].asked)
    assert first["messages"] == turns
    assert [block["type"] for block in second["messages"][1]["content"]] == ["tool_use"]
    assert second["thinking"] == {"type": "disabled"}, (
        "a budget's thinking must lead to the calls whose results come last"
    )
    assert asked.sink.headers["x-aiproxy-warnings"] == "drop:messages[].content[].thinking, drop:thinking.type"
    assert json.loads(asked.sink.body)["content"] == SAID["content"]


def test_thinking_is_left_out_once() -> None:
    made = claude(fails(400, FOREIGN), fails(400, FOREIGN))
    asked = made.ask("claude-x", codec=anthropic_messages.CODEC, messages=[ASKED], max_tokens=99)
    assert isinstance(asked.error, errors.ForeignState)
    assert len(made["one"].asked) == 2


def test_encrypted_reasoning_goes_with_the_names_that_hang_on_it() -> None:
    made = Rig(OPENAI)
    message = {"type": "message", "id": "msg_2", "role": "assistant", "status": "completed", "content": []}
    whole = {"id": "resp_1", "object": "response", "status": "completed", "model": "m", "output": [message]}
    made["one"].script = [
        fails(400, "The encrypted content for item rs_1 could not be verified."),
        Said(200, whole),
    ]
    reasoning = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "gAAA"}
    call = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "f", "arguments": "{}"}
    result = {"type": "function_call_output", "call_id": "call_1", "output": "done"}
    asked = made.ask(codec=openai_responses.CODEC, input=[reasoning, call, result], store=False)
    assert asked.error is None
    sent = json.loads(made["one"].asked[1].body)["input"]
    assert [item["type"] for item in sent] == ["function_call", "function_call_output"]
    assert "id" not in sent[0]


def test_a_signature_of_another_project_is_left_out() -> None:
    made = rig()
    made["one"].script = [fails(400, "Corrupted thought signature.")]
    call = {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": SIGNATURE}
    result = {"functionResponse": {"name": "f", "response": {"x": 1}}}
    contents = [
        {"role": "user", "parts": [{"text": "hi"}]},
        {"role": "model", "parts": [call]},
        {"role": "user", "parts": [result]},
    ]
    asked = made.ask(MODEL, codec=gemini.CODEC, contents=contents)
    assert asked.error is None
    assert signature_sent(made, "one") == "skip_thought_signature_validator"
