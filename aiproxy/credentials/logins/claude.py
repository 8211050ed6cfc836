"""Claude subscriptions. Source: provider sheet claude; Claude Code's documentation on authentication."""

from aiproxy.credentials.login import Client, Login
from aiproxy.credentials.refresh_grant import Refresh

SCOPE = "user:profile user:inference user:sessions:claude_code user:mcp_servers user:file_upload"

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
    closed="Anthropic's consumer terms reserve subscription logins for its own programs; since January 2026 it refuses "
    "other programs' requests on them. Use an API key (`claude-api-key`).",
)
