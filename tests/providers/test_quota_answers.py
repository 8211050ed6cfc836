"""What vendors answer when they are asked for a quota, as the provider sheets and their own programs have it."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.pools.quota import Window
from aiproxy.providers import quota_answers

AT = 1_790_000_000.0
RESET = "2026-09-21T14:13:30Z"
THEN = AT + 10

KIRO: Mapping[str, Any] = {
    "usageBreakdownList": [
        {
            "resourceType": "CREDIT",
            "currentUsage": 12,
            "currentUsageWithPrecision": 12.5,
            "usageLimit": 50,
            "usageLimitWithPrecision": 50.0,
            "nextDateReset": THEN,
            "freeTrialInfo": {"freeTrialStatus": "ACTIVE", "currentUsage": 100, "usageLimit": 500},
            "bonuses": [
                {"bonusCode": "A", "currentUsage": 0, "usageLimit": 200, "status": "ACTIVE"},
                {"bonusCode": "B", "currentUsage": 9, "usageLimit": 9, "status": "EXPIRED"},
            ],
        }
    ],
    "nextDateReset": AT + 99,
    "subscriptionInfo": {"subscriptionTitle": "KIRO PRO"},
}
SPENT = {
    "usageBreakdownList": [{"resourceType": "CREDIT", "currentUsage": 60, "usageLimit": 50}],
    "nextDateReset": THEN,
}
CODEX = {
    "plan_type": "plus",
    "rate_limit": {
        "allowed": False,
        "limit_reached": True,
        "primary_window": {"used_percent": 100, "limit_window_seconds": 18000, "reset_after_seconds": 10, "reset_at": THEN},
        "secondary_window": {"used_percent": 15, "reset_after_seconds": 60},
    },
    "credits": {"has_credits": False, "unlimited": False, "balance": None},
}  # fmt: skip


def balance(amount: str, least: str | None) -> Mapping[str, Any]:
    told = {"creditType": "GOOGLE_ONE_AI", "creditAmount": amount, "minimumCreditAmountForUsage": least}
    return {"paidTier": {"id": "g1-pro-tier", "availableCredits": [{"creditType": "OTHER", "creditAmount": "9"}, told]}}


Reading = Callable[[Mapping[str, Any], float], Iterable[Window]]


@pytest.mark.parametrize(
    ("read", "said", "found"),
    [
        (
            quota_answers.code_assist,
            {"buckets": [
                {"modelId": "gemini-2.5-pro", "remainingFraction": 0.25, "resetTime": RESET, "tokenType": "REQUESTS"},
                {"modelId": "gemini-2.5-flash", "resetTime": RESET},
            ]},
            [Window("gemini-2.5-pro", 0.75, THEN, model="gemini-2.5-pro")],
        ),
        (
            quota_answers.antigravity,
            {"models": {"gemini-3-flash": {"quotaInfo": {"remainingFraction": 0, "resetTime": RESET}}, "chat_20706": {}}},
            [Window("gemini-3-flash", 1.0, THEN, model="gemini-3-flash")],
        ),
        (quota_answers.antigravity_credits, balance("1000", "50"), [Window("credits", 0.0)]),
        (quota_answers.antigravity_credits, balance("49.5", "50"), [Window("credits", 1.0, AT + 600)]),
        (quota_answers.antigravity_credits, balance("0", None), [Window("credits", 1.0, AT + 600)]),
        (quota_answers.antigravity_credits, balance("many", "50"), []),
        (quota_answers.antigravity_credits, {"currentTier": {"id": "free-tier"}}, []),
        (quota_answers.codex, CODEX, [Window("primary", 1.0, THEN), Window("secondary", 0.15, AT + 60)]),
        (
            quota_answers.codex,
            {**CODEX, "credits": {"has_credits": True}},
            [Window("primary", 1.0, THEN, guards=False), Window("secondary", 0.15, AT + 60, guards=False)],
        ),
        (
            quota_answers.claude,
            {"five_hour": {"utilization": 25.0, "resets_at": RESET}, "seven_day": {"utilization": 100, "resets_at": RESET},
             "seven_day_opus": {"utilization": 100, "resets_at": None}, "seven_day_oauth_apps": None},
            [Window("5h", 0.25, THEN), Window("7d", 1.0, THEN), Window("7d_opus", 1.0, guards=False)],
        ),
        (
            quota_answers.claude,
            {"seven_day": {"utilization": 100, "resets_at": RESET}, "extra_usage": {"is_enabled": True}},
            [Window("7d", 1.0, THEN, guards=False)],
        ),
        (
            quota_answers.copilot,
            {"quota_reset_date_utc": RESET, "quota_snapshots": {
                "chat": {"percent_remaining": 100, "unlimited": True},
                "premium_interactions": {"percent_remaining": 0, "unlimited": False, "overage_permitted": False}}},
            [Window("premium_interactions", 1.0, THEN, guards=False)],
        ),
        (
            quota_answers.copilot,
            {"limited_user_reset_date": RESET, "limited_user_quotas": {"chat": 0, "completions": 1500},
             "monthly_quotas": {"chat": 50, "completions": 2000}},
            [Window("chat", 1.0, THEN), Window("completions", 0.25, THEN, guards=False)],
        ),
        (quota_answers.kiro, KIRO, [Window("credit", 112.5 / 750, THEN)]),
        (quota_answers.kiro, SPENT, [Window("credit", 1.2, THEN)]),
        (quota_answers.kiro, {**SPENT, "overageConfiguration": {"overageStatus": "ENABLED"}}, [Window("credit", 1.2, THEN, guards=False)]),
        (quota_answers.kiro, {"usageBreakdownList": [{"resourceType": "SPEC", "usageLimit": 0}]}, []),
    ],
)  # fmt: skip
def test_what_is_read(read: Reading, said: Mapping[str, Any], found: list[Window]) -> None:
    assert list(read(said, AT)) == found


NAMES = sorted(
    [
        "buckets",
        "paidTier",
        "availableCredits",
        "creditAmount",
        "models",
        "rate_limit",
        "primary_window",
        "used_percent",
        "credits",
        "five_hour",
        "utilization",
        "quota_snapshots",
        "chat",
        "modelId",
        "quotaInfo",
        "percent_remaining",
        "limited_user_quotas",
        "monthly_quotas",
        "usageBreakdownList",
        "bonuses",
        "usageLimit",
        "resourceType",
        "reset_at",
        "resetTime",
        "remainingFraction",
        "freeTrialInfo",
        "freeTrialStatus",
        "status",
        "nextDateReset",
    ]
)
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "ACTIVE", "CREDIT", RESET]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(NAMES), JUNK, max_size=4))
def test_no_answer_breaks_it(said: Mapping[str, Any]) -> None:
    for read in (
        quota_answers.code_assist,
        quota_answers.antigravity,
        quota_answers.antigravity_credits,
        quota_answers.codex,
        quota_answers.claude,
        quota_answers.copilot,
        quota_answers.kiro,
    ):
        for window in read(said, AT):
            assert window.used >= 0
