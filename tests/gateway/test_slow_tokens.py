"""An account whose vendor is slow to give a token: another answers, or the caller is told; the rest is unharmed. Virtual time."""

from dataclasses import replace

from twisted.internet.defer import Deferred

from aiproxy.credentials.base import Way
from aiproxy.credentials.token import PATIENCE_SECONDS, Token, TokenCredential
from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.secrets import Secret
from tests.rig.scripted import Rig

ONE = """
request-retry: 0
routing: {strategy: fill-first}
openai-api-key:
  - {api-key: key-one-0123456789, name: one, base-url: "http://one.test/v1", models: [m]}
"""
TWO = """  - {api-key: key-two-0123456789, name: two, base-url: "http://two.test/v1", models: [m, other]}
"""


class Slow:
    """A `Grant` that gives a token when the test says so."""

    identity = "a login"

    def __init__(self) -> None:
        self.asked: list[Deferred[Token]] = []

    async def ask(self, _way: Way) -> Token:
        self.asked.append(Deferred())
        return await self.asked[-1]


def logged_in(configuration: str) -> tuple[Rig, Slow]:
    """The account `one` logs in, and its token has ended."""
    rig, slow = Rig(""), Slow()
    snapshot = rig.snapshot(configuration)
    one = replace(snapshot.upstreams["one"], credential=TokenCredential(slow))
    rig.gateway.use(replace(snapshot, upstreams={**snapshot.upstreams, "one": one}))
    return rig, slow


def test_one_that_comes_after_three_seconds_is_waited_for_and_holds_nobody_else() -> None:
    rig, slow = logged_in(ONE + TWO)
    waiting = rig.ask()
    others = rig.ask("other")
    assert (others.done.called, others.error, others.accounts) == (True, None, ["two"])
    rig.wait(3.0)
    assert not waiting.done.called
    slow.asked[0].callback(Token(Secret("late"), 3600.0))
    assert (waiting.done.called, waiting.error, waiting.accounts) == (True, None, ["one"])
    assert ("authorization", "Bearer late") in rig["one"].asked[0].headers
    assert len(slow.asked) == 1


def test_one_that_doesnt_come_sends_the_call_to_another_account() -> None:
    rig, _ = logged_in(ONE + TWO)
    asked = rig.ask()
    rig.wait(PATIENCE_SECONDS, lambda: asked.done.called)
    assert (asked.error, asked.accounts) == (None, ["one", "two"])
    assert rig["one"].asked == []
    again = rig.ask()
    assert (again.done.called, again.accounts) == (True, ["two"]), "nobody waits for it a second time"


def test_without_another_account_the_caller_is_told() -> None:
    rig, _ = logged_in(ONE)
    asked = rig.ask()
    rig.wait(PATIENCE_SECONDS, lambda: asked.done.called)
    assert isinstance(asked.error, UpstreamFailed)
    assert f"gave no token within {PATIENCE_SECONDS:g} s" in asked.error.message
    assert "'one'" in asked.error.message
