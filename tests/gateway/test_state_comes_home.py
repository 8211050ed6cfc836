"""State that only the account which made it can give back: it is asked for there, and left out elsewhere."""

import json
from base64 import b64decode
from typing import Any

from aiproxy.codecs import anthropic_messages
from aiproxy.usage import story
from tests.rig.scripted import Asked, Rig, Said, fails

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
