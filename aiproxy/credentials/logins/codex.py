"""ChatGPT accounts of Codex. Source: provider sheet codex; openai/codex, login crate."""

from collections.abc import Mapping
from typing import Any

from aiproxy.credentials.login import Changes, Client, Login
from aiproxy.credentials.record import Record
from aiproxy.credentials.refresh_grant import Refresh, openai_identity

DAY = 86400.0


def _who(reply: Mapping[str, Any], _record: Record) -> Changes:
    return openai_identity(reply.get("id_token"))


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
)
