"""ChatGPT plans with the login of Codex: the Responses API as their own back end speaks it.

Source: provider sheet codex. Left out as disguise: Codex's client string and `originator`. Models that the back end gives to
such clients only are not to be had."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from aiproxy.codecs import openai_responses
from aiproxy.credentials.exchange import claims
from aiproxy.neutral.carried import Json
from aiproxy.pools.verdict import FaultRule, Scope
from aiproxy.providers import quota_answers
from aiproxy.providers.base import Endpoint, LoggedIn, Operation, Provider, Upstream
from aiproxy.providers.codex_repairs import COMPACT_REPAIRS, REPAIRS, refused
from aiproxy.providers.faults import COMMON
from aiproxy.providers.logins import account_of, text
from aiproxy.providers.quota_question import QuotaQuestion
from aiproxy.providers.windows import codex_windows

CLAIMS = "https://api.openai.com/auth"
"""Where an id token tells of the account and its plan."""

FREE = ("gpt-5.4-mini", "gpt-5.5", "gpt-5.6-terra", "gpt-5.6-luna", "codex-auto-review")
TEAM = (*FREE, "gpt-5.4", "gpt-5.6-sol")
PRO = (*TEAM, "gpt-5.3-codex-spark")

MODELS_OF_PLAN: Mapping[str, Sequence[str]] = {"free": FREE, "team": TEAM, "business": TEAM}
"""As of August 2026; every other plan has all of them."""


def accounts(login: LoggedIn) -> Iterable[Upstream]:
    told = _claims(text(login.record, "id_token"))
    plan = str(told.get("chatgpt_plan_type") or text(login.record, "plan_type")).lower()
    account = text(login.record, "account_id") or str(told.get("chatgpt_account_id") or "")
    found = account_of(CODEX_ACCOUNT, login, ("gpt-*", "codex-*", "o*"), MODELS_OF_PLAN.get(plan, PRO))
    headers = {"chatgpt-account-id": account} if account else {}
    # The back end of the plan, of which Codex's is a part.
    url = login.quota_url or f"{found.base_url.removesuffix('/codex')}/wham/usage"
    yield replace(found, headers={**headers, **found.headers}, quota=QuotaQuestion(url, quota_answers.codex))


def _claims(token: str) -> Mapping[str, Json]:
    found = claims(token).get(CLAIMS)
    return found if isinstance(found, dict) else {}


CODEX_ACCOUNT = Provider(
    name="codex",
    base_url="https://chatgpt.com/backend-api/codex",
    endpoints=(
        Endpoint(
            Operation.CHAT,
            "/responses",
            openai_responses.WIRE,
            openai_responses.CODEC,
            keeps_answers=False,
            socket=True,
            repairs=REPAIRS,
            leaves_out=refused,
        ),
        Endpoint(
            Operation.COMPACT,
            "/responses/compact",
            openai_responses.WIRE,
            openai_responses.CODEC,
            repairs=COMPACT_REPAIRS,
            leaves_out=refused,
        ),
    ),
    vendor="openai",
    windows=codex_windows,
    abilities={"refused_sampling": frozenset({"temperature", "top_p", "max_output_tokens"})},
    models=PRO,
    passed_on=("session-id", "session_id", "version", "thread-id", "x-client-request-id"),
    passed_families=("openai-", "x-codex-"),
    faults=(
        FaultRule(words=("usage_limit_reached",), scope=Scope.ACCOUNT),
        FaultRule(words=("model is at capacity",), scope=Scope.PROVIDER),
        *COMMON,
    ),
)
