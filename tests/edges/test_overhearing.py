"""What upstreams are asked and answer, told to the console of the calls that it makes, and of no others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aiproxy.gateway.overhearing import MOST_HEARD
from tests.edges.test_managing_events import events, until_both_tell
from tests.rig.daemon import Daemon, daemon
from tests.rig.managing import HTTP, KEY, MANAGED
from tests.rig.upstream import Upstream, fails, says, upstream

CLIENT, SECRET = "sk-of-a-client-0123456789", "sk-of-the-upstream-0123456789"


@pytest.fixture
def vendor() -> Iterator[Upstream]:
    with upstream(says("Hello.")) as running:
        yield running


def text(vendor: Upstream) -> str:
    account = f"{{name: one, api-key: {SECRET}, base-url: '{vendor.base_url}', models: [m]}}"
    return f"{MANAGED}api-keys: [{CLIENT}]\nopenai-api-key: [{account}]\nstate: state.db\n"


@pytest.fixture
def gateway(tmp_path: Path, vendor: Upstream) -> Iterator[Daemon]:
    with daemon(tmp_path, text(vendor)) as running:
        yield running


def signed_in(gateway: Daemon) -> dict[str, str]:
    answer = HTTP.post(f"{gateway.address}/v0/management/session", json={"key": KEY})
    HTTP.cookies.clear()
    return {
        "cookie": answer.headers["set-cookie"].partition(";")[0],
        "x-csrf-token": answer.json()["csrf-token"],
    }


def call(gateway: Daemon, headers: dict[str, str], *, stream: bool = False) -> str:
    """The id of the call."""
    body = {"model": "m", "stream": stream, "messages": [{"role": "user", "content": f"I wrote {CLIENT}."}]}
    said = {"authorization": f"Bearer {CLIENT}", **headers}
    answer = HTTP.post(f"{gateway.base_url}/chat/completions", json=body, headers=said)
    return str(answer.headers["x-request-id"])


def test_only_the_consoles_own_calls_are_told(gateway: Daemon, vendor: Upstream) -> None:
    session = signed_in(gateway)
    with events(gateway.address, "upstream") as heard:
        for headers in (
            {},
            {"x-csrf-token": session["x-csrf-token"]},
            {"cookie": session["cookie"]},
            {**session, "x-csrf-token": "0" * 64},
            {**session, "sec-fetch-site": "cross-site"},
        ):
            call(gateway, headers)
        request_id = call(gateway, session)
        told = next(heard)[1]
    assert told["request_id"] == request_id
    assert (told["account"], told["status"], told["cut"]) == ("one", 200, False)
    assert told["content_type"] == "application/json"
    assert '"content": "Hello."' in told["answer"]
    assert CLIENT not in str(told)
    assert "I wrote [secret]." in told["sent"]
    sent = vendor.received[-1].headers
    assert not {"cookie", "x-csrf-token"} & {name.lower() for name in sent}


def test_frames_failures_and_what_is_too_long(gateway: Daemon, vendor: Upstream) -> None:
    session = signed_in(gateway)
    with events(gateway.address, "upstream") as heard:
        vendor.script.append(fails(503, f"The key {SECRET} is tired."))
        request_id = call(gateway, session, stream=True)
        first, second = (next(heard)[1] for _ in range(2))
        assert {first["request_id"], second["request_id"]} == {request_id}
        assert (first["status"], second["status"]) == (503, 200)
        assert "The key [secret] is tired." in first["answer"]
        assert second["answer"].count("data: ") > 3
        assert second["answer"].endswith("data: [DONE]\n\n")
        vendor.script.append(says("x" * MOST_HEARD))
        call(gateway, session)
        long: dict[str, Any] = next(heard)[1]
    assert long["cut"]
    assert len(long["answer"]) == MOST_HEARD


def test_it_is_told_whichever_worker_takes_the_call(tmp_path: Path, vendor: Upstream) -> None:
    with (
        daemon(tmp_path, text(vendor), "--workers", "2") as gateway,
        events(gateway.address, "upstream,ended,figures") as heard,
    ):
        session, met = signed_in(gateway), set[int]()
        before = until_both_tell(heard, lambda: call(gateway, session))
        new = ((kind, told) for kind, told in heard if told.get("request_id") not in before)
        while len(met) < 2:
            request_id = call(gateway, session)
            assert next(told for kind, told in new if kind == "upstream")["request_id"] == request_id
            met.add(next(told for kind, told in new if kind == "ended")["worker"])
