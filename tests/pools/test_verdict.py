"""(error, tables) → whom it blames, whether another account is tried, who rests."""

import re

import pytest

from aiproxy.neutral import errors
from aiproxy.neutral.errors import GatewayError, Said
from aiproxy.pools.verdict import FIRST_REST, FIRST_REST_REFUSED, FaultRule, Judge, Scope, Verdict, by_kind, judge


@pytest.mark.parametrize(
    ("error", "scope"),
    [
        (errors.InvalidRequest("x"), Scope.REQUEST),
        (errors.ContextLength("x"), Scope.REQUEST),
        (errors.Unsupported("x"), Scope.REQUEST),
        (errors.NotFound("x"), Scope.REQUEST),
        (errors.Conflict("x"), Scope.REQUEST),
        (errors.TooLarge("x"), Scope.REQUEST),
        (errors.NotFound("x", code="model_not_found"), Scope.MODEL),
        (errors.RateLimited("x"), Scope.MODEL),
        (errors.Timeout("x"), Scope.MODEL),
        (errors.UpstreamServerError("x"), Scope.MODEL),
        (errors.UpstreamTruncated("x"), Scope.MODEL),
        (errors.UpstreamFailed("x", upstream_status=502), Scope.MODEL),
        (errors.UpstreamFailed("it closed the connection"), Scope.MODEL),
        (errors.QuotaExhausted("x"), Scope.ACCOUNT),
        (errors.CredentialRefused("x", upstream_status=401), Scope.ACCOUNT),
        (errors.Billing("x"), Scope.ACCOUNT),
        (errors.Overloaded("x"), Scope.PROVIDER),
        (errors.Unreachable("connection refused"), Scope.NETWORK),
        (errors.ConnectTimeout("x"), Scope.NETWORK),
    ],
)
def test_by_kind(error: GatewayError, scope: Scope) -> None:
    verdict = by_kind(error)
    assert verdict.scope is scope
    assert verdict.stops is (scope is Scope.REQUEST)
    assert verdict.cools is (scope is not Scope.REQUEST)


def test_a_refused_key_rests_longer() -> None:
    assert by_kind(errors.CredentialRefused("x")).rest == FIRST_REST_REFUSED > by_kind(errors.Overloaded("x")).rest


def said(kind: type[GatewayError], status: int, body: str, **headers: str) -> GatewayError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return kind("x", upstream_status=status, said=Said(named, body.encode()))


@pytest.mark.parametrize(
    ("rule", "fits"),
    [
        (FaultRule(), True),
        (FaultRule(statuses=frozenset((400, 422))), True),
        (FaultRule(statuses=frozenset((422,))), False),
        (FaultRule(words=("over capacity",)), True),
        (FaultRule(words=("no such", "over capacity")), True),
        (FaultRule(words=("no such",)), False),
        (FaultRule(patterns=(re.compile("model.*capacity"),)), False),
        (FaultRule(patterns=(re.compile("Model.*Capacity"),)), True),
        (FaultRule(words=("no such",), patterns=(re.compile("Capacity"),)), True),
        (FaultRule(headers={"x-window": "rejected"}), True),
        (FaultRule(headers={"x-window": "allowed"}), False),
        (FaultRule(headers={"x-window": "rejected", "x-other": "1"}), False),
        (FaultRule(statuses=frozenset((400,)), words=("over capacity",), headers={"x-window": "rejected"}), True),
        (FaultRule(statuses=frozenset((429,)), words=("over capacity",)), False),
    ],
)
def test_a_rule_fits_what_has_all_it_names(rule: FaultRule, fits: bool) -> None:
    error = said(errors.InvalidRequest, 400, "Model is over Capacity", x_window="rejected")
    assert rule.fits(error) is fits


def test_an_error_inside_a_200_fits_the_status_that_it_amounts_to() -> None:
    assert FaultRule(statuses=frozenset((429,))).fits(errors.RateLimited("x", upstream_status=200))


REQUEST = Verdict(Scope.REQUEST, stops=True, cools=False)
MODEL = Verdict(Scope.MODEL)


@pytest.mark.parametrize(
    ("before", "rule", "after"),
    [
        (REQUEST, FaultRule(scope=Scope.MODEL), MODEL),
        (REQUEST, FaultRule(scope=Scope.MODEL, rest=60.0), Verdict(Scope.MODEL, rest=60.0)),
        (MODEL, FaultRule(scope=Scope.REQUEST), REQUEST),
        (MODEL, FaultRule(scope=Scope.ACCOUNT), Verdict(Scope.ACCOUNT)),
        # the operator's four actions, over a request fault and over an account's
        (REQUEST, FaultRule(stops=True, cools=False), REQUEST),
        (REQUEST, FaultRule(stops=True, cools=True), Verdict(Scope.MODEL, stops=True)),
        (REQUEST, FaultRule(stops=False, cools=False), Verdict(Scope.REQUEST, cools=False)),
        (REQUEST, FaultRule(stops=False, cools=True), MODEL),
        (MODEL, FaultRule(stops=True, cools=False), Verdict(Scope.MODEL, stops=True, cools=False)),
        (MODEL, FaultRule(stops=True, cools=True), Verdict(Scope.MODEL, stops=True)),
        (MODEL, FaultRule(stops=False, cools=False), Verdict(Scope.MODEL, cools=False)),
        (MODEL, FaultRule(stops=False, cools=True), MODEL),
    ],
)  # fmt: skip
def test_what_a_rule_makes_of_a_verdict(before: Verdict, rule: FaultRule, after: Verdict) -> None:
    assert rule.correct(before) == after


def test_of_each_table_the_first_row_that_fits_speaks_and_the_operator_has_the_last_word() -> None:
    error = said(errors.RateLimited, 429, "weekly limit")
    provider = (
        FaultRule(words=("weekly",), scope=Scope.ACCOUNT, rest=600.0),
        FaultRule(words=("limit",), scope=Scope.REQUEST),
    )
    assert judge(error, provider) == Verdict(Scope.ACCOUNT, rest=600.0)
    operator = (FaultRule(words=("other",), stops=False), FaultRule(words=("limit",), stops=True))
    assert judge(error, provider, operator) == Verdict(Scope.ACCOUNT, stops=True, rest=600.0)


def test_an_account_that_does_not_cool_still_says_who_else_is_worth_a_try() -> None:
    assert Judge(cools=False)(errors.RateLimited("x")) == Verdict(Scope.MODEL, cools=False, rest=FIRST_REST)
    assert Judge(cools=False)(errors.InvalidRequest("x")) == REQUEST
