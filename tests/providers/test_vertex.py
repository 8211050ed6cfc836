"""Vertex's declaration: addresses by location, and the table of what becomes of a body."""

import copy
import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from aiproxy.codecs.report import Report
from aiproxy.providers.base import Endpoint, Operation
from aiproxy.providers.vertex import VERTEX
from aiproxy.providers.vertex_repairs import begin_with_user, count_bare_contents, leave_out_call_ids, say_who_speaks
from tests.config.reading import load
from tests.vendors.google_tokens import PROJECT, service_account

USER = {"role": "user", "parts": [{"text": "hi"}]}
BLANK = {"role": "user", "parts": [{"text": " "}]}


@pytest.mark.parametrize(
    ("entry", "address"),
    [
        ("api-key: some-vertex-key", "https://aiplatform.googleapis.com/v1"),
        ("api-key: some-vertex-key, base-url: https://zenmux.ai/api/", "https://zenmux.ai/api/v1"),
        ("api-key: some-vertex-key, base-url: https://zenmux.ai/api/v1", "https://zenmux.ai/api/v1"),
        (
            "service-account: {file: a.json}",
            f"https://aiplatform.googleapis.com/v1/projects/{PROJECT}/locations/global",
        ),
        (
            "service-account: {file: a.json}, location: europe-west4, project: p-2",
            "https://europe-west4-aiplatform.googleapis.com/v1/projects/p-2/locations/europe-west4",
        ),
        (
            "service-account: {file: a.json}, location: eu",
            f"https://aiplatform.eu.rep.googleapis.com/v1/projects/{PROJECT}/locations/eu",
        ),
        (
            "service-account: {file: a.json}, location: eu, base-url: http://127.0.0.1:9",
            f"http://127.0.0.1:9/v1/projects/{PROJECT}/locations/eu",
        ),
        (
            "service-account: {file: wrapped.json}",
            f"https://us-central1-aiplatform.googleapis.com/v1/projects/{PROJECT}/locations/us-central1",
        ),
    ],
)
def test_addresses(entry: str, address: str, tmp_path: Path) -> None:
    file = service_account("https://oauth2.googleapis.com/token")
    (tmp_path / "a.json").write_text(json.dumps(file))
    wrapped = {"type": "vertex", "service_account": file, "location": "us-central1"}
    (tmp_path / "wrapped.json").write_text(json.dumps(wrapped))
    settings = load(f"vertex-api-key: [{{{entry}}}]", directory=tmp_path).settings
    first, again = (next(iter(VERTEX.upstreams(settings))) for _ in range(2))
    assert first.base_url == address
    assert first.credential == again.credential
    assert hash(first.credential) == hash(again.credential)
    assert first.credential.identity == again.credential.identity


def test_entries_keep_their_order_and_numbers() -> None:
    settings = load("vertex-api-key: [a-vertex-key, {api-key: another-vertex-key, name: b}]").settings
    assert [upstream.id for upstream in VERTEX.upstreams(settings)] == ["vertex-1", "b"]


def part(name: str, **fields: Any) -> dict[str, Any]:
    return {"contents": [USER, {"role": "model", "parts": [{name: {"name": "f", **fields}, "thoughtSignature": "s"}]}]}


@pytest.mark.parametrize("name", ["functionCall", "function_call", "functionResponse", "function_response"])
def test_ids_of_calls_are_left_out_and_those_of_users_kept(name: str) -> None:
    arguments = {"args": {"id": 1}, "response": {"id": 2}}
    body = part(name, id="call-1", **arguments)
    assert leave_out_call_ids(body)
    assert body == part(name, **arguments)
    assert not leave_out_call_ids(body)


@pytest.mark.parametrize(
    ("came", "goes"),
    [
        ([{"role": "model", "parts": []}], [BLANK, {"role": "model", "parts": []}]),
        ({"role": "model", "parts": []}, [BLANK, {"role": "model", "parts": []}]),
        ([USER, {"role": "model", "parts": []}], None),
        ([{"parts": [{"text": "hi"}]}], None),
        ([], None),
        (None, None),
        ("odd", None),
        (["odd"], None),
    ],
)
def test_a_user_begins(came: Any, goes: Any) -> None:
    body = {"contents": came}
    assert begin_with_user(body) is (goes is not None)
    assert body == {"contents": came if goes is None else goes}


@pytest.mark.parametrize(
    ("came", "goes"),
    [
        ([{"parts": [{"text": "hi"}]}], [USER]),
        (
            [USER, {"role": "model", "parts": []}, {"role": "", "parts": [{"text": "hi"}]}],
            [USER, {"role": "model", "parts": []}, USER],
        ),
        ({"parts": [{"text": "hi"}]}, USER),
        ([USER], None),
        ("odd", None),
        (["odd"], None),
    ],
)
def test_who_says_nothing_of_himself_is_the_user(came: Any, goes: Any) -> None:
    body = {"contents": copy.deepcopy(came)}
    assert say_who_speaks(body) is (goes is not None)
    assert body == {"contents": came if goes is None else goes}


@pytest.mark.parametrize(
    ("came", "goes"),
    [
        ({"contents": [USER]}, {"contents": [USER]}),
        ({"contents": [USER], "safetySettings": []}, {"contents": [USER]}),
        (
            {"generateContentRequest": {"model": "models/m", "contents": [USER], "tools": [], "toolConfig": {}}},
            {"contents": [USER], "tools": []},
        ),
        (
            {"generate_content_request": {"contents": [USER], "system_instruction": USER}},
            {"contents": [USER], "system_instruction": USER},
        ),
    ],
)
def test_what_is_counted(came: dict[str, Any], goes: dict[str, Any]) -> None:
    body = copy.deepcopy(came)
    assert count_bare_contents(body) is (came != goes)
    assert body == goes


def endpoint(operation: Operation) -> Endpoint:
    found = VERTEX.endpoint(operation, "gemini", "m")
    assert found is not None
    return found


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"contents": [1, null, {"role": "user", "parts": 7}, {"role": "user", "parts": [null, {"functionCall": 3}]}]}',
    ],
)
def test_what_nothing_ails_stays_as_it_is(body: bytes) -> None:
    assert endpoint(Operation.CHAT).repaired(body, Report()) is body


def test_numbers_stay_exact_when_a_body_is_written_anew() -> None:
    body = part("functionCall", id="1", args={"exact": 123456789012345678901234567890, "small": 12345678901234567})
    came = json.dumps(body).encode()
    assert json.loads(endpoint(Operation.CHAT).repaired(came, Report())) == part(
        "functionCall", args={"exact": 123456789012345678901234567890, "small": 12345678901234567}
    )
    assert orjson.loads(endpoint(Operation.COUNT_TOKENS).repaired(b'{"contents":[],"x":1}', Report())) == {
        "contents": []
    }
