"""Kiro accounts: Google's or GitHub's by Kiro's own service, AWS Builder IDs and identity centres by AWS's.

Source: provider sheets kiro, kiro-second-source."""

from dataclasses import dataclass

from aiproxy.credentials.exchange import Web, granted, is_token, post_json, with_query
from aiproxy.credentials.login import Changes, Client, Login
from aiproxy.credentials.record import Record
from aiproxy.credentials.times import seconds, written
from aiproxy.credentials.ways.browser import VERIFIER_BYTES, ask_for_code, challenge
from aiproxy.credentials.ways.desk import Content, Desk, Options, Redirect, text_of
from aiproxy.credentials.ways.device import AwsDevice
from aiproxy.neutral.errors import CredentialRefused

LIFETIME = 3600.0


def region(record: Record) -> str:
    """Of the service: the profile's, where one is known."""
    parts = record.text("profileArn", "profile_arn").split(":")
    return parts[3] if len(parts) > 3 and parts[3] else record.text("region") or "us-east-1"


def login_region(record: Record) -> str:
    return record.text("idcRegion", "idc_region", "region") or "us-east-1"


def is_social(record: Record) -> bool:
    method = record.text("authMethod", "auth_method").lower()
    return method == "social" or (not method and not record.text("clientSecret", "client_secret"))


async def _renew(login: Login, record: Record, web: Web, now: float) -> Changes:
    old = record.text(*login.refresh)
    if record.text("authMethod", "auth_method").lower() == "external_idp":
        raise CredentialRefused(
            f"The account {record.id!r} belongs to another identity provider; that is not supported."
        )
    if is_social(record):
        question = post_json(login.url("social").replace("{region}", login_region(record)) + "/refreshToken", {"refreshToken": old})  # fmt: skip
    else:
        client, secret = record.text("clientId", "client_id"), record.text("clientSecret", "client_secret")
        if not client or not secret:
            raise CredentialRefused(
                f"The account {record.id!r} lacks its client registration (`clientId`, `clientSecret`)."
            )
        form = {"refreshToken": old, "clientId": client, "clientSecret": secret, "grantType": "refresh_token"}
        question = post_json(login.url("token").replace("{region}", login_region(record)) + "/token", form)
    reply = granted(question, await web.ask(question), record.id, wanted="accessToken")
    given = reply.get("refreshToken")
    ends = written(now + seconds(reply.get("expiresIn"), LIFETIME))
    changes = dict(login.write(record, reply["accessToken"], str(given) if is_token(given) else "", ends))
    if isinstance(reply.get("profileArn"), str):
        changes["profile_arn" if record.get("access_token") is not None else "profileArn"] = reply["profileArn"]
    return changes


@dataclass(frozen=True, slots=True)
class Social:
    """Google's and GitHub's accounts, by Kiro's own service. It sends the browser to an address of Kiro's program, which
    nothing here can listen on: the person copies it from the browser."""

    name: str = "browser"

    async def __call__(self, login: Login, desk: Desk, options: Options) -> Content:
        redirect = Redirect(0, "", "kiro://kiro.kiroAgent/authenticate-success")
        provider = {"google": "Google", "github": "Github"}.get(options.identity.lower(), "Google")
        verifier, state = desk.random(VERIFIER_BYTES), desk.random(16)
        base = login.url("social").replace("{region}", "us-east-1")
        query = {
            "idp": provider,
            "redirect_uri": redirect.address(),
            "code_challenge": challenge(verifier),
            "code_challenge_method": "S256",
            "state": state,
        }
        code = await ask_for_code(desk, with_query(f"{base}/login", query), redirect, state)
        form = {"code": code, "code_verifier": verifier, "redirect_uri": redirect.address()}
        question = post_json(f"{base}/oauth/token", form)
        reply = granted(question, await desk.ask(question), login.provider, wanted="accessToken")
        content: Content = {
            "type": "kiro",
            "accessToken": reply["accessToken"],
            "refreshToken": text_of(reply, "refreshToken"),
            "expiresAt": written(desk.now() + seconds(reply.get("expiresIn"), LIFETIME)),
            "authMethod": "social",
            "provider": provider,
            "region": "us-east-1",
        }
        return {**content, **({"profileArn": arn} if (arn := text_of(reply, "profileArn")) else {})}


SCOPES = ("codewhisperer:completions", "codewhisperer:analysis", "codewhisperer:conversations")

KIRO = Login(
    provider="kiro",
    types=("kiro",),
    client=Client(""),
    renew=_renew,
    lead=600,
    base="https://q.{region}.amazonaws.com",
    urls={
        "social": "https://prod.{region}.auth.desktop.kiro.dev",
        "token": "https://oidc.{region}.amazonaws.com",
        "start": "https://view.awsapps.com/start",
    },
    ways=(Social(), AwsDevice(SCOPES, LIFETIME)),
    access=("accessToken", "access_token"),
    refresh=("refreshToken", "refresh_token"),
    expires=("expiresAt", "expires_at"),
    closed="AWS means Kiro's back end for Kiro. Since 2026 it has locked many accounts that were used by other programs.",
)
