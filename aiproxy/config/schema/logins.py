"""Accounts that log in: as which program, and at which addresses."""

from dataclasses import dataclass

from aiproxy.config.schema.setting import setting
from aiproxy.secrets import Secret


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """The program that a vendor is told is asking, where accounts log in at it."""

    client_id: str = setting(
        "Its id; empty is the published one of the vendor's own program.", "", example="1234.apps.example"
    )
    client_secret: Secret = setting(
        "Its secret, for vendors whose clients have one.", factory=lambda: Secret(""), example="${GOOGLE_CLIENT_SECRET}"
    )


@dataclass(frozen=True, slots=True)
class UpstreamUrls:
    """Other addresses of one provider: a mirror's, a private deployment's. `{region}` stands for the account's region."""

    base_url: str = setting("Where its calls go.", "", example="https://mirror.example/v1")
    authorize_url: str = setting("The page on which a person logs in.", "", example="https://mirror.example/authorize")
    token_url: str = setting("Where tokens are given and renewed.", "", example="https://mirror.example/token")
    device_url: str = setting("Where a login by code begins.", "", example="https://mirror.example/device")
    verify_url: str = setting("The page on which the code is typed.", "", example="https://mirror.example/activate")
    userinfo_url: str = setting("Who the account is.", "", example="https://mirror.example/userinfo")
    exchange_url: str = setting(
        "Where Copilot gives its own token for GitHub's.", "", example="https://mirror.example/copilot/token"
    )
    quota_url: str = setting(
        "Where it tells what is left of an account's quota.", "", example="https://mirror.example/usage"
    )
    key_url: str = setting("Where iFlow gives an API key for a cookie.", "", example="https://mirror.example/apikey")
    social_url: str = setting(
        "Kiro's service for Google's and GitHub's accounts.", "", example="https://{region}.mirror.example"
    )
    start_url: str = setting("AWS's start page for Builder IDs.", "", example="https://mirror.example/start")
    onboard_url: str = setting(
        "Where Antigravity's accounts are given a project.", "", example="https://onboard.mirror.example"
    )
    projects_url: str = setting(
        "Google's list of an account's projects.", "", example="https://mirror.example/projects"
    )
    services_url: str = setting(
        "Where Google says whether a project has a service switched on.", "", example="https://services.mirror.example"
    )
