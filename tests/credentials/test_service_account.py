"""The assertion, to the letter of its claims; and the exchange with a token endpoint, on a transport of the test."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import pytest
from google.auth import jwt
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IProtocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone

from aiproxy.config.service_account import private_key, read_service_account
from aiproxy.credentials.base import Way
from aiproxy.credentials.exchange import get
from aiproxy.credentials.service_account import assertion
from aiproxy.credentials.token import Token
from aiproxy.credentials.token_endpoint import LIFETIME_UNSAID, ask_for_token
from aiproxy.credentials.web import TransportWeb
from aiproxy.neutral.errors import CredentialRefused, GatewayError, Timeout, UpstreamFailed
from aiproxy.transports.base import Request, Response
from tests.vendors.google_tokens import EMAIL, KEY_ID, SCOPE, service_account

NOW = 1_790_000_000


@pytest.mark.parametrize(("key_id", "kid"), [(KEY_ID, {"kid": KEY_ID}), (None, {})])
def test_the_assertion(key_id: str | None, kid: dict[str, str]) -> None:
    account = read_service_account(json.dumps(service_account("http://127.0.0.1:9/t", private_key_id=key_id)))
    signed = assertion(account, private_key(account.key), NOW)
    assert jwt.decode_header(signed) == {"alg": "RS256", "typ": "JWT", **kid}
    assert jwt.decode(signed, verify=False) == {
        "iss": EMAIL,
        "scope": SCOPE,
        "aud": "https://oauth2.googleapis.com/token",
        "iat": NOW,
        "exp": NOW + 3600,
    }
    assert signed == assertion(account, private_key(account.key), NOW)


class Answer:
    def __init__(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.status, self.headers, self._body = status, headers or {}, body

    def deliver(self, body: IProtocol) -> None:
        body.makeConnection(StringTransport())
        body.dataReceived(self._body)
        body.connectionLost(Failure(ResponseDone()))

    def abort(self) -> None:
        """Nothing is left to come."""


class Endpoint:
    def __init__(self, answer: Answer | GatewayError) -> None:
        self.answer = answer
        self.asked: list[Request] = []

    def send(self, request: Request) -> Deferred[Response]:
        self.asked.append(request)
        if isinstance(self.answer, GatewayError):
            return fail(self.answer)
        return succeed(self.answer)


def outcome(answer: Answer | GatewayError, form: dict[str, str] | None = None) -> tuple[Any, Endpoint]:
    """The token, or the error."""
    endpoint = Endpoint(answer)
    way = Way("mine", endpoint, "http://proxy.example:1", Clock())
    found: list[Any] = []
    asking = Deferred.fromCoroutine(ask_for_token(way, "https://tokens.example/t?x=1", form or {"grant_type": "g"}))
    asking.addCallbacks(found.append, lambda failure: found.append(failure.value))
    (result,) = found
    return result, endpoint


def test_the_form_goes_by_the_accounts_way() -> None:
    _, endpoint = outcome(Answer(200, b'{"access_token": "t"}'), {"grant_type": "a b&c", "assertion": "x.y"})
    (request,) = endpoint.asked
    assert (request.method, request.url, request.proxy) == (
        "POST",
        "https://tokens.example/t?x=1",
        "http://proxy.example:1",
    )
    assert parse_qs(request.body.decode()) == {"grant_type": ["a b&c"], "assertion": ["x.y"]}


@pytest.mark.parametrize(
    ("body", "lifetime"),
    [
        (b'{"access_token": "t.k-n_0", "expires_in": 3599, "token_type": "Bearer"}', 3599),
        (b'{"access_token": "t.k-n_0", "expires_in": "3599"}', 3599),
        (b'{"access_token": "t.k-n_0", "expires_in": 10.5}', 10.5),
        (b'{"access_token": "t.k-n_0", "expires_in": 0}', LIFETIME_UNSAID),
        (b'{"access_token": "t.k-n_0", "expires_in": "soon"}', LIFETIME_UNSAID),
        (b'{"access_token": "t.k-n_0"}', LIFETIME_UNSAID),
    ],
)
def test_a_token(body: bytes, lifetime: float) -> None:
    token, _ = outcome(Answer(200, body))
    assert isinstance(token, Token)
    assert (token.access.reveal(), token.lifetime) == ("t.k-n_0", lifetime)


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (400, b'{"error": "invalid_grant", "error_description": "secret words"}', CredentialRefused, "invalid_grant"),
        (401, b'{"error": "invalid_client"}', CredentialRefused, "invalid_client"),
        (403, b'{"error": "access_denied"}', CredentialRefused, "access_denied"),
        (400, b'{"error": "<script>"}', CredentialRefused, "status 400"),
        (400, b"<html>", UpstreamFailed, "status 400"),
        (404, b'{"error": "not_found"}', UpstreamFailed, "not_found"),
        (429, b'{"error": "slow_down"}', UpstreamFailed, "slow_down"),
        (500, b'{"error": "internal_failure"}', UpstreamFailed, "internal_failure"),
        (200, b"<html>", UpstreamFailed, "status 200"),
        (200, b"[]", UpstreamFailed, "status 200"),
        (200, b'{"access_token": "a\\nb"}', UpstreamFailed, "status 200"),
        (200, b'{"access_token": ""}', UpstreamFailed, "status 200"),
        (302, b"", UpstreamFailed, "status 302"),
    ],
)
def test_no_token(status: int, body: bytes, kind: type[GatewayError], words: str) -> None:
    error, _ = outcome(Answer(status, body, {"retry-after": "7"}))
    assert isinstance(error, GatewayError)
    assert type(error) is kind
    assert words in error.message
    assert "'mine'" in error.message
    assert "secret words" not in error.message
    assert error.upstream_status is None, "it is the account that rests, not one model at it"
    assert error.retry_after == (None if kind is CredentialRefused else 7)


def test_an_endpoint_that_cannot_be_reached_in_time_is_the_accounts_fault() -> None:
    error, _ = outcome(Timeout("tokens.example began no answer within 1 s: …"))
    assert type(error) is UpstreamFailed
    assert error.message == "No token for the account 'mine': tokens.example began no answer within 1 s: …"


def test_an_endpoint_that_says_nothing_is_waited_for_so_long_and_let_go_of() -> None:
    clock, sent = Clock(), list[Deferred[Response]]()

    class Silent:
        def send(self, _: Request) -> Deferred[Response]:
            sent.append(Deferred())
            return sent[-1]

    web = TransportWeb(Way("mine", Silent(), "", clock), 15.0)
    found: list[Failure] = []
    Deferred.fromCoroutine(web.ask(get("https://tokens.example/t"))).addErrback(found.append)
    clock.advance(14.9)
    assert not found
    clock.advance(0.1)
    assert isinstance(found[0].value, UpstreamFailed)
    assert found[0].value.message == "No token for the account 'mine': tokens.example began no answer within 15 s."
    assert sent[0].called, "the connection is closed"


def test_a_signed_request_is_the_request_and_its_signature() -> None:
    request = Request("POST", "http://u", (("a", "1"),), b"body", "http://proxy", "127.0.0.1")
    assert request.with_headers((("b", "2"),)) == replace(request, headers=(("a", "1"), ("b", "2")))
