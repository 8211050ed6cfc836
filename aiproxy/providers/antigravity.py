"""Google Antigravity's back end: Code Assist for Gemini, Claude and GPT-OSS models alike.

Source: provider sheet antigravity. Left out as disguise: the IDE's name, in a header and in the envelope (`userAgent`), and
its habit of hiding words. Not asked for: web search beside other tools. Credits, which cost money, are spent by an account of
their own, the last of its login to be asked."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import NAMESPACE_URL, uuid5

from aiproxy.codecs import code_assist
from aiproxy.codecs.codec import Exchange
from aiproxy.neutral.carried import Json
from aiproxy.neutral.tools import HostedTool
from aiproxy.pools.verdict import FaultRule, Scope
from aiproxy.providers import model_list, quota_answers
from aiproxy.providers.antigravity_repairs import (
    begin_with_user,
    call_with_validation,
    leave_out_safety,
    name_session,
    never_taken,
    think_within_output,
    use_plain_schemas,
)
from aiproxy.providers.base import LoggedIn, Operation, Provider, Upstream, speaking
from aiproxy.providers.code_assist_faults import CODE_ASSIST_FAULTS
from aiproxy.providers.code_assist_repairs import join_turns, leave_out_empty_texts
from aiproxy.providers.logins import account_of, text
from aiproxy.providers.model_list import ModelList
from aiproxy.providers.quota_question import QuotaQuestion

MODELS = (
    "claude-opus-4-6-thinking",
    "claude-sonnet-4-6",
    "gemini-3-flash",
    "gemini-3-flash-agent",
    "gemini-3.6-flash-high",
    "gemini-3.7-flash-high",
    "gemini-pro-agent",
    "gemini-3.1-pro-low",
    "gemini-3.5-flash-low",
    "gemini-3.5-flash-extra-low",
    "gemini-3.1-flash-lite",
    "gemini-3.1-flash-image",
    "gpt-oss-120b-medium",
)
"""As of August 2026. The list changes often; other names of these families are passed on."""


AFTER_ALL_OTHERS = 1_000_000
"""Added to the priority of what costs money: more than anybody writes."""

FIRST_REST_NO_CREDITS = 600.0
"""Seconds between questions whether somebody has bought some."""


def _besides(exchange: Exchange) -> Mapping[str, Json]:
    """What kind of request it is, and a name for it; a search alone has none."""
    tools = exchange.request.tools
    if tools and all(isinstance(tool, HostedTool) and tool.kind == "web_search" for tool in tools):
        return {"requestType": "web_search"}
    kind = "image_gen" if "image" in exchange.request.model else "agent"
    return {"requestType": kind, "requestId": f"{kind}-{uuid5(NAMESPACE_URL, exchange.fresh_id('request'))}"}


CODEC = code_assist.saying(_besides)

REPAIRS = (
    leave_out_empty_texts,
    join_turns,
    leave_out_safety,
    begin_with_user,
    use_plain_schemas,
    call_with_validation,
    think_within_output,
    name_session,
)


def _accounts(login: LoggedIn) -> Iterable[Upstream]:
    """Raises `ValueError` for a file without a project."""
    if not (project := text(login.record, "project_id")):
        raise ValueError("`project_id` is missing: log in again, so that Code Assist names one")
    found = account_of(ANTIGRAVITY, login, ("gemini-*", "claude-*", "gpt-oss-*"))
    url = login.quota_url or f"{found.base_url}/v1internal:fetchAvailableModels"
    one = {"project": project}
    found = replace(found, members=one, quota=QuotaQuestion(url, quota_answers.antigravity, one))
    yield replace(found, lists=ModelList(url, model_list.antigravity, one))
    if login.pays:
        balance = f"{found.base_url}/v1internal:loadCodeAssist"
        yield replace(
            found,
            id=f"{found.id}::credits",
            models={name: served for name, served in found.models.items() if served[0].name.startswith("claude-")},
            accepts=("claude-*",),
            priority=found.priority + AFTER_ALL_OTHERS,
            members={**one, "enabledCreditTypes": [quota_answers.CREDITS]},
            quota=QuotaQuestion(balance, quota_answers.antigravity_credits, {"metadata": {"ideType": "ANTIGRAVITY"}}),
        )


ANTIGRAVITY = Provider(
    name="antigravity",
    base_url="https://daily-cloudcode-pa.googleapis.com",
    spares=("https://cloudcode-pa.googleapis.com",),
    endpoints=(
        replace(
            # Whole answers of Claude and of some Gemini models are unreliable: they are made of streams.
            speaking(CODEC, Operation.CHAT, "/v1internal:streamGenerateContent?alt=sse", repairs=REPAIRS),
            leaves_out=never_taken,
        ),
        speaking(
            CODEC, Operation.COUNT_TOKENS, "/v1internal:countTokens", repairs=(begin_with_user, use_plain_schemas)
        ),
    ),
    accounts=_accounts,
    vendor="google",
    binds_state=("*",),  # signatures of another project are refused
    abilities={"json_schema_tools": False},
    models=MODELS,
    faults=(
        FaultRule(words=("insufficient_g1_credits_balance",), scope=Scope.ACCOUNT, rest=FIRST_REST_NO_CREDITS),
        *CODE_ASSIST_FAULTS,
    ),
)
