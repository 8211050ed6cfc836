"""Gemini Code Assist with the login of Gemini CLI: Gemini's wire format in an envelope that names a project.

Source: provider sheet gemini-cli; requests of Gemini CLI 0.61. Left out as disguise: the client string of Gemini CLI; we say
who we are."""

from collections.abc import Iterable
from dataclasses import replace

from aiproxy.codecs import code_assist
from aiproxy.providers import quota_answers
from aiproxy.providers.base import LoggedIn, Operation, Provider, Upstream, speaking
from aiproxy.providers.code_assist_faults import CODE_ASSIST_FAULTS
from aiproxy.providers.code_assist_repairs import join_turns, leave_out_empty_texts
from aiproxy.providers.logins import account_of, text
from aiproxy.providers.quota_question import QuotaQuestion

MODELS = (
    "gemini-2.5-pro",
    "gemini-2.5-flash",
    "gemini-2.5-flash-lite",
    "gemini-3-pro-preview",
    "gemini-3.1-pro-preview",
    "gemini-3-flash-preview",
    "gemini-3.1-flash-lite-preview",
)
"""What Code Assist serves, as of June 2026: it has no list that may be asked for."""


def _accounts(login: LoggedIn) -> Iterable[Upstream]:
    """An account a project: each has quotas of its own. Raises `ValueError` where there is none."""
    projects = [project for each in text(login.record, "project_id").split(",") if (project := each.strip())]
    if not projects:
        raise ValueError("`project_id` is missing: log in again, so that Code Assist names one")
    found = account_of(GEMINI_CLI, login, ("gemini-*",))
    url = login.quota_url or f"{found.base_url}/v1internal:retrieveUserQuota"
    for project in projects:
        one = {"project": project}
        account = replace(found, members=one, quota=QuotaQuestion(url, quota_answers.code_assist, one))
        alone = len(projects) == 1
        yield account if alone else replace(account, id=f"{found.id}::{project}", login=found.id)


GEMINI_CLI = Provider(
    name="gemini-cli",
    base_url="https://cloudcode-pa.googleapis.com",
    endpoints=(
        speaking(
            code_assist.CODEC,
            Operation.CHAT,
            "/v1internal:generateContent",
            "/v1internal:streamGenerateContent?alt=sse",
            repairs=(leave_out_empty_texts, join_turns),
        ),
        speaking(code_assist.CODEC, Operation.COUNT_TOKENS, "/v1internal:countTokens"),
    ),
    accounts=_accounts,
    vendor="google",
    binds_state=("*",),  # signatures of another project are refused
    models=MODELS,
    faults=CODE_ASSIST_FAULTS,
)
