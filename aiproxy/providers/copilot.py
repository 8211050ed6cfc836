"""GitHub Copilot's chat, with the token that a GitHub login buys: Chat Completions, told who begins the turn.

Source: provider sheet copilot. The service asks which editor calls and for which integration: as editor we name ourselves,
and no integration, for we have none (`vscode-chat` is another's). Who has one names it in the credential file's `headers`.
Newer models of OpenAI's answer on `/responses` alone: the service's list of models says which (`supported_endpoints`), and so does
its refusal."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from uuid import uuid4

from aiproxy import __version__
from aiproxy.codecs import openai_chat, openai_responses
from aiproxy.credentials.api_key import ApiKey
from aiproxy.neutral.carried import Json
from aiproxy.pools.verdict import FaultRule, Scope
from aiproxy.providers import quota_answers
from aiproxy.providers.base import Endpoint, LoggedIn, Operation, Provider, Upstream, speaking
from aiproxy.providers.faults import COMMON
from aiproxy.providers.logins import account_of, text
from aiproxy.providers.openai_dialects import content_parts, messages
from aiproxy.providers.quota_question import QuotaQuestion
from aiproxy.providers.windows import copilot_windows
from aiproxy.secrets import Secret

FIRST_REST_NOT_IN_PLAN = 1800.0
"""Seconds. A plan changes when its owner changes it, or when the month ends."""

FIRST_REST_NO_MODEL = 43200.0
"""Seconds: half a day. Models come to a plan once in a while."""


RESPONSES_ALONE = ("*codex*", "gpt-5.[4-9]*")
"""As of August 2026. Of others the service says so itself, and is asked there then."""


def who_asks(body: Mapping[str, Json]) -> Mapping[str, str]:
    """Whether a person or a tool's result asks on (the first is what plans count), and whether there are images."""
    said = list(messages(body))
    initiator = "user" if not said or said[-1].get("role") == "user" else "agent"
    return _told(initiator, any(_has(each, "image_url") for each in said))


def who_asks_for_responses(body: Mapping[str, Json]) -> Mapping[str, str]:
    found = body.get("input")
    items = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    initiator = "user" if not items or items[-1].get("role") in ("user", "system", "developer") else "agent"
    return _told(initiator, any(_has(each, "input_image") for each in items))


def keep_nothing(body: dict[str, Json]) -> bool:
    """The service keeps no answers; what it thought it gives in its own cipher."""
    forced = {"store": False, "include": ["reasoning.encrypted_content"]}
    changed = any(body.get(name) != value for name, value in forced.items())
    body.update(forced)
    return changed


def _has(message: Mapping[str, Json], kind: str) -> bool:
    return any(part.get("type") == kind for part in content_parts(message.get("content")))


def _told(initiator: str, sees: bool) -> Mapping[str, str]:
    images = {"copilot-vision-request": "true"} if sees else {}
    return {"x-initiator": initiator, "x-request-id": str(uuid4()), **images}


def _accounts(login: LoggedIn) -> Iterable[Upstream]:
    """The exchange of tokens tells which address is the plan's."""
    found = replace(account_of(COPILOT, login, ("*",)), quota=_quota(login))
    address = text(login.record, "copilot_api_base").rstrip("/")
    yield found if login.base_url or not address else replace(found, base_url=address)


def _quota(login: LoggedIn) -> QuotaQuestion | None:
    """GitHub tells it to its own token. Where calls go to another address, GitHub isn't asked unless it is named."""
    url = login.quota_url or ("" if login.base_url else "https://api.github.com/copilot_internal/user")
    github = text(login.record, "github_token", "access_token")
    if not url or not github:
        return None
    return QuotaQuestion(url, quota_answers.copilot, credential=ApiKey(Secret(github), scheme="token "))


COPILOT = Provider(
    name="copilot",
    base_url="https://api.individual.githubcopilot.com",
    endpoints=(
        replace(speaking(openai_chat.CODEC, Operation.CHAT, "/chat/completions"), tells=who_asks),
        replace(
            speaking(openai_responses.CODEC, Operation.CHAT, "/responses", repairs=(keep_nothing,)),
            tells=who_asks_for_responses,
            keeps_answers=False,
            models=RESPONSES_ALONE,
        ),
        Endpoint(Operation.MODELS, "/models", openai_chat.WIRE),
    ),
    elsewhere="is not accessible via the /",
    accounts=_accounts,
    windows=copilot_windows,
    abilities={"developer_role": False, "freeform_tools": False},
    headers={
        "editor-version": f"aiproxy/{__version__}",
        "editor-plugin-version": f"aiproxy/{__version__}",
        "openai-intent": "conversation-panel",
    },
    faults=(
        FaultRule(
            statuses=frozenset((402, 403)),
            words=("quota_exceeded", "not enabled", "feature"),
            scope=Scope.ACCOUNT,
            rest=FIRST_REST_NOT_IN_PLAN,
        ),
        FaultRule(
            statuses=frozenset((400,)),
            words=("model_not_supported",),
            scope=Scope.MODEL,
            rest=FIRST_REST_NO_MODEL,
        ),
        *COMMON,
    ),
)
