"""ChatGPT accounts of Codex. Source: provider sheet codex; openai/codex, login crate."""

from collections.abc import Mapping
from typing import Any

from aiproxy.credentials.login import Changes, Client, Login
from aiproxy.credentials.record import Record
from aiproxy.credentials.refresh_grant import Refresh, openai_identity
from aiproxy.credentials.ways.browser import AuthorizationCode
from aiproxy.credentials.ways.desk import Content, Desk, Options, Redirect
from aiproxy.credentials.ways.device import CodexDevice

DAY = 86400.0


def _who(reply: Mapping[str, Any], _record: Record) -> Changes:
    return openai_identity(reply.get("id_token"))


def _named(reply: Mapping[str, Any], content: Content) -> Content:
    return {**content, **openai_identity(reply.get("id_token"))}


async def _finish(_login: Login, content: Content, reply: Mapping[str, Any], _desk: Desk, _options: Options) -> Content:
    return _named(reply, content)


CODEX = Login(
    provider="codex",
    types=("codex",),
    client=Client("app_EMoamEEZ73f0CkXaXp7hrann"),
    renew=Refresh(scope="openid profile email", more=_who),
    lead=5 * DAY,
    base="https://chatgpt.com/backend-api/codex",
    urls={
        "authorize": "https://auth.openai.com/oauth/authorize",
        "token": "https://auth.openai.com/oauth/token",
        "device": "https://auth.openai.com/api/accounts/deviceauth",
        "verify": "https://auth.openai.com/codex/device",
    },
    ways=(
        AuthorizationCode(
            Redirect(1455, "/auth/callback"),
            "openid email profile offline_access",
            {"prompt": "login", "id_token_add_organizations": "true", "codex_cli_simplified_flow": "true"},
            finish=_finish,
        ),
        CodexDevice(_named),
    ),
)
