"""Qwen Code's portal, with the login of chat.qwen.ai: Chat Completions with one system message that may be cached.

Source: provider sheet qwen. The vendor closed the free tier in April 2026; other deployments of the portal live on. Left out
as disguise: Qwen Code's client string and its SDK's headers."""

from collections.abc import Iterable
from dataclasses import replace

from aiproxy import __version__
from aiproxy.codecs import openai_chat
from aiproxy.neutral.carried import Json
from aiproxy.pools.verdict import FaultRule, Scope
from aiproxy.providers.base import LoggedIn, Operation, Provider, Upstream, speaking
from aiproxy.providers.faults import COMMON
from aiproxy.providers.logins import account_of, text
from aiproxy.providers.openai_dialects import content_parts, messages

FIRST_REST_EXHAUSTED = 3600.0
"""Seconds. The quota is a day's, and no header says when the day ends."""

A_MINUTE = 60
"""Calls of an account within any minute, in each process: unless its file says otherwise: the pace that CLIProxyAPI keeps
with the portal."""

CACHED = {"type": "ephemeral"}


def one_system_message(body: dict[str, Json]) -> bool:
    """First and alone, its parts all the instructions there are; the first one is where the portal's cache ends, and it
    wants one."""
    found = list(messages(body))
    instructions = [each for each in found if each.get("role") in ("system", "developer")]
    parts = [part for each in instructions for part in content_parts(each.get("content"))]
    first, *rest = parts or [{"type": "text", "text": ""}]
    system = {"role": "system", "content": [{**first, "cache_control": CACHED}, *rest]}
    said = [system, *(each for each in found if each not in instructions)]
    if said == found:
        return False
    body["messages"] = said
    return True


def _accounts(login: LoggedIn) -> Iterable[Upstream]:
    """A file tells the portal that its token is for."""
    found = account_of(QWEN, login, ("qwen*", "coder-model", "vision-model"))
    found = replace(found, per_minute=found.per_minute or A_MINUTE)
    resource = text(login.record, "resource_url").rstrip("/")
    if not resource or login.base_url or text(login.record, "base_url"):
        yield found
        return
    address = resource if "://" in resource else f"https://{resource}"
    yield replace(found, base_url=address if address.endswith("/v1") else f"{address}/v1")


QWEN = Provider(
    name="qwen",
    base_url="https://portal.qwen.ai/v1",
    endpoints=(speaking(openai_chat.CODEC, Operation.CHAT, "/chat/completions", repairs=(one_system_message,)),),
    accounts=_accounts,
    vendor="qwen",
    abilities={"developer_role": False, "freeform_tools": False},
    models=("coder-model", "qwen3-coder-plus", "qwen3-coder-flash", "vision-model"),
    headers={
        "x-dashscope-cachecontrol": "enable",
        "x-dashscope-authtype": "qwen-oauth",
        "x-dashscope-useragent": f"aiproxy/{__version__}",
    },
    faults=(
        FaultRule(
            statuses=frozenset((403, 429)),
            words=("insufficient_quota", "quota_exceeded", "quota exceeded"),
            scope=Scope.ACCOUNT,
            rest=FIRST_REST_EXHAUSTED,
        ),
        *COMMON,
    ),
)
