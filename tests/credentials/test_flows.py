"""Every login there is, driven by requests as a console does it: begun, looked at, answered, ended. Virtual time, vendors in memory;
a real port and a real Klein application where that is what matters."""

import json
import socket
from collections.abc import Awaitable
from contextlib import closing
from dataclasses import asdict
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_twisted
from klein import Klein
from treq.testing import StubTreq
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.internet.threads import deferToThread
from twisted.web.iweb import IRequest

from aiproxy.config.schema import OAuthClient, Settings
from aiproxy.credentials.callback_page import listener
from aiproxy.credentials.flow import Stage, Standing
from aiproxy.credentials.flows import KEPT_SECONDS, MOST_UNDER_WAY, Flows
from aiproxy.credentials.login import Login
from aiproxy.credentials.logins import LOGINS, kiro
from aiproxy.credentials.ways.desk import CALLBACK_SECONDS, LoginFailed, Options
from aiproxy.secrets import Secret
from aiproxy.storage.documents import digest
from aiproxy.storage.store import Change, Conflict, Entry, Unavailable
from tests.credentials.test_ways import NAMES, WAYS, Scripted

SECRET = OAuthClient(client_secret=Secret("the-clients-secret"))
CLIENTS = Settings(oauth_clients={"gemini-cli": SECRET, "antigravity": SECRET, "iflow": SECRET})
BY_PROVIDER = {login.provider: login.resolved(CLIENTS) for login in LOGINS}
MOST_STEPS = 30


class World:
    """`Flows` of vendors in memory, with files in memory."""

    def __init__(self, **more: Any) -> None:
        self.clock = Clock()
        self.vendor = Scripted()
        self.files: dict[str, bytes] = {}
        self.conflicts = 0
        self.away = False
        self.flows = Flows(self.clock, BY_PROVIDER.get, lambda _login: self.vendor, self, now=self.vendor.now, **more)

    async def read(self, name: str) -> Entry | None:
        body = self.files.get(name)
        return None if body is None else Entry(body, digest(body))

    async def save(self, name: str, body: bytes, expected: str | None, change: Change) -> str:
        if self.away:
            raise Unavailable("the store is away")
        if self.conflicts:
            self.conflicts -= 1
            self.files[name] = b'{"type": "codex", "note": "another writer"}'
            raise Conflict(name)
        assert (digest(self.files[name]) if name in self.files else None) == expected
        self.files[name] = body
        return digest(body)

    def agreed(self, standing: Standing) -> str:
        """Where the vendor's page sends the browser when the person allows it."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(standing.page).query).items()}
        if "code_challenge" in query:
            self.vendor.vendor.challenges["code"] = query["code_challenge"]
        return f"{query.get('redirect_uri') or query['redirect']}?code=code-1&state={query['state']}"

    def led(self, standing: Standing, typed: str = "BXAuth=cookie") -> Standing:
        """To its end, as a person who does what is shown."""
        for _ in range(MOST_STEPS):
            standing = self.flows.standing(standing.id)
            if standing.ended:
                break
            if standing.takes_callback:
                assert self.flows.callback(standing.id, self.agreed(standing)) == ""
            elif standing.prompt:
                assert self.flows.enter(standing.id, typed) == ""
            else:
                self.clock.advance(6)
        return standing


@pytest.mark.parametrize(("provider", "way"), WAYS)
def test_each_way_can_be_driven(provider: str, way: str) -> None:
    world = World()
    begun = world.flows.start(provider, way)
    assert begun.stage is Stage.WAITING
    assert begun.closed == BY_PROVIDER[provider].closed
    if way == "device":
        assert (begun.code, begun.takes_callback) == ("ABCD-EFGH", False)
    done = world.led(begun, "BXAuth=cookie" if way == "cookie" else "me")
    assert (done.stage, done.problem) == (Stage.DONE, "")
    ((name, body),) = world.files.items()
    assert name == f"auths/{done.account}.json"
    assert done.account == NAMES.get((provider, way), done.account)
    assert json.loads(body)["type"] in BY_PROVIDER[provider].types
    assert (done.page, done.code, done.prompt) == ("", "", "")
    assert "the-clients-secret" not in str(asdict(done)) + str(asdict(begun))


def test_a_login_anew_keeps_the_operators_settings_and_waits_its_turn_to_write() -> None:
    world = World()
    world.conflicts = 2
    done = world.led(world.flows.start("codex"))
    (body,) = world.files.values()
    assert (done.stage, json.loads(body)["note"]) == (Stage.DONE, "another writer")


def test_what_is_brought_is_judged() -> None:
    world = World()
    begun = world.flows.start("codex")
    assert "its state is another" in world.flows.callback(begun.id, "http://localhost/?code=code-1&state=other")
    assert "its state is another" in world.flows.callback(begun.id, "nonsense")
    assert "nothing to be typed" in world.flows.enter(begun.id, "x")
    right = world.agreed(begun)
    assert "No login here waits" in world.flows.callback_by_state("/callback?code=code-1&state=other")
    assert "No login here waits" in world.flows.callback_by_state("/callback")
    assert world.flows.callback_by_state(right) == ""
    assert world.flows.standing(begun.id).stage is Stage.DONE
    assert "waits for no address" in world.flows.callback(begun.id, right), "it counts once"
    assert "No login here waits" in world.flows.callback_by_state(right)


def test_an_error_of_the_vendors_page_ends_it() -> None:
    world = World()
    begun = world.flows.start("claude")
    state = parse_qs(urlsplit(begun.page).query)["state"][0]
    assert world.flows.callback(begun.id, f"?error=access_denied&error_description=No&state={state}") == ""
    failed = world.flows.standing(begun.id)
    assert (failed.stage, failed.problem) == (Stage.FAILED, "The vendor ended the login: No")
    assert world.files == {}


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (200, b"<html>busy</html>", "gave no token"),
        (200, b'{"error": "invalid_client"}', "gave no token"),
        (200, b"", "gave no token"),
        (400, b'{"error": "invalid_grant"}', "refused the login"),
        (502, b"<html>", "gave no token"),
    ],
)
def test_a_token_endpoint_without_sense_is_a_sentence(status: int, body: bytes, words: str) -> None:
    world = World()
    begun = world.flows.start("codex")
    world.vendor.vendor.instead = [(status, body)]
    failed = world.led(begun)
    assert failed.stage is Stage.FAILED
    assert words in failed.problem
    assert world.files == {}


def test_a_store_that_is_away_is_told() -> None:
    world = World()
    world.away = True
    failed = world.led(world.flows.start("codex"))
    assert (failed.stage, failed.problem) == (Stage.FAILED, "the store is away")


def test_nobody_comes_and_somebody_gives_up() -> None:
    world = World()
    waits, given_up, device = (world.flows.start(each) for each in ("codex", "claude", "kimi"))
    assert world.flows.cancel(given_up.id).stage is Stage.CANCELLED
    assert world.flows.cancel(given_up.id).stage is Stage.CANCELLED
    assert world.flows.cancel(device.id).stage is Stage.CANCELLED
    asked = len(world.vendor.asks)
    world.clock.advance(CALLBACK_SECONDS)
    assert "Nobody has logged in" in world.flows.standing(waits.id).problem
    assert len(world.vendor.asks) == asked, "who was cancelled asks nothing more"
    assert len(world.flows.all()) == 3
    world.clock.advance(KEPT_SECONDS)
    assert world.flows.all() == ()
    with pytest.raises(LoginFailed, match="no such login"):
        world.flows.standing(waits.id)


def test_what_cant_be_begun() -> None:
    world = World()
    for provider, way, words in (("nowhere", "", "no login for 'nowhere'"), ("claude", "device", "there is: browser")):
        with pytest.raises(LoginFailed, match=words):
            world.flows.start(provider, way)
    for _ in range(MOST_UNDER_WAY):
        last = world.flows.start("codex")
    with pytest.raises(LoginFailed, match="under way already"):
        world.flows.start("codex")
    world.flows.cancel(last.id)
    world.flows.start("codex")
    world.flows.stop()
    assert all(each.stage is Stage.CANCELLED for each in world.flows.all())


def test_a_missing_client_secret_is_told_at_once() -> None:
    world = World()
    world.flows = Flows(world.clock, {each.provider: each for each in LOGINS}.get, lambda _login: world.vendor, world)
    failed = world.flows.start("gemini-cli")
    assert failed.stage is Stage.FAILED
    assert "`oauth-clients.gemini-cli.client-secret` is missing" in failed.problem


class Console:
    """What a console's routes look like."""

    app = Klein()

    def __init__(self, flows: Flows) -> None:
        self.flows = flows

    @app.handle_errors(LoginFailed)
    def failed(self, request: IRequest, failure: Any) -> bytes:
        request.setResponseCode(400)
        return json.dumps({"error": str(failure.value)}).encode()

    @app.route("/logins", methods=["POST"])
    def start(self, request: Any) -> bytes:
        asked = json.load(request.content)
        return self._told(self.flows.start(asked["provider"], asked.get("way", ""), Options()))

    @app.route("/logins/<which>", methods=["GET"])
    def standing(self, request: Any, which: str) -> bytes:
        return self._told(self.flows.standing(which))

    @app.route("/logins/<which>/callback", methods=["POST"])
    def callback(self, request: Any, which: str) -> bytes:
        return json.dumps({"wrong": self.flows.callback(which, request.content.read().decode())}).encode()

    @app.route("/logins/<which>", methods=["DELETE"])
    def cancel(self, request: Any, which: str) -> bytes:
        return self._told(self.flows.cancel(which))

    def _told(self, standing: Standing) -> bytes:
        return json.dumps(asdict(standing)).encode()


def test_a_klein_application_drives_it() -> None:
    world = World()
    treq: Any = StubTreq(Console(world.flows).app.resource())

    def asked(method: str, path: str, **more: Any) -> Any:
        async def ask() -> Any:
            answer = await treq.request(method, f"http://console.example{path}", **more)
            return await answer.json()

        found: list[Any] = []
        waiting = Deferred.fromCoroutine(ask())
        waiting.addCallback(found.append)
        treq.flush()
        return found[0]

    assert "no login for" in asked("POST", "/logins", data=b'{"provider": "nowhere"}')["error"]
    begun = asked("POST", "/logins", data=b'{"provider": "codex"}')
    assert begun["stage"] == "waiting"
    assert "its state is another" in asked("POST", f"/logins/{begun['id']}/callback", data=b"?code=1&state=2")["wrong"]
    address = world.agreed(world.flows.standing(begun["id"]))
    assert asked("POST", f"/logins/{begun['id']}/callback", data=address.encode()) == {"wrong": ""}
    done = asked("GET", f"/logins/{begun['id']}")
    assert (done["stage"], done["account"]) == ("done", NAMES["codex", "browser"])
    other = asked("POST", "/logins", data=b'{"provider": "kimi"}')
    assert asked("DELETE", f"/logins/{other['id']}")["stage"] == "cancelled"


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_a_browser_on_this_machine_comes_back_by_itself() -> None:
    from twisted.internet import reactor

    world = World(listen=listener(reactor))
    port = await _free(reactor)
    begun = world.flows.start("codex", options=Options(port=port))
    base = f"http://127.0.0.1:{port}"
    assert await _status(f"{base}/favicon.ico") == 404
    assert await _status(f"{base}/auth/callback?code=evil&state=other") == 400
    taken = world.flows.start("codex", options=Options(port=port))
    assert "can't be listened on" in taken.words[-1]
    assert taken.stage is Stage.WAITING, "the address can be brought all the same"
    world.flows.cancel(taken.id)
    assert await _status(world.agreed(begun).replace("localhost", "127.0.0.1")) == 200
    assert world.flows.standing(begun.id).stage is Stage.DONE
    assert await _status(f"{base}/auth/callback") == 0, "nobody listens any more"
    waiting = world.flows.start("codex", options=Options(port=port))
    world.flows.cancel(waiting.id)
    assert await _status(base) == 0


@pytest_twisted.ensureDeferred  # type: ignore[untyped-decorator]
async def test_kiros_next_port_is_listened_on_where_the_first_is_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    from twisted.internet import reactor

    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        free = await _free(reactor)
        monkeypatch.setattr(kiro, "CALLBACK_PORTS", (taken.getsockname()[1], free))
        world = World(listen=listener(reactor))
        begun = world.flows.start("kiro", "browser")
        query = urlsplit(world.agreed(begun)).query
        assert await _status(f"http://127.0.0.1:{free}/oauth/callback?{query}") == 200
        assert world.flows.standing(begun.id).stage is Stage.DONE


async def _free(reactor: Any) -> int:
    from twisted.internet.protocol import Factory

    port = reactor.listenTCP(0, Factory(), interface="127.0.0.1")
    number: int = port.getHost().port
    await port.stopListening()
    return number


def _status(url: str) -> Awaitable[int]:
    """0 where nobody listens any more."""
    import httpx2

    def asked() -> int:
        try:
            return httpx2.get(url).status_code
        except (httpx2.ConnectError, httpx2.ReadError):  # closed while the connection was made
            return 0

    found: Awaitable[int] = deferToThread(asked)
    return found


def test_the_login_is_resolved_when_it_begins() -> None:
    """An operator's address that changes counts for the next login, not for one under way."""
    world = World()
    found: dict[str, Login] = dict(BY_PROVIDER)
    world.flows = Flows(world.clock, found.get, lambda _login: world.vendor, world)
    first = world.flows.start("codex")
    found["codex"] = BY_PROVIDER["codex"].resolved(Settings())
    assert world.led(first).stage is Stage.DONE
