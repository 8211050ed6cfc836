"""`/v1/ws/relay` as a relay and its gateway's clients meet it: who may come, what is asked of it, and how it ends."""

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from typing import Any

import httpx2
import pytest
from websockets.exceptions import InvalidStatus

from tests.rig.daemon import Daemon, daemon
from tests.rig.relay import Answer, Relay, relay
from tests.rig.until import until

KEY = "a-client-key-0123456789"
OTHER = "another-client-key-0123456789"
PLAIN = f"api-keys: [{KEY}]\nrequest-retry: 0\ndisable-cooling: true\n"
CONTENTS = [{"role": "user", "parts": [{"text": "hi"}]}]
JSON = {"content-type": "application/json"}
SSE = {"content-type": "text/event-stream"}


def candidate(text: str, finish: str | None = None) -> str:
    found: dict[str, Any] = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    if finish:
        found["finishReason"] = finish
    counts = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
    return json.dumps({"candidates": [found], "usageMetadata": counts})


def event(text: str, finish: str | None = None) -> str:
    return f"data: {candidate(text, finish)}\r\n\r\n"


def whole(text: str) -> Answer:
    return lambda at, name, _: at.say(name, "http_response", status=200, headers=JSON, body=candidate(text, "STOP"))


def streams(*texts: str, then: Callable[[Relay, str], None] = lambda at, name: at.say(name, "stream_end")) -> Answer:
    def answer(at: Relay, name: str, _: dict[str, Any]) -> None:
        at.say(name, "stream_start", status=200, headers=SSE)
        for number, text in enumerate(texts, 1):
            at.say(name, "stream_chunk", data=event(text, "STOP" if number == len(texts) else None))
        then(at, name)

    return answer


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with daemon(tmp_path_factory.mktemp("gateway"), PLAIN) as running:
        yield running


def at(gateway: Daemon) -> str:
    return f"ws://127.0.0.1:{gateway.port}"


def ask(gateway: Daemon, model: str = "gemini-2.5-flash", key: str = KEY, **more: Any) -> httpx2.Response:
    url = f"{gateway.address}/v1beta/models/{model}:generateContent"
    body = {"contents": CONTENTS, **more}
    return httpx2.post(url, headers={"x-goog-api-key": key}, json=body, timeout=30)


def stream(gateway: Daemon, body: Any = None) -> Any:
    url = f"{gateway.address}/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
    return httpx2.stream("POST", url, headers={"x-goog-api-key": KEY}, json=body or {"contents": CONTENTS}, timeout=30)


def said(answer: httpx2.Response) -> str:
    found: str = answer.json()["candidates"][0]["content"]["parts"][0]["text"]
    return found


# What is asked, and what is answered.


def test_a_relay_is_an_account_while_it_is_connected(gateway: Daemon) -> None:
    assert ask(gateway).status_code == 404
    with relay(at(gateway), whole("hello"), KEY) as connected:
        answer = ask(gateway, generationConfig={"temperature": 0.5, "maxOutputTokens": 5})
        assert said(answer) == "hello"
        assert answer.headers["x-aiproxy-provider"] == "aistudio"
        assert answer.headers["x-aiproxy-warnings"] == "drop:generationConfig.maxOutputTokens"
        listed = httpx2.get(f"{gateway.base_url}/models", headers={"authorization": f"Bearer {KEY}"}).json()
        assert "gemini-2.5-pro" in [model["id"] for model in listed["data"]]
        (asked,) = connected.asked
    assert asked["method"] == "POST"
    assert asked["url"] == "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent"
    assert asked["headers"]["content-type"] == ["application/json"]
    assert not [name for name in asked["headers"] if "key" in name.lower() or name.lower() == "authorization"]
    assert json.loads(asked["body"]) == {"contents": CONTENTS, "generationConfig": {"temperature": 0.5}}
    assert asked["sent_at"].startswith("20")
    gateway.wait_for("has left")
    assert ask(gateway).status_code == 404


def test_a_stream_comes_as_it_is_sent(gateway: Daemon) -> None:
    go = Event()

    def rest(connected: Relay, name: str) -> None:
        go.wait(20)
        connected.say(name, "stream_chunk", data=event(" two", "STOP"))
        connected.say(name, "stream_end")

    def answer(connected: Relay, name: str, _: dict[str, Any]) -> None:
        connected.say(name, "stream_start", status=200, headers=SSE)
        connected.say(name, "stream_chunk", data=event("one"))
        rest(connected, name)

    with relay(at(gateway), answer, KEY), stream(gateway) as answered:
        lines = answered.iter_lines()
        first = next(line for line in lines if line)
        assert "one" in first
        go.set()
        assert " two" in "".join(lines)


def test_a_whole_answer_in_pieces_and_a_stream_in_one(gateway: Daemon) -> None:
    def pieces(connected: Relay, name: str, _: dict[str, Any]) -> None:
        text = candidate("in pieces", "STOP")
        connected.say(name, "stream_start", status=200, headers={"Content-Type": ["application/json"], "X": 5})
        connected.say(name, "stream_chunk", data=text[:20])
        connected.say(name, "stream_chunk", data=text[20:])
        connected.say(name, "stream_end")

    with relay(at(gateway), pieces, KEY):
        assert said(ask(gateway)) == "in pieces"
    gateway.wait_for("has left")
    with relay(at(gateway), whole("at once"), KEY), stream(gateway) as answered:
        assert answered.headers["content-type"].startswith("text/event-stream")
        assert "at once" in "".join(answered.iter_text())
    gateway.wait_for("has left")


def test_relays_take_turns(gateway: Daemon) -> None:
    with relay(at(gateway), whole("a"), KEY) as one, relay(at(gateway), whole("b"), KEY) as other:
        # Conversations stay where they were, so each is another one.
        answers = [said(ask(gateway, contents=[{"role": "user", "parts": [{"text": str(n)}]}])) for n in range(6)]
        assert (len(one.asked), len(other.asked)) == (3, 3)
    assert sorted(answers) == ["a"] * 3 + ["b"] * 3


def test_many_calls_at_once_on_one_socket(gateway: Daemon) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def echo(connected: Relay, name: str, payload: dict[str, Any]) -> None:
        text = json.loads(payload["body"])["contents"][0]["parts"][0]["text"]
        whole(text)(connected, name, payload)

    texts = [f"call {number} é🎉" for number in range(40)]
    with relay(at(gateway), echo, KEY), ThreadPoolExecutor(20) as threads:
        found = threads.map(lambda text: said(ask(gateway, contents=[{"parts": [{"text": text}]}])), texts)
        assert list(found) == texts


def test_tokens_are_counted(gateway: Daemon) -> None:
    def count(connected: Relay, name: str, payload: dict[str, Any]) -> None:
        assert payload["url"].endswith(":countTokens")
        assert set(json.loads(payload["body"])) == {"contents"}
        connected.say(name, "http_response", status=200, headers=JSON, body='{"totalTokens": 7}')

    with relay(at(gateway), count, KEY):
        url = f"{gateway.base_url}/messages/count_tokens"
        messages = [{"role": "user", "content": "hi"}]
        body = {"model": "gemini-2.5-flash", "messages": messages, "system": "be kind"}
        counted = httpx2.post(url, headers={"x-api-key": KEY}, json={**body, "system": []}, timeout=30)
        assert counted.json() == {"input_tokens": 7}


# Failures.


def test_a_relays_error_has_its_status(gateway: Daemon) -> None:
    told = {"error": {"code": 429, "message": "Quota exceeded.", "status": "RESOURCE_EXHAUSTED"}}
    for kind, payload in (
        ("http_response", {"status": 429, "headers": JSON, "body": json.dumps(told)}),
        ("error", {"status": 429, "error": "Quota exceeded."}),
    ):
        with relay(at(gateway), lambda on, name, _, kind=kind, payload=payload: on.say(name, kind, **payload), KEY):  # type: ignore[misc]
            answer = ask(gateway)
            assert answer.status_code == 429
            assert "Quota exceeded." in answer.json()["error"]["message"]
        gateway.wait_for("has left")


BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "an error without a status": ("error", {"error": "no network"}),
    "a piece before the start": ("stream_chunk", {"data": "x"}),
    "an end before the start": ("stream_end", {}),
    "no status": ("stream_start", {"headers": {}}),
    "an impossible status": ("http_response", {"status": 42, "body": ""}),
    "a body that is no text": ("http_response", {"status": 200, "body": 5}),
    "an unknown type": ("http_answer", {"status": 200}),
}


@pytest.mark.parametrize("what", BROKEN)
def test_what_makes_no_sense_fails_its_call_and_no_other(gateway: Daemon, what: str) -> None:
    kind, payload = BROKEN[what]
    answers: list[Answer] = [lambda on, name, _: on.say(name, kind, **payload), whole("fine")]
    with relay(at(gateway), lambda on, name, asked: answers.pop(0)(on, name, asked), KEY):
        answer = ask(gateway)
        assert answer.status_code == 503, answer.text
        assert "relay" in answer.json()["error"]["message"]
        assert said(ask(gateway)) == "fine"


@pytest.mark.parametrize("ending", [lambda on, _: on.cut(), lambda on, _: on._socket.close(1001)])
def test_who_leaves_before_it_answers_is_replaced(gateway: Daemon, ending: Callable[[Relay, str], None]) -> None:
    leaving: list[Relay] = []

    def leave(connected: Relay, name: str, _: dict[str, Any]) -> None:
        leaving.append(connected)
        ending(connected, name)

    with relay(at(gateway), leave, KEY):
        with relay(at(gateway), whole("the other"), KEY):
            contents = [[{"parts": [{"text": f"{ending} {number}"}]}] for number in range(2)]
            answers = [ask(gateway, contents=each) for each in contents]
        assert [said(answer) for answer in answers] == ["the other", "the other"]
        assert len(leaving) == 1
        assert {answer.headers["x-aiproxy-attempts"] for answer in answers} == {"1", "2"}


def test_who_leaves_in_the_middle_cuts_the_answer(gateway: Daemon) -> None:
    def answer(connected: Relay, name: str, _: dict[str, Any]) -> None:
        connected.say(name, "stream_start", status=200, headers=SSE)
        connected.say(name, "stream_chunk", data=event("one"))
        connected.cut()

    with relay(at(gateway), answer, KEY):
        url = f"{gateway.base_url}/messages"
        body = {
            "model": "gemini-2.5-flash",
            "max_tokens": 9,
            "stream": True,
            "messages": [{"role": "user", "content": "x"}],
        }
        with httpx2.stream("POST", url, headers={"x-api-key": KEY}, json=body, timeout=30) as answered:
            assert answered.status_code == 200
            text = "".join(answered.iter_text())
    assert '"one"' in text
    assert "event: error" in text
    assert "message_stop" not in text


def test_a_client_that_leaves_is_told_to_the_relay(gateway: Daemon) -> None:
    with relay(at(gateway), streams("one", "two", then=lambda *_: None), KEY) as connected:
        with stream(gateway) as answered:
            next(answered.iter_raw())
        until(lambda: bool(connected.cancelled))
        assert said_by_another(gateway, connected) == "still here"


def said_by_another(gateway: Daemon, connected: Relay) -> str:
    connected._answer = whole("still here")
    return said(ask(gateway))


def test_what_comes_after_a_cancel_is_thrown_away(gateway: Daemon) -> None:
    def late(connected: Relay, name: str, _: dict[str, Any]) -> None:
        connected.say(name, "stream_start", status=200, headers=SSE)
        connected.say(name, "stream_chunk", data=event("one"))
        until(lambda: name in connected.cancelled)
        connected.say(name, "stream_chunk", data=event("two"))
        connected.say(name, "stream_end")

    with relay(at(gateway), late, KEY) as connected:
        with stream(gateway) as answered:
            next(answered.iter_raw())
        until(lambda: bool(connected.cancelled))
        assert said_by_another(gateway, connected) == "still here"


def test_a_client_that_does_not_read_is_cut_and_nobody_else(tmp_path: Path) -> None:
    import socket

    flooded = Event()

    def flood(connected: Relay, name: str, _: dict[str, Any]) -> None:
        connected.say(name, "stream_start", status=200, headers=SSE)
        while name not in connected.cancelled:
            connected.say(name, "stream_chunk", data=event("x" * 100_000))
        flooded.set()

    with (
        daemon(tmp_path, PLAIN + "websocket: {outbound-mb: 1}\n") as gateway,
        relay(at(gateway), flood, KEY) as connected,
    ):
        with socket.create_connection(("127.0.0.1", gateway.port)) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            body = json.dumps({"contents": CONTENTS}).encode()
            path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
            head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nx-goog-api-key: {KEY}\r\nContent-Length: {len(body)}\r\n\r\n"
            client.sendall(head.encode() + body)
            assert flooded.wait(30)
        assert said_by_another(gateway, connected) == "still here"


# Who may come.


def refused(gateway: Daemon, key: str = "", **more: Any) -> int:
    with pytest.raises(InvalidStatus) as told, relay(at(gateway), whole(""), key, **more):
        pass
    return told.value.response.status_code


def test_who_may_be_a_relay(tmp_path: Path) -> None:
    keys = f"api-keys: [{{name: team, key: {OTHER}}}, {{name: page, key: {KEY}}}]\n"
    with daemon(tmp_path, keys) as gateway:
        assert refused(gateway) == 401
        assert refused(gateway, "wrong") == 401
        assert refused(gateway, KEY) == 403  # it would see the other's calls
        changed = keys + "websocket: {relay-keys: [page]}\n"
        (tmp_path / "aiproxy.yaml").write_text(changed)
        gateway.signal(signal.SIGHUP)
        gateway.wait_for("reloaded")
        assert refused(gateway, OTHER) == 403
        with relay(at(gateway), whole("mine"), KEY) as connected:
            assert said(ask(gateway, key=OTHER)) == "mine"
            (tmp_path / "aiproxy.yaml").write_text(keys)
            gateway.signal(signal.SIGHUP)
            assert connected.wait() == 1008


def test_without_a_key_when_told_so(tmp_path: Path) -> None:
    page = "https://page.example"
    open_ = f'{PLAIN}ws-auth: false\nwebsocket: {{origins: ["{page}"], relays: 1}}\n'
    with daemon(tmp_path, open_) as gateway:
        assert refused(gateway, origin="https://other.example") == 403
        with relay(at(gateway), whole("hello"), origin=page) as connected:
            assert said(ask(gateway)) == "hello"
            assert refused(gateway) == 429
            (tmp_path / "aiproxy.yaml").write_text(PLAIN)
            gateway.signal(signal.SIGHUP)
            assert connected.wait() == 1008
        assert ask(gateway).status_code == 404


def test_ws_auth_opens_nothing_else(tmp_path: Path) -> None:
    with daemon(tmp_path, PLAIN + "ws-auth: false\n") as gateway:
        assert refused(gateway, origin="https://other.example") == 403
        assert ask(gateway, key="wrong").status_code == 401
        assert httpx2.get(f"{gateway.address}/v1/ws/relay").status_code == 426
        with relay(at(gateway), whole("hello")):
            assert said(ask(gateway)) == "hello"


# The socket's own.


@pytest.mark.parametrize(("message", "code"), [(b"\x00", 1003), ("not JSON", 1007), ("[1]", 1007)])
def test_bad_messages_close_it(gateway: Daemon, message: str | bytes, code: int) -> None:
    with relay(at(gateway), whole(""), KEY) as connected:
        connected.send(message)
        assert connected.wait() == code


def test_ping_and_strangers(gateway: Daemon) -> None:
    with relay(at(gateway), whole("hello"), KEY) as connected:
        connected.say("nobody", "stream_chunk", data="x")
        connected.say("p1", "ping")
        until(lambda: bool(connected.asked))
        assert connected.asked == [{"id": "p1", "type": "pong"}]
        assert said(ask(gateway)) == "hello"


def test_the_record_and_the_metrics_are_anybodys(gateway: Daemon) -> None:
    with relay(at(gateway), streams("one", " two"), KEY):
        with stream(gateway) as answered:
            answered.read()
        entry = gateway.wait_for_access(answered.headers["x-request-id"])
        assert (entry["provider"], entry["outcome"], entry["attempts"]) == ("aistudio", "ok", 1)
        page = httpx2.get(f"{gateway.address}/metrics", headers={"authorization": f"Bearer {KEY}"}).text
        assert 'provider="aistudio"' in page


def test_a_drain_ends_after_the_answer(tmp_path: Path) -> None:
    go = Event()

    def answer(connected: Relay, name: str, _: dict[str, Any]) -> None:
        connected.say(name, "stream_start", status=200, headers=SSE)
        connected.say(name, "stream_chunk", data=event("one"))
        go.wait(20)
        connected.say(name, "stream_chunk", data=event(" two", "STOP"))
        connected.say(name, "stream_end")

    with daemon(tmp_path, PLAIN) as gateway, relay(at(gateway), answer, KEY) as connected:
        with stream(gateway) as answered:
            raw = answered.iter_text()
            text = next(raw)
            gateway.signal(signal.SIGTERM)
            gateway.wait_for("drain")
            go.set()
            text += "".join(raw)
        assert " two" in text
        assert connected.wait() == 1001
