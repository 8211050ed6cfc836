"""A service account's life: signing in, tokens that end, are withdrawn or can't be had, and what clients hear of it."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest

from aiproxy.providers.vertex import MODELS
from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Behaviour, Received, Upstream, Wire, begin_stream, upstream
from tests.vendors.google_tokens import EMAIL, TokenEndpoint, pem, service_account
from tests.vendors.scenarios import SCENARIOS
from tests.vendors.vertex import VERTEX, bearer

ASK = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
FORBIDDEN = ("ya29.", "PRIVATE KEY", "eyJ", pem().splitlines()[3])
"""What no answer and no log may hold."""


class Google:
    """Vertex and its token endpoint. `instead` answers a call in place of Vertex, `sign_in` in place of the token endpoint."""

    def __init__(self) -> None:
        self.tokens = TokenEndpoint()
        self.sign_in: Behaviour = self.tokens.serve
        self.instead: Behaviour | None = None
        self.asked: list[Received] = []
        self.sign_ins = 0
        self.served: Upstream

    def __call__(self, received: Received, wire: Wire) -> None:
        if received.path == "/token":
            self.sign_ins += 1
            self.sign_in(received, wire)
            return
        self.asked.append(received)
        if self.instead is not None:
            self.instead(received, wire)
            return
        token = bearer(received)
        if token is not None and token not in self.tokens.good:
            said = {"error": {"code": 401, "message": f"{token} is no good", "status": "UNAUTHENTICATED"}}
            wire.answer(401, json.dumps(said).encode())
        elif received.path.endswith(":countTokens"):
            wire.answer(200, b'{"totalTokens": 7}')
        else:
            answer = SCENARIOS["plain"].answer(with_results=False)
            wire.answer(200, VERTEX.whole(VERTEX.asked(received), answer))  # type: ignore[arg-type]

    @property
    def address(self) -> str:
        return self.served.base_url.removesuffix("/v1")

    def account(self, **instead: object) -> str:
        return json.dumps(service_account(f"{self.address}/token", **instead))


@pytest.fixture
def google() -> Iterator[Google]:
    made = Google()
    with upstream(made) as made.served:
        yield made


Run = Callable[..., Daemon]


@pytest.fixture
def run(google: Google, tmp_path: Path) -> Iterator[Run]:
    running = []

    def start(more: str = "request-retry: 0\ndisable-cooling: true", entry: str = "") -> Daemon:
        (tmp_path / "account.json").write_text(google.account())
        entry = entry or f'{{name: mine, service-account: {{file: account.json}}, base-url: "{google.address}"}}'
        running.append(daemon(tmp_path, f"{more}\nvertex-api-key: [{entry}]"))
        return running[-1].__enter__()

    yield start
    for each in running:
        each.__exit__(None, None, None)


def ask(
    gateway: Daemon, model: str = "gemini-2.5-flash", verb: str = "generateContent", body: object = ASK
) -> httpx2.Response:
    return httpx2.post(f"{gateway.address}/v1beta/models/{model}:{verb}", json=body, timeout=30)


def clean(gateway: Daemon, *answers: httpx2.Response) -> bool:
    said = "".join((*(answer.text for answer in answers), *gateway.output))
    return not any(secret in said for secret in FORBIDDEN)


def test_ten_calls_at_once_sign_in_once(google: Google, run: Run) -> None:
    gateway, all_there = run(), threading.Barrier(10)

    def call(_: int) -> int:
        all_there.wait(20)
        return ask(gateway).status_code

    with ThreadPoolExecutor(10) as ten:
        assert list(ten.map(call, range(10))) == [200] * 10
    assert google.sign_ins == 1
    assert not google.tokens.refused
    assert {received.headers["authorization"] for received in google.asked} == {f"Bearer {google.tokens.given[0]}"}


def test_a_withdrawn_token_is_replaced_and_the_call_succeeds(google: Google, run: Run) -> None:
    gateway = run()
    assert ask(gateway).status_code == 200
    google.tokens.withdraw()
    answer = ask(gateway)
    assert answer.status_code == 200
    assert answer.headers["x-aiproxy-attempts"] == "1", "the account is not to blame"
    assert google.sign_ins == 2
    assert [received.headers["authorization"][-12:-11] for received in google.asked] == ["0", "0", "1"]


def test_an_account_whose_new_token_is_refused_too_rests(google: Google, run: Run) -> None:
    def gives_what_is_never_good(received: Received, wire: Wire) -> None:
        google.tokens.serve(received, wire)
        google.tokens.withdraw()

    gateway = run(more="request-retry: 0\nmax-retry-interval: 0")
    google.sign_in = gives_what_is_never_good
    answer, resting = ask(gateway), ask(gateway)
    assert answer.json()["error"]["status"] == "UNAVAILABLE"
    assert "'mine'" in answer.json()["error"]["message"]
    assert len(google.asked) == 2, "the first call asks twice, the second not at all"
    assert clean(gateway, answer, resting)


def test_a_lifetime_of_nothing_is_one_unsaid(google: Google, run: Run) -> None:
    google.tokens.lifetime = 0
    gateway = run()
    assert [ask(gateway).status_code for _ in range(2)] == [200] * 2
    assert google.sign_ins == 1


def echoes_whole(received: Received, wire: Wire) -> None:
    said = {
        "error": {"code": 400, "message": f"bad: {received.headers['authorization']}", "status": "INVALID_ARGUMENT"}
    }
    wire.answer(400, json.dumps(said).encode())


def echoes_amid(received: Received, wire: Wire) -> None:
    begin_stream(wire)
    answer = SCENARIOS["plain"].answer(with_results=False)
    wire.chunk(VERTEX.events(VERTEX.asked(received), answer)[0])  # type: ignore[arg-type]
    wire.chunk(VERTEX.broken(f"bad: {received.headers['authorization'].split()[1]}"))
    wire.chunk(b"")


@pytest.mark.parametrize("echo", [echoes_whole, echoes_amid])
def test_a_token_that_vertex_repeats_goes_no_further(google: Google, run: Run, echo: Behaviour) -> None:
    gateway, google.instead = run(more="request-retry: 0\ndisable-cooling: true\nlogging: {level: debug}"), echo
    body = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    answer = httpx2.post(f"{gateway.base_url}/chat/completions", json=body, timeout=30)
    assert "bad: " in answer.text
    assert "[secret]" in answer.text
    assert clean(gateway, answer)


def html(_received: Received, wire: Wire) -> None:
    wire.answer(200, b"<html>A captive portal</html>", {"content-type": "text/html"})


def nothing(_received: Received, wire: Wire) -> None:
    wire.cut()


def down(_received: Received, wire: Wire) -> None:
    wire.answer(503, b"down", {"content-type": "text/plain"})


def half(_received: Received, wire: Wire) -> None:
    wire.head(200, {"content-type": "application/json", "content-length": "100"})
    wire.send(b'{"access_token": "ya29.half')
    wire.cut()


def unsendable(_received: Received, wire: Wire) -> None:
    wire.answer(200, b'{"access_token": "two words\\r\\nx-header: 1", "expires_in": 3600}')


def silent(_received: Received, wire: Wire) -> None:
    wire.wait_for_close()


@pytest.mark.parametrize("fault", [html, nothing, down, half, unsendable, silent])
def test_a_token_endpoint_that_makes_no_sense(google: Google, run: Run, fault: Behaviour) -> None:
    more = "request-retry: 0\ndisable-cooling: true\ntimeouts: {first-byte: 0.5}"
    gateway = run(more=more)
    google.sign_in = fault
    answer = ask(gateway)
    assert answer.status_code in (502, 503, 504)
    assert "'mine'" in answer.json()["error"]["message"]
    assert not google.asked
    google.sign_in = google.tokens.serve
    assert ask(gateway).status_code == 200
    assert clean(gateway, answer)


def test_a_refused_login_rests_and_another_account_answers(google: Google, run: Run, tmp_path: Path) -> None:
    def no(_received: Received, wire: Wire) -> None:
        said = {"error": "invalid_grant", "error_description": f"Invalid grant: account {EMAIL} not found"}
        wire.answer(400, json.dumps(said).encode())

    google.sign_in = no
    base = f'base-url: "{google.address}"'
    both = f"{{name: mine, service-account: {{file: account.json}}, {base}}}, {{name: keyed, priority: 200, api-key: vertex-key-0123456789, {base}}}"
    gateway = run(more="request-retry: 0", entry=both)
    answer = ask(gateway)
    assert (answer.status_code, answer.headers["x-aiproxy-attempts"]) == (200, "2")
    assert ask(gateway).headers["x-aiproxy-attempts"] == "1", "the first account rests"
    assert google.sign_ins == 1
    assert all(received.headers["x-goog-api-key"] == "vertex-key-0123456789" for received in google.asked)
    told = gateway.wait_for("gave no token")
    assert "invalid_grant" in told["msg"]
    assert "account mine" in told["msg"]
    assert clean(gateway, answer)


def test_a_refused_login_alone_names_the_account(google: Google, run: Run) -> None:
    def no(_received: Received, wire: Wire) -> None:
        wire.answer(401, b'{"error": "invalid_client", "error_description": "The OAuth client was deleted."}')

    google.sign_in = no
    gateway = run(more="request-retry: 0")
    message = ask(gateway).json()["error"]["message"]
    assert "'mine'" in message
    assert "invalid_client" in message
    assert EMAIL not in message


def test_the_token_survives_a_reload_and_goes_with_its_account(google: Google, run: Run, tmp_path: Path) -> None:
    gateway = run()
    assert ask(gateway).status_code == 200
    configuration = tmp_path / "aiproxy.yaml"
    configuration.write_text(configuration.read_text() + "\nmax-retry-interval: 5\n")
    gateway.wait_for("configuration reloaded")
    assert ask(gateway).status_code == 200
    assert google.sign_ins == 1
    (tmp_path / "new.json").write_text(google.account(client_email="another@stand-in.iam.gserviceaccount.com"))
    (tmp_path / "new.json").rename(tmp_path / "account.json")
    while (answer := ask(gateway)).status_code == 200:  # one change may be noticed as several
        gateway.wait_for("configuration reloaded")
    assert answer.status_code == 503, "that account is not known here"
    assert google.sign_ins == 2


def test_one_login_at_two_locations_signs_in_once(google: Google, run: Run) -> None:
    entry = f'service-account: {{file: account.json}}, base-url: "{google.address}"'
    gateway = run(entry=f"{{{entry}, location: eu}}, {{{entry}, location: us}}")
    assert [ask(gateway).status_code for _ in range(2)] == [200] * 2
    assert {received.path.split("/")[5] for received in google.asked} == {"eu", "us"}
    assert google.sign_ins == 1


def test_where_calls_go_and_what_is_listed(google: Google, run: Run) -> None:
    gateway = run(entry=f'{{api-key: vertex-key-0123456789, base-url: "{google.address}/"}}')
    assert ask(gateway).status_code == 200
    assert google.asked[0].path == "/v1/publishers/google/models/gemini-2.5-flash:generateContent"
    listed = httpx2.get(f"{gateway.address}/v1beta/models").json()["models"]
    assert {model["name"].removeprefix("models/") for model in listed} == set(MODELS)
    assert not google.sign_ins


def test_tokens_are_counted_without_what_vertex_does_not_know(google: Google, run: Run) -> None:
    gateway = run()
    call = {"functionCall": {"id": "1", "name": "f", "args": {}}}
    result = {"functionResponse": {"id": "1", "name": "f", "response": {}}}
    turns = [{"role": "model", "parts": [call]}, {"role": "user", "parts": [result]}]
    body = {"generateContentRequest": {"model": "models/x", "contents": turns, "safetySettings": [], "tools": []}}
    assert ask(gateway, verb="countTokens", body=body).json() == {"totalTokens": 7}
    sent = google.asked[0].json
    assert sent.keys() == {"contents", "tools"}
    assert [content["role"] for content in sent["contents"]] == ["user", "model", "user"]
    assert "id" not in json.dumps(sent)


def test_what_vertex_takes_goes_up_byte_for_byte(google: Google, run: Run) -> None:
    body = b'{"contents" : [{"role":"user","parts":[{"text":"\\u0041"}]}],\n "x": 1.00}'
    gateway = run()
    assert httpx2.post(f"{gateway.address}/v1beta/models/m:generateContent", content=body).status_code == 200
    assert google.asked[0].body == body
