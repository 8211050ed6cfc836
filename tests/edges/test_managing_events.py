"""What happens, heard as it happens by Server-Sent Events of a real gateway."""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any

import httpx2
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.edges.test_managing_accounts import call, two_accounts
from tests.rig.daemon import Daemon, daemon
from tests.rig.managing import KEY, MANAGED, Api
from tests.rig.until import PATIENCE
from tests.rig.upstream import fails


@contextmanager
def events(address: str, kinds: str = "", **headers: str) -> Iterator[Iterator[tuple[str, Any]]]:
    url = f"{address}/v0/management/events?kinds={kinds}"
    said = headers or {"authorization": f"Bearer {KEY}"}
    with httpx2.stream("GET", url, headers=said, timeout=20) as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        lines = answer.iter_lines()
        assert next(lines).startswith(":")
        yield _read(lines)


def _read(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """For as long as a test may wait: figures never end."""
    kind, given_up = "", monotonic() + PATIENCE
    for line in lines:
        assert monotonic() < given_up, "what was waited for was never told"
        name, _, value = line.partition(": ")
        if name == "event":
            kind = value
        elif name == "data":
            yield kind, json.loads(value)


def until_both_tell(heard: Iterator[tuple[str, Any]], make_call: Callable[[], str]) -> list[str]:
    """Calls until each of two workers has told of one, and their ids. One that has only begun learns soon that somebody listens,
    and what it answered before is told of nowhere: figures come instead."""
    made: list[str] = []
    met: set[int] = set()
    while len(met) < 2:
        made.append(make_call())
        kind, told = next(each for each in heard if each[0] in ("ended", "figures"))
        if kind == "ended":
            met.add(told["worker"])
    return made


def test_calls_rests_configurations_and_lines_are_told_as_they_come(tmp_path: Path) -> None:
    with two_accounts(tmp_path) as (gateway, api, one, _other):
        with events(gateway.address, "ended,account,configuration,log") as heard:
            one.script.append(fails(401))
            assert call(gateway).status_code == 200
            found: dict[str, Any] = {}
            for kind, told in heard:
                found.setdefault(kind, told)
                if {"ended", "account", "log"} <= found.keys():
                    break
            assert (found["ended"]["model"], found["ended"]["attempts"]) == ("m", 2)
            assert (found["account"]["name"], found["account"]["rests"]) == ("one", True)
            api.patch("/accounts/one", {"weight": 2})
            assert next(told for kind, told in heard if kind == "configuration")["problem"] == ""
        with events(gateway.address, "figures") as heard:
            assert next(heard)[1]["requests"] == 1
            call(gateway)
            assert next(told for _, told in heard if told["requests"] == 2)["attempts"] == 3
        live = api.get("/live")
        assert (live["requests"], live["figures"]["requests"]) == ([], 2)


def test_a_call_is_told_while_it_lasts(tmp_path: Path) -> None:
    configuration = f"{MANAGED}\ndemo: {{enabled: true}}\n"
    with daemon(tmp_path, configuration) as running:
        body = {"model": "demo-story@stall=3", "stream": True, "messages": [{"role": "user", "content": "x"}]}
        url = f"{running.base_url}/chat/completions"
        with events(running.address, "begun") as heard, httpx2.stream("POST", url, json=body, timeout=20):
            begun = next(heard)[1]
            assert (begun["model"], begun["outcome"]) == ("demo-story@stall=3", "")
            assert [each["request_id"] for each in Api(running).get("/live")["requests"]] == [begun["request_id"]]


def test_who_may_listen_no_more_is_hung_up_on(tmp_path: Path) -> None:
    with daemon(tmp_path, f"{MANAGED}\ndemo: {{enabled: true}}\n") as running:
        api = Api(running)
        assert api.refused("GET", "/events?kinds=weather")[0] == 400
        signed_in = httpx2.post(f"{running.address}/v0/management/session", json={"key": KEY}, timeout=20)
        cookie = signed_in.headers["set-cookie"].partition(";")[0]
        with events(running.address, "figures", cookie=cookie) as heard:
            assert next(heard)[0] == "figures"
            headers = {"cookie": cookie, "x-csrf-token": signed_in.json()["csrf-token"]}
            httpx2.delete(f"{running.address}/v0/management/session", headers=headers, timeout=20)
            assert len(list(heard)) < 3  # the stream ends
        with events(running.address, "figures") as heard:
            assert next(heard)[0] == "figures"
            running.stop()
            assert len(list(heard)) < 3  # a stop doesn't wait for who listens


def on_a_socket(gateway: Daemon, kinds: str = "", **headers: str) -> ClientConnection:
    url = f"{gateway.address.replace('http', 'ws')}/v0/management/events?kinds={kinds}"
    said = headers or {"authorization": f"Bearer {KEY}"}
    return connect(url, additional_headers=said, proxy=None, open_timeout=20)


def heard(socket: ClientConnection) -> tuple[str, Any]:
    told = json.loads(socket.recv(timeout=20))
    return told["event"], told["data"]


def closed(socket: ClientConnection) -> tuple[int, str]:
    """By the gateway, after whatever it has still to say."""
    with suppress(ConnectionClosed):
        while True:
            socket.recv(timeout=20)
    assert socket.close_code is not None
    return socket.close_code, socket.close_reason or ""


def test_the_same_is_told_on_a_socket(tmp_path: Path) -> None:
    with two_accounts(tmp_path) as (gateway, api, one, _other):
        with on_a_socket(gateway, "ended,account") as socket:
            one.script.append(fails(401))
            assert call(gateway).status_code == 200
            found = dict([heard(socket), heard(socket)])
            assert (found["ended"]["model"], found["ended"]["attempts"]) == ("m", 2)
            assert (found["account"]["name"], found["account"]["rests"]) == ("one", True)
        with on_a_socket(gateway, "figures") as socket:
            assert heard(socket)[0] == "figures"
            assert socket.ping().wait(20), "pings are answered"
            socket.send("anything")
            assert closed(socket)[0] == 1008
        assert api.get("/live")["figures"]["requests"] == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"authorization": "Bearer not-the-management-key"}, 401),
        ({"x-nothing": "x"}, 401),
        ({"authorization": f"Bearer {KEY}", "origin": "https://evil.example"}, 403),
        ({"authorization": f"Bearer {KEY}", "sec-fetch-site": "cross-site"}, 403),
    ],
)
def test_a_socket_asks_for_what_a_request_asks(tmp_path: Path, headers: dict[str, str], status: int) -> None:
    with daemon(tmp_path, f"{MANAGED}\ndemo: {{enabled: true}}\n") as running:
        with pytest.raises(InvalidStatus) as refused:
            on_a_socket(running, **headers)
        assert refused.value.response.status_code == status
        assert json.loads(refused.value.response.body)["request_id"]
        with pytest.raises(InvalidStatus) as unknown:
            on_a_socket(running, "weather")
        assert unknown.value.response.status_code == 400


def test_a_socket_of_a_page_ends_with_its_session(tmp_path: Path) -> None:
    with daemon(tmp_path, f"{MANAGED}\ndemo: {{enabled: true}}\n") as running:
        signed_in = httpx2.post(f"{running.address}/v0/management/session", json={"key": KEY}, timeout=20)
        cookie = signed_in.headers["set-cookie"].partition(";")[0]
        with on_a_socket(running, "figures", cookie=cookie, origin=running.address) as socket:
            assert heard(socket)[0] == "figures"
            headers = {"cookie": cookie, "x-csrf-token": signed_in.json()["csrf-token"]}
            httpx2.delete(f"{running.address}/v0/management/session", headers=headers, timeout=20)
            code, reason = closed(socket)
            assert (code, "session" in reason) == (1008, True)
        with on_a_socket(running, "figures") as socket:
            running.signal(signal.SIGTERM)
            assert closed(socket)[0] == 1001


@contextmanager
def two_workers(tmp_path: Path, state: str = "state.db") -> Iterator[Daemon]:
    text = f"{MANAGED}\nstate: '{state}'\ndemo: {{enabled: true}}\n"
    with daemon(tmp_path, text, "--workers", "2") as running:
        yield running


def test_events_calls_and_lines_are_of_all_workers_whichever_is_asked(tmp_path: Path) -> None:
    with two_workers(tmp_path) as running:
        api = Api(running)
        body = {"model": "demo-echo", "messages": [{"role": "user", "content": "x"}]}
        url = f"{running.base_url}/chat/completions"
        asked: list[str] = []
        met: set[int] = set()

        def make_call() -> str:
            answer = httpx2.post(url, json=body, timeout=20)
            assert answer.status_code == 200
            return str(answer.headers["x-request-id"])

        with events(running.address, "ended,figures,log") as heard:
            assert next(told for kind, told in heard if kind == "figures")["requests"] == 0
            before = until_both_tell(heard, make_call)
            asked += before
            seen = [*before]
            while len(met) < 2:
                asked.append(make_call())
                told = next(told for kind, told in heard if kind == "ended" and told["request_id"] not in before)
                seen.append(told["request_id"])
                met.add(told["worker"])
            assert seen == asked
            counted = next(told for kind, told in heard if kind == "figures" and told["requests"] == len(asked))
            assert counted["under-way"] == 0
        live = api.get("/live")
        assert (live["figures"]["requests"], live["silent-workers"]) == (len(asked), 0)
        told = api.get("/logs", search="chat/completions")
        assert {each["worker"] for each in told["records"]} == {1, 2}
        numbers = [each["number"] for each in told["records"]]
        assert (len(numbers), numbers) == (len(asked), sorted(numbers))
        assert api.get("/logs", search="chat/completions", cursor=str(told["next-cursor"]))["lines"] == []
        assert api.ask("GET", "/logs/download").text.count("POST /v1/chat/completions") == len(asked)
        for request_id in asked:
            assert api.get(f"/requests/{request_id}")["story"]
            assert request_id in api.ask("GET", f"/request-log-by-id/{request_id}").text
        assert api.delete("/logs")["removed"] >= len(asked)
        assert api.get("/logs", search="chat/completions")["lines"] == []


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_call_under_way_is_told_by_the_other_worker(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Also where the workers' bus is not the one between nodes."""
    state = "state.db" if kind == "sqlite" else request.getfixturevalue("postgres").new_database()
    with two_workers(tmp_path, state) as running:
        body = {"model": "demo-story@stall=3", "stream": True, "messages": [{"role": "user", "content": "x"}]}
        url = f"{running.base_url}/chat/completions"
        with httpx2.stream("POST", url, json=body, timeout=20):
            for _ in range(10):
                (only,) = Api(running).get("/live")["requests"]
                assert only["worker"] in (1, 2)
