"""A conversation in the place of a reference to it."""

from typing import Any

import orjson
import pytest

from aiproxy.codecs.openai_responses.stored import (
    KEPT,
    continued,
    keep,
    list_input,
    ours,
    previous,
    reference,
    show,
    upstreams,
)
from aiproxy.neutral.errors import InvalidRequest


def message(role: str, text: str) -> dict[str, Any]:
    kind = "output_text" if role == "assistant" else "input_text"
    return {"type": "message", "role": role, "content": [{"type": kind, "text": text}]}


def turn(given: Any, *output: Any, after: str | None = None) -> bytes:
    body = {"model": "m", "input": given} | ({"previous_response_id": after} if after else {})
    response = {"id": f"{KEPT}x", "output": list(output), "instructions": "repeated", "usage": None}
    return keep(orjson.dumps(body), response)


FIRST = turn("one", message("assistant", "1"))
SECOND = turn([message("user", "two")], message("assistant", "2"), after=f"{KEPT}1")
COMPACTED = turn([{"type": "compaction_trigger"}], {"type": "compaction", "encrypted_content": "x"}, after=f"{KEPT}2")


@pytest.mark.parametrize(
    ("given", "turns", "whole"),
    [
        ("now", [FIRST], [message("user", "one"), message("assistant", "1"), message("user", "now")]),
        (
            [message("user", "now")],
            [FIRST, SECOND],
            [*(message(*said) for said in (("user", "one"), ("assistant", "1"), ("user", "two"), ("assistant", "2"), ("user", "now")))],
        ),
        ("now", [COMPACTED], [{"type": "compaction", "encrypted_content": "x"}, message("user", "now")]),
        ([], [FIRST], [message("user", "one"), message("assistant", "1")]),
        (None, [FIRST], [message("user", "one"), message("assistant", "1")]),
    ],
)  # fmt: skip
def test_the_reference_gives_way(given: Any, turns: list[bytes], whole: list[Any]) -> None:
    body = orjson.dumps({"model": "m", "previous_response_id": f"{KEPT}1", "input": given, "store": True})
    assert orjson.loads(continued(body, turns)) == {"model": "m", "input": whole, "store": True}


def test_numbers_stay_exact() -> None:
    digits = b"123456789012345678901234567890"
    exact = keep(b'{"input":[{"type":"custom","x":%b}]}' % digits, {"id": "x", "output": []})
    assert digits in continued(b'{"model":"m","input":[]}', [exact])


@pytest.mark.parametrize(
    ("kept", "before"), [(FIRST, None), (SECOND, f"{KEPT}1"), (COMPACTED, None)], ids=["first", "later", "compacted"]
)
def test_a_conversation_begins_somewhere(kept: bytes, before: str | None) -> None:
    assert previous(kept) == before


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"previous_response_id": f"{KEPT}1"}, f"{KEPT}1"),
        ({"previous_response_id": "resp_of_the_upstream"}, "resp_of_the_upstream"),
        ({"previous_response_id": None}, None),
        ({"previous_response_id": ""}, None),
        ({"previous_response_id": 7}, None),
        ({"input": f"previous_response_id {KEPT}1"}, None),
        ({"input": [{"previous_response_id": f"{KEPT}1"}]}, None),
    ],
)
def test_a_reference_is_to_whoever_keeps_it(body: dict[str, Any], found: str | None) -> None:
    asked = orjson.dumps(body)
    assert reference(asked) == found
    assert upstreams(asked) == (None if found is None or ours(found) else found)


def test_a_conversation_may_begin_where_its_upstream_keeps_it() -> None:
    turn_of_ours = turn("two", message("assistant", "2"), after="resp_of_the_upstream")
    whole = orjson.loads(continued(b'{"previous_response_id":"resp_x","input":"three"}', [turn_of_ours]))
    assert whole["previous_response_id"] == "resp_of_the_upstream"
    assert [item["content"][0]["text"] for item in whole["input"]] == ["two", "2", "three"]


def test_a_reference_and_a_conversation_exclude_each_other() -> None:
    with pytest.raises(InvalidRequest) as refused:
        reference(orjson.dumps({"previous_response_id": f"{KEPT}1", "conversation": "conv_1"}))
    assert refused.value.param == "previous_response_id"


def test_a_response_is_shown_as_it_was() -> None:
    assert orjson.loads(show(FIRST).body) == {
        "id": f"{KEPT}x",
        "output": [message("assistant", "1")],
        "instructions": "repeated",
        "usage": None,
    }


def test_every_page_of_the_input_together_is_the_input() -> None:
    found: list[Any] = []
    after: dict[str, str] = {}
    while True:
        page = orjson.loads(list_input("x", [FIRST, SECOND], {"limit": "2", "order": "asc", **after}).body)
        found += page["data"]
        if not page["has_more"]:
            break
        after = {"after": page["last_id"]}
    assert [item["content"][0]["text"] for item in found] == ["one", "1", "two"]
    assert orjson.loads(list_input("x", [FIRST, SECOND], {}).body)["data"] == found[::-1]
