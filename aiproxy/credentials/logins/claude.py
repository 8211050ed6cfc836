"""Claude subscriptions. Source: provider sheet claude; Claude Code's documentation on authentication."""

from collections.abc import Mapping
from typing import Any

from aiproxy.credentials.login import Client, Login
from aiproxy.credentials.refresh_grant import Refresh
from aiproxy.credentials.ways.browser import AuthorizationCode
from aiproxy.credentials.ways.desk import Content, Desk, Options, Redirect, text_of

SCOPE = "user:profile user:inference user:sessions:claude_code user:mcp_servers user:file_upload"


async def _finish(_login: Login, content: Content, reply: Mapping[str, Any], _desk: Desk, _options: Options) -> Content:
    about = {
        "email": text_of(reply, "account.email_address"),
        "account_uuid": text_of(reply, "account.uuid"),
        "organization_uuid": text_of(reply, "organization.uuid"),
        "organization_name": text_of(reply, "organization.name"),
    }
    return {**content, **{name: value for name, value in about.items() if value}}


CLAUDE = Login(
    provider="claude",
    types=("claude",),
    client=Client("9d1c250a-e61b-44d9-88ed-5944d1962f5e"),
    renew=Refresh(in_json=True, scope=SCOPE),
    lead=4 * 3600,
    base="https://api.anthropic.com",
    urls={
        "authorize": "https://claude.ai/oauth/authorize",
        "token": "https://platform.claude.com/v1/oauth/token",
        "userinfo": "https://api.anthropic.com/api/oauth/profile",
    },
    ways=(
        AuthorizationCode(
            Redirect(54545, "/callback"), SCOPE, {"code": "true"}, in_json=True, says_state=True, finish=_finish
        ),
    ),
    closed="Anthropic's consumer terms allow the logins of Free, Pro and Max plans in Claude Code and Claude.ai only. It has refused "
    "other programs' requests since January 2026, and for all of them since April 2026. Use an API key (`claude-api-key`).",
)
