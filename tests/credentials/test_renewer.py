"""Whatever refreshes, refusals, other writers and crashes do to one another: the newest refresh token that anybody was given is in
the file, or was never heard of by us. All in one thread, each step at hypothesis's choice."""

import json
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock

from aiproxy.config.schema import OAuthClient, Settings
from aiproxy.credentials.base import Way
from aiproxy.credentials.exchange import Answer, Ask
from aiproxy.credentials.logins.iflow import IFLOW
from aiproxy.credentials.logins.kimi import KIMI
from aiproxy.credentials.record import read_record
from aiproxy.credentials.renewer import RENEWAL_SECONDS, Renewer, Right
from aiproxy.credentials.times import written
from aiproxy.neutral.errors import CredentialRefused, GatewayError, UpstreamFailed
from aiproxy.secrets import Secret
from aiproxy.storage.documents import digest
from aiproxy.storage.store import Change, Conflict, Entry, Unavailable
from tests.rig.upstream import Received
from tests.vendors.logins import LoginVendor

T = TypeVar("T")
NAME = "auths/kimi-1.json"
AT = 1_790_000_000.0
CLOCK = Clock()
CLIENTS = Settings(oauth_clients={"iflow": OAuthClient(client_secret=Secret("secret"))})
WAY = Way("kimi-1", None, "", CLOCK)  # type: ignore[arg-type] # the vendor is asked from memory


@dataclass
class World:
    """A file, a vendor, and the steps that wait to be taken: each an await of some process."""

    vendor: LoginVendor = field(default_factory=LoginVendor)
    body: bytes = b""
    steps: list[tuple["Process", Deferred[None]]] = field(default_factory=list)
    full: bool = False
    held: "Process | None" = None
    waiting: list[tuple["Process", Deferred[None]]] = field(default_factory=list)

    def step(self, choice: int) -> None:
        _, step = self.steps.pop(choice % len(self.steps))
        step.callback(None)

    def put(self, **changes: Any) -> None:
        before = json.loads(self.body or b"{}")
        self.body = json.dumps({"type": "kimi", "expired": written(AT + 1), **before, **changes}).encode()

    @property
    def kept(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found


class Process:
    """A gateway: its renewer, and what it is at. Killed, it takes no further step, and its lock is free for others."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.alive = True
        self.renewer = Renewer(self, self, lambda _way, _patience: self, CLOCK, lambda: AT)
        self.results: list[Any] = []
        self.saving = False

    def kill(self) -> None:
        self.alive = False
        world = self.world
        world.steps = [each for each in world.steps if each[0] is not self]
        world.waiting = [each for each in world.waiting if each[0] is not self]
        if world.held is self:
            self._free()

    def renew(self, given: str) -> None:
        asked = Deferred.fromCoroutine(self.renewer.renew(KIMI, NAME, given, WAY))
        asked.addBoth(self.results.append)

    async def _pause(self) -> None:
        step: Deferred[None] = Deferred()
        self.world.steps.append((self, step))
        await step

    def _free(self) -> None:
        self.world.held = None
        if self.world.waiting:
            process, waiting = self.world.waiting.pop(0)
            self.world.held = process
            self.world.steps.append((process, waiting))

    # what a renewer needs

    async def run(
        self, name: str, look: Callable[[], Awaitable[T | None]], work: Callable[[Right], Coroutine[Any, Any, T]]
    ) -> T:
        if self.world.held is None:
            self.world.held = self
        else:
            waiting: Deferred[None] = Deferred()
            self.world.waiting.append((self, waiting))
            await waiting
        try:
            found = await look()
            return found if found is not None else await work(self)
        finally:
            if self.alive:
                self._free()

    async def check(self) -> None:
        await self._pause()

    async def read(self, name: str) -> Entry | None:
        if not self.saving:
            await self._pause()
        self.saving = False
        return Entry(self.world.body, digest(self.world.body))

    async def save(self, name: str, body: bytes, expected: str | None, change: Change) -> str:
        """The vendor's answer and its saving, a second try after a conflict included, are one step here: what a process was told of and had no time to write is lost
        to everyone, and no program can help it."""
        if self.world.full:
            raise Unavailable("full")
        if digest(self.world.body) != expected:
            self.saving = True
            raise Conflict(name)
        self.world.body = body
        return digest(body)

    async def ask(self, question: Ask) -> Answer:
        await self._pause()
        received = Received(question.method, question.url, dict(question.headers), question.body)
        status, answer = self.world.vendor.answer("/token", self.world.vendor.said(received), received)
        return Answer(status, {}, json.dumps(answer).encode())


ACTION = st.one_of(
    st.tuples(st.just("renew"), st.integers(0, 1)),
    st.tuples(st.just("kill"), st.integers(0, 1)),
    st.tuples(st.just("step"), st.integers(0, 20)),
    st.tuples(st.just("step"), st.integers(0, 20)),
    st.tuples(st.just("edit"), st.integers(0, 99)),
    st.tuples(st.just("login"), st.just(0)),
)


@settings(max_examples=150)
@given(st.lists(ACTION, max_size=40))
def test_the_newest_token_is_never_lost(actions: list[tuple[str, int]]) -> None:
    world = World()
    world.put(access_token="access-0", refresh_token="refresh-0", note=0)
    processes = [Process(world), Process(world)]
    edits = 0
    for action, number in actions:
        match action:
            case "renew":
                processes[number].renew(world.vendor.access)
            case "kill":
                processes[number].kill()
                processes[number] = Process(world)
            case "step" if world.steps:
                world.step(number)
            case "edit":
                edits = number
                world.put(note=number)
            case "login":
                said = world.vendor.next()
                world.put(access_token=said["access_token"], refresh_token=said["refresh_token"])
        assert world.kept["refresh_token"] == world.vendor.refresh
    while world.steps:
        world.step(0)
    assert world.kept["refresh_token"] == world.vendor.refresh
    assert world.kept["note"] == edits, "what another wrote stays"
    assert len(world.vendor.used) == len(set(world.vendor.used)), "no single-use token is sent twice"
    for process in processes:
        assert not [
            each
            for each in process.results
            if hasattr(each, "value") and not isinstance(each.value, GatewayError | CancelledError)
        ]
    read_record(NAME, world.body)


def test_what_cant_be_saved_is_kept_and_saved_before_the_next_renewal() -> None:
    world = World()
    world.put(access_token="access-0", refresh_token="refresh-0")
    process = Process(world)
    world.full = True
    for number in (0, 1):
        process.renew(f"access-{number}")
        while world.steps:
            world.step(0)
        assert world.kept["refresh_token"] == "refresh-0"
        assert process.results[-1].text("access_token") == f"access-{number + 1}"
    world.full = False
    process.renew("access-2")
    while world.steps:
        world.step(0)
    assert world.kept["refresh_token"] == world.vendor.refresh == "refresh-3"
    assert world.vendor.used == ["refresh-0", "refresh-1", "refresh-2"]


def test_a_refused_login_is_asked_once() -> None:
    world = World(LoginVendor(revoked=True))
    world.put(access_token="access-0", refresh_token="refresh-0")
    process = Process(world)
    for _ in range(3):
        process.renew("access-0")
        while world.steps:
            world.step(0)
        with pytest.raises(CredentialRefused):
            process.results[-1].raiseException()
    assert world.vendor.used == ["refresh-0"]
    assert world.kept["aiproxy_refused"]["at"] == written(AT)


def test_a_vendor_that_never_answers_is_given_up_on_and_asked_again() -> None:
    world = World()
    world.put(access_token="access-0", refresh_token="refresh-0")
    process = Process(world)
    ask = process.ask

    async def silent(question: Ask) -> Answer:
        return await Deferred()

    process.ask = silent  # type: ignore[method-assign]
    process.renew("access-0")
    while world.steps:
        world.step(0)
    CLOCK.advance(RENEWAL_SECONDS - 1)
    assert process.results == []
    CLOCK.advance(1)
    with pytest.raises(UpstreamFailed, match=f"No token for the account 'kimi-1' within {RENEWAL_SECONDS:g} s"):
        process.results[-1].raiseException()
    assert world.held is None, "others may try"
    assert (world.kept["refresh_token"], "aiproxy_refused" in world.kept) == ("refresh-0", False)
    process.ask = ask  # type: ignore[method-assign]
    process.renew("access-0")
    while world.steps:
        world.step(0)
    assert world.kept["refresh_token"] == "refresh-1"


def test_an_account_that_logs_in_anew_between_answer_and_saving_keeps_its_new_login() -> None:
    world = World()
    world.put(access_token="access-0", refresh_token="refresh-0", note=1)
    process = Process(world)
    save = process.save

    async def overtaken(name: str, body: bytes, expected: str | None, change: Change) -> str:
        world.put(access_token="another", refresh_token="another-login")
        process.save = save  # type: ignore[method-assign]
        return await save(name, body, expected, change)

    process.save = overtaken  # type: ignore[method-assign]
    process.renew("access-0")
    while world.steps:
        world.step(0)
    assert (world.kept["refresh_token"], world.kept["note"]) == ("another-login", 1)
    assert process.results[-1].text("access_token") == "another"


def test_a_refresh_token_is_kept_before_the_vendor_is_asked_for_more() -> None:
    world = World()
    world.put(type="iflow", access_token="access-0", refresh_token="refresh-0", api_key="key-0")
    process = Process(world)
    iflow = IFLOW.resolved(CLIENTS)
    answer = world.vendor.answer
    world.vendor.answer = lambda path, said, received: answer("/getUserInfo" if "getUserInfo" in received.path else path, said, received)  # type: ignore[method-assign]  # fmt: skip
    asked = Deferred.fromCoroutine(process.renewer.renew(iflow, NAME, "key-0", WAY))
    while "refresh-0" not in world.vendor.used:
        world.step(0)
    assert (world.kept["refresh_token"], world.kept["api_key"]) == ("refresh-1", "key-0")
    process.kill()  # its key is never asked for
    asked.addErrback(lambda _: None)
    again = Process(world)
    Deferred.fromCoroutine(again.renewer.renew(iflow, NAME, "key-0", WAY)).addBoth(again.results.append)
    while world.steps:
        world.step(0)
    assert world.vendor.used == ["refresh-0", "refresh-1"]
    assert (world.kept["refresh_token"], world.kept["api_key"]) == ("refresh-2", "key-2")
    assert world.kept["expired"] == written(AT + world.vendor.lifetime)
