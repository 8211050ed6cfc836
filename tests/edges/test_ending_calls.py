"""An operator ends a call that is under way: its client is told so in its own protocol, whoever serves it."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import openai
import pytest

from tests.edges.test_managing_events import two_workers
from tests.rig.daemon import Daemon, daemon
from tests.rig.managing import MANAGED, Api
from tests.rig.until import until
from tests.rig.upstream import Upstream, begin_stream, events, says, upstream

SAID = "An operator of this gateway has ended this call; ask them before you send it again."

MODEL = "demo-story@stall=3"
"""Says no more after three events, nor anything that isn't streamed."""

ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "openai-chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}]}),
    "openai-responses": ("/v1/responses", {"input": "x"}),
    "anthropic": ("/v1/messages", {"max_tokens": 9, "messages": [{"role": "user", "content": "x"}]}),
    "gemini": (f"/v1beta/models/{MODEL}:generateContent", {"contents": [{"parts": [{"text": "x"}]}]}),
    "ollama": ("/api/chat", {"messages": [{"role": "user", "content": "x"}], "stream": False}),
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with daemon(tmp_path_factory.mktemp("ending"), f"{MANAGED}demo: {{enabled: true}}\n") as running:
        yield running


def under_way(api: Api) -> str:
    """The id of the call, once it is there and an account has it."""
    live = until(lambda: api.get("/live")["requests"], lambda calls: calls and calls[0]["account"])
    (only,) = live
    return str(only["request_id"])


def recorded(api: Api, request_id: str) -> Any:
    return until(
        lambda: api.get("/requests")["requests"], lambda calls: calls and calls[0]["request_id"] == request_id
    )[0]


@pytest.mark.parametrize("protocol", ASKED)
def test_who_has_had_no_answer_yet_is_refused(gateway: Daemon, protocol: str) -> None:
    path, body = ASKED[protocol]
    api = Api(gateway)
    with ThreadPoolExecutor(1) as thread:
        asking = thread.submit(httpx2.post, gateway.address + path, json={"model": MODEL, **body}, timeout=30)
        request_id = under_way(api)
        assert api.post(f"/requests/{request_id}/cancel") == {"cancelled": 1}
        answer = asking.result()
    assert answer.status_code == 403, "no status that SDKs try again"
    error = answer.json()["error"]
    assert (error if isinstance(error, str) else error["message"]) == SAID
    assert answer.headers["x-request-id"] == request_id
    record = recorded(api, request_id)
    assert (record["outcome"], record["error"]) == ("failed", "ended_by_operator")
    assert api.get("/live")["requests"] == []
    assert {each["state"] for each in api.get("/accounts")["accounts"]} == {"ready"}, "it is no fault of an account"


@pytest.mark.parametrize("protocol", ASKED)
def test_a_stream_ends_with_its_protocols_error(gateway: Daemon, protocol: str) -> None:
    path, body = ASKED[protocol]
    api = Api(gateway)
    url = f"{gateway.address}{path}".replace(":generateContent", ":streamGenerateContent?alt=sse")
    with httpx2.stream("POST", url, json={"model": MODEL, **body, "stream": True}, timeout=30) as answer:
        lines = (line.removeprefix("data: ") for line in answer.iter_lines())
        objects = (json.loads(line) for line in lines if line.startswith("{"))
        begun = next(objects)
        assert answer.status_code == 200
        assert "error" not in begun or begun["error"] is None
        request_id = under_way(api)
        assert api.post(f"/requests/{request_id}/cancel") == {"cancelled": 1}
        *_, last = objects
    assert SAID in json.dumps(last)
    record = recorded(api, request_id)
    assert (record["outcome"], record["error"]) == ("cut", "ended_by_operator")


def test_the_sdks_raise_it_and_do_not_try_again(gateway: Daemon) -> None:
    """Their own retries are on."""
    api = Api(gateway)
    messages: Any = [{"role": "user", "content": "x"}]
    asks: list[Any] = [
        openai.OpenAI(base_url=gateway.base_url, api_key="-").chat.completions.create,
        anthropic.Anthropic(base_url=gateway.address, api_key="-").with_options(timeout=30).messages.create,
    ]
    for ask, more in zip(asks, [{}, {"max_tokens": 9}], strict=True):
        with ThreadPoolExecutor(1) as thread:
            asking = thread.submit(ask, model=MODEL, messages=messages, **more)
            api.post(f"/requests/{under_way(api)}/cancel")
            with pytest.raises((openai.PermissionDeniedError, anthropic.PermissionDeniedError), match="An operator"):
                asking.result()
        assert api.get("/live")["requests"] == []


def test_the_upstream_is_left_at_once_and_what_it_said_is_counted(tmp_path: Path) -> None:
    with upstream(says("hello")) as vendor:
        left = stalling(vendor)
        text = f"""{MANAGED}
state: state.db
openai-compatibility:
  - {{name: vendor, base-url: "{vendor.base_url}", api-key-entries: [key-0123456789abcdef], models: [m]}}
"""
        with daemon(tmp_path, text) as running:
            api = Api(running)
            body = {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True}
            with httpx2.stream("POST", f"{running.base_url}/chat/completions", json=body, timeout=30) as answer:
                lines = answer.iter_lines()
                assert any("so good" in line for line in lines), "all that it says, before the call is ended"
                request_id = under_way(api)
                api.post(f"/requests/{request_id}/cancel")
                assert SAID in "".join(lines)
            assert until(lambda: left) == [True]
            (attempt,) = until(lambda: attempts(api, request_id))
            assert (attempt["outcome"], attempt["error"]) == ("cut", "ended_by_operator")
            assert (attempt["estimated"], attempt["output_visible"]) == (1, 2)
            audited = api.get("/audit")["changes"][0]
            assert (audited["what"], audited["outcome"]) == (f"POST /v0/management/requests/{request_id}/cancel", "ok")


def stalling(vendor: Upstream) -> list[bool]:
    """The vendor says a piece and no more; what is given has an entry once nobody listens: whether that was in time."""
    left: list[bool] = []

    def stall(_request: Any, wire: Any) -> None:
        begin_stream(wire)
        for piece in events("So far, ", "so good")[:3]:
            wire.chunk(piece)
        left.append(wire.wait_for_close())

    vendor.script.append(stall)
    return left


def attempts(api: Api, request_id: str) -> Any:
    answer = api.ask("GET", f"/requests/{request_id}")
    return answer.json()["attempts"] if answer.status_code == 200 else None


def test_any_worker_ends_any_workers_call(tmp_path: Path) -> None:
    with two_workers(tmp_path) as running:
        api = Api(running)
        path, body = ASKED["openai-chat"]
        for _ in range(8):  # whichever worker is asked, and whichever serves
            with ThreadPoolExecutor(1) as thread:
                asking = thread.submit(httpx2.post, running.address + path, json={"model": MODEL, **body}, timeout=30)
                assert api.post(f"/requests/{under_way(api)}/cancel") == {"cancelled": 1}
                assert asking.result().status_code == 403


def test_what_is_over_or_never_was_is_404(gateway: Daemon) -> None:
    path, body = ASKED["openai-chat"]
    over = httpx2.post(gateway.address + path, json={**body, "model": "demo-echo"}, timeout=30).headers["x-request-id"]
    for request_id in (over, "never", "%2e%2e"):
        status, told = Api(gateway).refused("POST", f"/requests/{request_id}/cancel")
        assert (status, told["code"]) == (404, "not_found")
