"""Kiro accounts: Google's or GitHub's by Kiro's own service, AWS Builder IDs and identity centres by AWS's, and those of an
organisation's own identity provider by that one.

Source: provider sheets kiro, kiro-second-source; pull requests of third-party clients for `external_idp`."""

from dataclasses import dataclass

from aiproxy.config.urls import is_private
from aiproxy.credentials.exchange import Web, granted, is_token, post_form, post_json, with_query
from aiproxy.credentials.login import Changes, Client, Login
from aiproxy.credentials.logins.kiro_profiles import find_profile, kind, with_profile
from aiproxy.credentials.record import Record
from aiproxy.credentials.times import seconds, written
from aiproxy.credentials.ways.browser import VERIFIER_BYTES, ask_for_code, challenge
from aiproxy.credentials.ways.desk import Content, Desk, Options, Redirect, text_of
from aiproxy.credentials.ways.device import AwsDevice
from aiproxy.neutral.errors import CredentialRefused

LIFETIME = 3600.0

OWN_ADDRESS = "kiro://kiro.kiroAgent/authenticate-success"


CALLBACK_PORTS = (19876, 19877, 19878, 19879, 19880)
CALLBACK_PATHS = ("/oauth/callback", "/authenticate-success")


def login_region(record: Record) -> str:
    return record.text("idcRegion", "idc_region", "region") or "us-east-1"


async def _renew(login: Login, record: Record, web: Web, now: float) -> Changes:
    form = {"refreshToken": record.text(*login.refresh)}
    match kind(record):
        case "external_idp":
            return await _renew_elsewhere(login, record, web, now)
        case "social":
            question = post_json(login.url("social").replace("{region}", login_region(record)) + "/refreshToken", form)
        case _:
            client, secret = record.text("clientId", "client_id"), record.text("clientSecret", "client_secret")
            if not client or not secret:
                raise CredentialRefused(
                    f"The account {record.id!r} lacks its client registration (`clientId`, `clientSecret`)."
                )
            form |= {"clientId": client, "clientSecret": secret, "grantType": "refresh_token"}
            question = post_json(login.url("token").replace("{region}", login_region(record)) + "/token", form)
    reply = granted(question, await web.ask(question), record.id, wanted="accessToken")
    given = reply.get("refreshToken")
    ends = written(now + seconds(reply.get("expiresIn"), LIFETIME))
    changes = dict(login.write(record, reply["accessToken"], str(given) if is_token(given) else "", ends))
    if isinstance(reply.get("profileArn"), str):
        changes["profile_arn" if record.get("access_token") is not None else "profileArn"] = reply["profileArn"]
    return changes


async def _renew_elsewhere(login: Login, record: Record, web: Web, now: float) -> Changes:
    """At the organisation's identity provider (Entra ID, Okta), as a public client. The file says where that is."""
    url, client = record.text("tokenEndpoint", "token_endpoint"), record.text("clientId", "client_id")
    if not is_private(url) or not client:
        raise CredentialRefused(
            f"The account {record.id!r} lacks its identity provider (`tokenEndpoint`, an https address, and `clientId`)."
        )
    form = {"grant_type": "refresh_token", "refresh_token": record.text(*login.refresh), "client_id": client}
    scopes = record.get("scopes") or record.get("scope")
    if scope := " ".join(map(str, scopes)) if isinstance(scopes, list) else scopes:
        form["scope"] = str(scope)
    question = post_form(url, form)
    reply = granted(question, await web.ask(question), record.id)
    given = reply.get("refresh_token")
    ends = written(now + seconds(reply.get("expires_in"), LIFETIME))
    return login.write(record, reply["access_token"], str(given) if is_token(given) else "", ends)


@dataclass(frozen=True, slots=True)
class Social:
    """Google's and GitHub's accounts, by Kiro's own service. It sends the browser to an address of Kiro's program
    (`kiro://…`), which nothing here can listen on: the person copies it from the browser, or a program that opens such
    addresses passes its query on to one of `CALLBACK_PORTS`."""

    name: str = "browser"

    async def __call__(self, login: Login, desk: Desk, options: Options) -> Content:
        ports = (options.port,) if options.port else CALLBACK_PORTS
        redirect = Redirect(ports[0], CALLBACK_PATHS[0], OWN_ADDRESS, ports[1:], CALLBACK_PATHS[1:])
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


@dataclass(frozen=True, slots=True)
class Organisation:
    """AWS Builder IDs and identity centres; the latter with their profile."""

    device: AwsDevice
    name: str = "device"

    async def __call__(self, login: Login, desk: Desk, options: Options) -> Content:
        return await with_profile(login, await self.device(login, desk, options), desk)


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
    completes=find_profile,
    ways=(Social(), Organisation(AwsDevice(SCOPES, LIFETIME))),
    access=("accessToken", "access_token"),
    refresh=("refreshToken", "refresh_token"),
    expires=("expiresAt", "expires_at"),
    closed="AWS means Kiro's back end for Kiro. Since 2026 it has locked many accounts that were used by other programs.",
)
