"""Google accounts of Gemini CLI and Antigravity. Source: gemini-cli's code_assist/oauth2.ts; provider sheets gemini-cli,
antigravity."""

from aiproxy.credentials.login import Client, Login
from aiproxy.credentials.refresh_grant import Refresh
from aiproxy.credentials.ways.browser import AuthorizationCode
from aiproxy.credentials.ways.desk import Redirect
from aiproxy.credentials.ways.google import CodeAssist

_WHERE = (
    "it belongs to Google's own program ({program}) and isn't shipped with aiproxy; take it from that program's {where}, "
    "or register a client of your own at https://console.cloud.google.com/apis/credentials."
)

_TOKEN_URL = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address

_SCOPES = ("cloud-platform", "userinfo.email", "userinfo.profile")


def _scope(*names: str) -> str:
    return " ".join(f"https://www.googleapis.com/auth/{name}" for name in names)


_OFFLINE = {"access_type": "offline", "prompt": "consent"}

_GEMINI = {"ideType": "IDE_UNSPECIFIED", "platform": "PLATFORM_UNSPECIFIED", "pluginType": "GEMINI"}

_CLOSED = (
    "Google's terms forbid other programs on this login. It has suspended accounts for it since February 2026. Use an API key "
    "(`gemini-api-key`) or Vertex AI (`vertex-api-key`)."
)

GEMINI_CLI = Login(
    provider="gemini-cli",
    types=("gemini", "gemini-cli"),
    client=Client("681255809395-oo8ft2oprdrnp9e3aqf6av3hmdib135j.apps.googleusercontent.com"),
    secret_from=_WHERE.format(program="Gemini CLI", where="source, packages/core/src/code_assist/oauth2.ts"),
    renew=Refresh(),
    lead=300,
    closed=_CLOSED,
    base="https://cloudcode-pa.googleapis.com",
    urls={
        "authorize": "https://accounts.google.com/o/oauth2/v2/auth",
        "token": _TOKEN_URL,
        "userinfo": "https://www.googleapis.com/oauth2/v1/userinfo?alt=json",
        "projects": "https://cloudresourcemanager.googleapis.com/v1/projects",
        "services": "https://serviceusage.googleapis.com",
    },
    ways=(
        AuthorizationCode(
            Redirect(8085, "/oauth2callback"),
            _scope(*_SCOPES),
            _OFFLINE,
            finish=CodeAssist(_GEMINI, _GEMINI, "legacy-tier", "", ""),
        ),
    ),
    access=("token.access_token", "access_token"),
    refresh=("token.refresh_token", "refresh_token"),
    expires=("token.expiry", "expiry", "expired", "expiry_date"),
)

ANTIGRAVITY = Login(
    provider="antigravity",
    types=("antigravity",),
    client=Client("1071006060591-tmhssin2h21lcre235vtolojh4g403ep.apps.googleusercontent.com"),
    secret_from=_WHERE.format(program="Antigravity", where="installation"),
    renew=Refresh(),
    lead=300,
    closed=_CLOSED,
    base="https://daily-cloudcode-pa.googleapis.com",
    urls={
        "authorize": "https://accounts.google.com/o/oauth2/v2/auth",
        "token": _TOKEN_URL,
        "userinfo": "https://www.googleapis.com/oauth2/v2/userinfo?alt=json",
        "onboard": "https://cloudcode-pa.googleapis.com",
    },
    ways=(
        AuthorizationCode(
            Redirect(51121, "/oauth-callback"),
            _scope(*_SCOPES, "cclog", "experimentsandconfigs"),
            _OFFLINE,
            finish=CodeAssist(
                {"ideType": "ANTIGRAVITY"}, {"ide_type": "ANTIGRAVITY"}, "free-tier", "onboard", "", tier_word="tier_id"
            ),
        ),
    ),
)
