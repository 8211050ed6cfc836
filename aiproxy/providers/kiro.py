"""Kiro (Amazon Q Developer's back end): Claude models over an Amazon event stream.

Source: provider sheets kiro and kiro-second-source. Left out as disguise: the IDE's machine id and client strings. Not asked:
the second quota at another endpoint (`origin: CLI`), and the newer hosts under kiro.dev, which `base_url` can name."""

import re
from collections.abc import Iterable
from dataclasses import replace
from urllib.parse import urlencode

from aiproxy.catalogue import Alias, named
from aiproxy.codecs import kiro
from aiproxy.pools.verdict import FaultRule, Scope
from aiproxy.providers import model_list, quota_answers
from aiproxy.providers.base import LoggedIn, Operation, Provider, Upstream, speaking
from aiproxy.providers.faults import COMMON
from aiproxy.providers.logins import account_of, text
from aiproxy.providers.model_list import ModelList
from aiproxy.providers.quota_question import QuotaQuestion

REGION = "us-east-1"

_PROFILE = re.compile(r"arn:[\w-]+:codewhisperer:([a-z0-9-]+):\d*:profile/\S+")

AT_ONCE = 2
"""Calls of one account at a time, unless its file says otherwise: Amazon suspends accounts that many agents use at once."""

FIRST_REST_SUSPENDED = 86400.0
"""Seconds: a day. Only a person can have a suspension lifted."""

FIRST_REST_LIMITED = 30.0
"""Seconds. The service names no time."""

MODELS = (
    "claude-opus-4.8",
    "claude-opus-4.7",
    "claude-opus-4.6",
    "claude-opus-4.5",
    "claude-sonnet-5",
    "claude-sonnet-4.6",
    "claude-sonnet-4.5",
    "claude-sonnet-4",
    "claude-haiku-4.5",
    "auto",
)
"""As of July 2026. Plans differ; a model that isn't in one is an error of that account's."""

DATED = {
    "claude-opus-4-5-20251101": "claude-opus-4.5",
    "claude-sonnet-4-5-20250929": "claude-sonnet-4.5",
    "claude-sonnet-4-20250514": "claude-sonnet-4",
    "claude-haiku-4-5-20251001": "claude-haiku-4.5",
}
"""Anthropic's names with a date."""

NAMES = named(
    (
        *(Alias(model) for model in MODELS),
        *(Alias(model, model.replace(".", "-")) for model in MODELS if "." in model),
        *(Alias(model, dated) for dated, model in DATED.items()),
    )
)
"""Each under its own name, and under Anthropic's."""


def _accounts(login: LoggedIn) -> Iterable[Upstream]:
    """A profile says in which region its account is served; a token of an organisation's own identity provider is called so.
    Raises `ValueError` for one that can't be right."""
    said = login.record
    profile = text(said, "profileArn", "profile_arn")
    found = _PROFILE.fullmatch(profile)
    if profile and not found:
        raise ValueError("`profileArn` must be an ARN of a CodeWhisperer profile")
    region = found[1] if found else text(said, "region") or REGION
    account = account_of(KIRO, login, ("claude-*",))
    base_url = account.base_url.replace("{region}", region)
    whose = {"origin": "AI_EDITOR", **({"profileArn": profile} if profile else {})}
    asked = urlencode({"isEmailRequired": "false", "resourceType": "AGENTIC_REQUEST", **whose})
    url = f"{login.quota_url or f'{base_url}/getUsageLimits'}?{asked}"
    models = f"{base_url}/ListAvailableModels?{urlencode(whose)}"
    kind = {"tokentype": "EXTERNAL_IDP"} if text(said, "authMethod", "auth_method").lower() == "external_idp" else {}
    own = {name: served for name, served in account.models.items() if name not in KIRO.models}
    yield replace(
        account,
        base_url=base_url,
        headers={**kind, **account.headers},
        quota=QuotaQuestion(url, quota_answers.kiro),
        lists=ModelList(models, model_list.kiro),
        models={**NAMES, **own},
        concurrency=account.concurrency or AT_ONCE,
        members={"profileArn": profile} if profile else {},
    )


KIRO = Provider(
    name="kiro",
    base_url="https://q.{region}.amazonaws.com",
    endpoints=(speaking(kiro.CODEC, Operation.CHAT, "/generateAssistantResponse"),),
    accounts=_accounts,
    vendor="kiro",
    stale=frozenset((401, 403)),
    models=tuple(NAMES),
    headers={"x-amzn-codewhisperer-optout": "true", "x-amzn-kiro-agent-mode": "vibe"},
    faults=(
        FaultRule(
            statuses=frozenset((403,)),
            words=(
                "temporarily_suspended",
                "temporarily is suspended",
                "temporarily suspended",
                "disabled",
                "violation of terms",
                "terms of service",
                "appeal",
                "quota",
                "limit exceeded",
                "payment required",
                "not authorized to access",
                "not allowed",
            ),
            scope=Scope.ACCOUNT,
            rest=FIRST_REST_SUSPENDED,
        ),
        # Before the limits, which a month that is used up amounts to.
        FaultRule(statuses=frozenset((402,)), scope=Scope.ACCOUNT, rest=FIRST_REST_SUSPENDED),
        FaultRule(statuses=frozenset((429,)), words=("insufficient_model_capacity",), scope=Scope.PROVIDER),
        FaultRule(statuses=frozenset((429,)), scope=Scope.ACCOUNT, rest=FIRST_REST_LIMITED),
        # A company's account whose file names no profile: logging in anew finds one.
        FaultRule(
            statuses=frozenset((400,)),
            words=("profilearn is required", "invalid profilearn"),
            scope=Scope.ACCOUNT,
            rest=FIRST_REST_SUSPENDED,
        ),
        *COMMON,
    ),
)
