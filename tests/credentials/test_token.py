"""A token is asked for once, kept, renewed ahead of its end, and let go of when an upstream refuses it. Virtual time."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import pytest
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure

from aiproxy.credentials.base import Headers, Way
from aiproxy.credentials.token import AGAIN_SECONDS, LEAD_SECONDS, PATIENCE_SECONDS, Token, TokenCredential
from aiproxy.neutral.errors import CredentialRefused, UpstreamFailed
from aiproxy.secrets import Secret
from aiproxy.transports.base import Request, Response

HOUR = 3600.0


class NoTransport:
    def send(self, request: Request) -> Deferred[Response]:
        raise AssertionError("these grants ask nobody")


@dataclass(eq=False)
class Asked:
    """A grant that answers when the test says so."""

    questions: list[Deferred[Token]] = field(default_factory=list)
    identity: str = "a login"

    async def ask(self, way: Way) -> Token:
        question: Deferred[Token] = Deferred()
        self.questions.append(question)
        return await question

    def gives(self, name: str, lifetime: float = HOUR) -> None:
        self.questions[-1].callback(Token(Secret(name), lifetime))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def grant() -> Asked:
    return Asked()


@pytest.fixture
def sign(clock: Clock, grant: Asked) -> Callable[[], Deferred[Headers]]:
    credential = TokenCredential(grant)
    way = Way("an-account", NoTransport(), "", clock)

    def signed() -> Deferred[Headers]:
        return start(credential.sign(way))

    signed.credential = credential  # type: ignore[attr-defined]
    return signed


def start(signing: Coroutine[Any, Any, Headers]) -> Deferred[Headers]:
    return Deferred.fromCoroutine(signing)


def bearer(name: str) -> Headers:
    return (("authorization", f"Bearer {name}"),)


def result(signing: Deferred[Headers]) -> Headers:
    """Of one that has ended well."""
    found: list[Headers] = []
    signing.addCallback(found.append)
    (headers,) = found
    return headers


def failure(signing: Deferred[Headers]) -> Failure:
    found: list[Failure] = []
    signing.addErrback(found.append)
    (one,) = found
    return one


Sign = Callable[[], Deferred[Headers]]


def test_ten_calls_at_once_ask_once(sign: Sign, grant: Asked) -> None:
    signing = [sign() for _ in range(10)]
    assert len(grant.questions) == 1
    grant.gives("one")
    assert [result(each) for each in signing] == [bearer("one")] * 10
    assert result(sign()) == bearer("one")
    assert len(grant.questions) == 1


def test_it_is_renewed_ahead_of_its_end_by_one_call_while_others_use_the_old(
    sign: Sign, grant: Asked, clock: Clock
) -> None:
    sign()
    grant.gives("one")
    clock.advance(HOUR - LEAD_SECONDS - 1)
    assert result(sign()) == bearer("one")
    assert len(grant.questions) == 1
    clock.advance(1)
    renewing = sign()
    assert len(grant.questions) == 2
    assert result(sign()) == bearer("one")
    grant.gives("two")
    assert result(renewing) == bearer("two")
    assert result(sign()) == bearer("two")
    assert len(grant.questions) == 2


def test_a_short_lived_one_is_not_asked_for_at_each_call(sign: Sign, grant: Asked, clock: Clock) -> None:
    sign()
    grant.gives("one", lifetime=40)
    clock.advance(29)
    assert result(sign()) == bearer("one")
    clock.advance(1)
    sign()
    assert len(grant.questions) == 2


def test_what_is_still_good_outlasts_an_endpoint_that_is_out(sign: Sign, grant: Asked, clock: Clock) -> None:
    sign()
    grant.gives("one")
    clock.advance(HOUR - LEAD_SECONDS)
    renewing = sign()
    grant.questions[-1].errback(UpstreamFailed("out"))
    assert result(renewing) == bearer("one")
    clock.advance(AGAIN_SECONDS - 1)
    assert result(sign()) == bearer("one")
    assert len(grant.questions) == 2
    clock.advance(1)
    sign()
    assert len(grant.questions) == 3
    clock.advance(PATIENCE_SECONDS)
    clock.advance(LEAD_SECONDS)
    late = sign()
    grant.questions[-1].errback(UpstreamFailed("out"))
    assert failure(late).check(UpstreamFailed), "past its end there is nothing to fall back to"


def test_each_call_is_told_why_by_an_error_of_its_own(sign: Sign, grant: Asked) -> None:
    signing = [sign() for _ in range(3)]
    grant.questions[-1].errback(CredentialRefused("no", retry_after=7))
    errors = [failure(each).value for each in signing]
    assert all(isinstance(error, CredentialRefused) for error in errors)
    assert [str(error) for error in errors] == ["no"] * 3
    assert len({id(error) for error in errors}) == 3


def test_a_bug_reaches_who_waits(sign: Sign, grant: Asked) -> None:
    signing = sign()
    grant.questions[-1].errback(ZeroDivisionError())
    assert failure(signing).check(ZeroDivisionError)
    sign()
    assert len(grant.questions) == 2


def test_patience_has_an_end(sign: Sign, grant: Asked, clock: Clock) -> None:
    signing = sign()
    clock.advance(PATIENCE_SECONDS)
    error = failure(signing).value
    assert isinstance(error, UpstreamFailed)
    assert "'an-account'" in error.message
    assert grant.questions[0].called, "the question is taken back"


def test_the_question_goes_with_the_last_who_waits(sign: Sign, grant: Asked) -> None:
    first, second = sign(), sign()
    first.cancel()
    assert failure(first).check(CancelledError)
    assert not grant.questions[0].called
    second.cancel()
    assert failure(second).check(CancelledError)
    assert grant.questions[0].called
    third = sign()
    grant.gives("fresh")
    assert result(third) == bearer("fresh")


def test_one_that_is_refused_is_let_go_of_once(sign: Sign, grant: Asked) -> None:
    credential: TokenCredential = sign.credential  # type: ignore[attr-defined]
    sign()
    grant.gives("one")
    assert credential.refused(bearer("one"))
    again = sign()
    assert credential.refused(bearer("one")), "another call with the same old token"
    also = sign()
    assert len(grant.questions) == 2
    grant.gives("two")
    assert result(again) == result(also) == bearer("two")
    assert credential.refused(bearer("one")), "a late answer to the old one"
    assert result(sign()) == bearer("two")
    assert len(grant.questions) == 2


def test_the_same_login_is_the_same_credential() -> None:
    grant, other = Asked(), Asked()
    assert TokenCredential(grant) == TokenCredential(grant) != TokenCredential(other)
    assert {TokenCredential(grant): 1}[TokenCredential(grant)] == 1
