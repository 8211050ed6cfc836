"""Quota windows as vendors tell them when they are asked. Whatever can't be right says nothing.

Source: provider sheets kiro, codex, gemini-cli, antigravity; openai/codex, backend client; Gemini CLI 0.61,
`retrieveUserQuota`; the `/api/oauth/usage` that Claude Code shows; `copilot_internal/user` as VS Code's Copilot reads it."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from aiproxy.credentials.times import moment
from aiproxy.pools.quota import Window


def code_assist(said: Mapping[str, Any], _now: float) -> Iterator[Window]:
    """Of Gemini CLI's projects: a bucket for each model. One without a share is not said to be empty."""
    for bucket in listed(said.get("buckets")):
        model, left = bucket.get("modelId"), share(bucket.get("remainingFraction"))
        if isinstance(model, str) and model and left is not None:
            yield Window(model, 1 - left, moment(bucket.get("resetTime")), model=model)


def antigravity(said: Mapping[str, Any], _now: float) -> Iterator[Window]:
    """Beside each model that the account has."""
    for model, told in mapping(said.get("models")).items():
        quota = mapping(mapping(told).get("quotaInfo"))
        if (left := share(quota.get("remainingFraction"))) is not None:
            yield Window(model, 1 - left, moment(quota.get("resetTime")), model=model)


CREDITS = "GOOGLE_ONE_AI"

LOOKED_AT_AGAIN = 600.0
"""Seconds until credits that were too few may be more."""


def antigravity_credits(said: Mapping[str, Any], now: float) -> Iterator[Window]:
    """Whether there are as many as it takes to use any; of how many, nobody says. Who has none isn't told of them."""
    for each in listed(mapping(said.get("paidTier")).get("availableCredits")):
        if each.get("creditType") == CREDITS:
            amount, least = _written(each.get("creditAmount")), _written(each.get("minimumCreditAmountForUsage"))
            if amount is not None:
                enough = amount >= (least or 0.0) and amount > 0
                yield Window("credits", 0.0, None) if enough else Window("credits", 1.0, now + LOOKED_AT_AGAIN)


def codex(said: Mapping[str, Any], now: float) -> Iterator[Window]:
    """The names are those of the headers. A plan with credits goes on where its windows end."""
    more = mapping(said.get("credits"))
    guards = not (more.get("has_credits") is True or more.get("unlimited") is True)
    limits = mapping(said.get("rate_limit"))
    for name in ("primary", "secondary"):
        window = mapping(limits.get(f"{name}_window"))
        used = number(window.get("used_percent"))
        if used is None:
            continue
        ends, left = moment(window.get("reset_at")), number(window.get("reset_after_seconds"))
        yield Window(name, used / 100, ends if ends is not None or left is None else now + left, guards=guards)


CLAUDE = {"five_hour": "5h", "seven_day": "7d", "seven_day_opus": "7d_opus", "seven_day_sonnet": "7d_sonnet"}
"""Its windows, by the names that its headers have for them; those of some models only are told and guard nothing."""


def claude(said: Mapping[str, Any], _now: float) -> Iterator[Window]:
    """A plan with extra usage goes on where its windows end."""
    extra = mapping(said.get("extra_usage")).get("is_enabled") is True
    for theirs, name in CLAUDE.items():
        window = mapping(said.get(theirs))
        if (used := number(window.get("utilization"))) is not None:
            guards = name in ("5h", "7d") and not extra
            yield Window(name, used / 100, moment(window.get("resets_at")), guards=guards)


def copilot(said: Mapping[str, Any], _now: float) -> Iterator[Window]:
    """Paid plans tell of each quota; free ones how many are left of how many a month. Premium requests are no guard: some models
    are free of them."""
    ends = moment(said.get("quota_reset_date_utc")) or moment(said.get("quota_reset_date"))
    for name, told in mapping(said.get("quota_snapshots")).items():
        quota = mapping(told)
        left = number(quota.get("percent_remaining"))
        if left is not None and quota.get("unlimited") is not True:
            guards = name == "chat" and quota.get("overage_permitted") is not True
            yield Window(name, 1 - min(left, 100) / 100, ends, guards=guards)
    ends = moment(said.get("limited_user_reset_date"))
    monthly = mapping(said.get("monthly_quotas"))
    for name, told in mapping(said.get("limited_user_quotas")).items():
        left, all_of_it = number(told), number(monthly.get(name))
        if left is not None and all_of_it:
            yield Window(name, max(0.0, 1 - left / all_of_it), ends, guards=name == "chat")


def kiro(said: Mapping[str, Any], _now: float) -> Iterator[Window]:
    """Of each resource the plan's part, a running trial and running bonuses together. Where overages are on, it goes on for
    money."""
    goes_on = mapping(said.get("overageConfiguration")).get("overageStatus") == "ENABLED"
    for resource in listed(said.get("usageBreakdownList")):
        trial = mapping(resource.get("freeTrialInfo"))
        parts = [resource, *([trial] if trial.get("freeTrialStatus") == "ACTIVE" else [])]
        parts += [bonus for bonus in listed(resource.get("bonuses")) if bonus.get("status") == "ACTIVE"]
        used = sum(_exact(part, "currentUsage") for part in parts)
        limit = sum(_exact(part, "usageLimit") for part in parts)
        name = resource.get("resourceType")
        if isinstance(name, str) and limit > 0:
            ends = moment(resource.get("nextDateReset")) or moment(said.get("nextDateReset"))
            yield Window(name.lower(), used / limit, ends, guards=not goes_on)


def _exact(part: Mapping[str, Any], name: str) -> float:
    exact = number(part.get(f"{name}WithPrecision"))
    return exact if exact is not None else number(part.get(name)) or 0.0


def mapping(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def listed(found: object) -> list[Mapping[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def number(found: object) -> float | None:
    """Of what is used, or left: never less than nothing."""
    usable = isinstance(found, int | float) and not isinstance(found, bool) and math.isfinite(found) and found >= 0
    return float(found) if usable and isinstance(found, int | float) else None


def _written(found: object) -> float | None:
    """A number that is written as a text."""
    try:
        return number(float(found)) if isinstance(found, str) else number(found)
    except ValueError:
        return None


def share(found: object) -> float | None:
    """Between nothing and all."""
    told = number(found)
    return None if told is None else min(told, 1.0)
