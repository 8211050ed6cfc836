"""A code that is typed on the vendor's page, on any device (RFC 8628), and what OpenAI and AWS make of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiproxy.credentials.base import Headers
from aiproxy.credentials.exchange import Answer, Ask, error_code, granted, post_form, post_json
from aiproxy.credentials.login import Login
from aiproxy.credentials.times import seconds, written
from aiproxy.credentials.ways.browser import VERIFIER_BYTES, Finish, challenge, nothing_more, opened
from aiproxy.credentials.ways.desk import Content, Desk, LoginFailed, Options, text_of
from aiproxy.neutral.errors import GatewayError, UpstreamFailed

GRANT = "urn:ietf:params:oauth:grant-type:device_code"

SHORTEST_PAUSE, UNSAID_PAUSE, SLOWER_BY = 1.0, 5.0, 5.0
"""Seconds between questions whether the code was typed: never less, where nobody says, and more when told to slow down."""

LONGEST_WAIT = 900.0
"""Seconds a code is waited for, whatever it may live."""

PENDING = ("authorization_pending", "AuthorizationPendingException")
SLOW_DOWN = ("slow_down", "SlowDownException")


async def wait_for(
    desk: Desk, question: Ask, interval: float, lasts: float, pending: Callable[[Answer], str]
) -> Answer:
    """Ask until there is an answer that isn't `pending` ("", else the code of what is awaited)."""
    pause, until = max(interval, SHORTEST_PAUSE), desk.now() + min(lasts, LONGEST_WAIT)
    while desk.now() < until:
        await desk.pause(pause)
        try:
            answer = await desk.ask(question)
        except GatewayError as error:
            desk.tell(f"{error.message} Trying again.")
            continue
        code = pending(answer)
        if not code:
            return answer
        pause += SLOWER_BY if code in SLOW_DOWN else 0
    raise LoginFailed("The code wasn't typed in time. Begin again.")


def _pending(answer: Answer) -> str:
    code = error_code(answer)
    if code in ("expired_token", "ExpiredTokenException"):
        raise LoginFailed("The code has expired. Begin again.")
    if code in ("access_denied", "AccessDeniedException"):
        raise LoginFailed("The login was refused on the vendor's page.")
    return code if code in (*PENDING, *SLOW_DOWN) else ""


def _no_headers(_device: str) -> Headers:
    return ()


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """`headers` are of a device's id, for vendors that want one made."""

    scope: str = ""
    pkce: bool = False
    headers: Callable[[str], Headers] = _no_headers
    finish: Finish = nothing_more
    name: str = "device"

    async def __call__(self, login: Login, desk: Desk, options: Options) -> Content:
        client = login.needs_secret()
        device = desk.random(16)
        headers = self.headers(device)
        form = {"client_id": client.id}
        if self.scope:
            form["scope"] = self.scope
        verifier = desk.random(VERIFIER_BYTES) if self.pkce else ""
        if verifier:
            form |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
        question = post_form(login.url("device"), form, headers)
        begun = granted(question, await desk.ask(question), login.provider, wanted="device_code")
        page = text_of(begun, "verification_uri_complete", "verification_uri")
        lasts = seconds(begun.get("expires_in"), LONGEST_WAIT)
        await desk.visit(page, text_of(begun, "user_code"), lasts)
        form = {"grant_type": GRANT, "client_id": client.id, "device_code": begun["device_code"]}
        if verifier:
            form["code_verifier"] = verifier
        question = post_form(login.url("token"), form, headers)
        answer = await wait_for(desk, question, seconds(begun.get("interval"), UNSAID_PAUSE), lasts, _pending)
        reply = granted(question, answer, login.provider)
        content = opened(login, reply, desk.now())
        if headers:
            content["device_id"] = device
        return await self.finish(login, content, reply, desk, options)


@dataclass(frozen=True, slots=True)
class CodexDevice:
    """OpenAI's own: the answer is an authorization code with its proof."""

    finish: Callable[[Mapping[str, Any], Content], Content]
    name: str = "device"

    async def __call__(self, login: Login, desk: Desk, options: Options) -> Content:  # noqa: ARG002 - a `Way`
        base = login.url("device")
        question = post_json(f"{base}/usercode", {"client_id": login.client.id})
        answer = await desk.ask(question)
        if answer.status == 404:
            raise LoginFailed("OpenAI doesn't offer a login by code here. Use the browser.")
        begun = granted(question, answer, login.provider, wanted="device_auth_id")
        code = text_of(begun, "user_code", "usercode")
        await desk.visit(login.url("verify"), code, LONGEST_WAIT)
        question = post_json(f"{base}/token", {"device_auth_id": begun["device_auth_id"], "user_code": code})

        def pending(answer: Answer) -> str:
            return PENDING[0] if answer.status in (403, 404) else ""

        interval = seconds(begun.get("interval"), UNSAID_PAUSE)
        given = granted(question, await wait_for(desk, question, interval, LONGEST_WAIT, pending), login.provider, "authorization_code")  # fmt: skip
        form = {
            "grant_type": "authorization_code",
            "client_id": login.client.id,
            "code": given["authorization_code"],
            "code_verifier": text_of(given, "code_verifier"),
            "redirect_uri": base.removesuffix("/api/accounts/deviceauth") + "/deviceauth/callback",
        }
        question = post_form(login.url("token"), form)
        reply = granted(question, await desk.ask(question), login.provider)
        return self.finish(reply, opened(login, reply, desk.now()))


@dataclass(frozen=True, slots=True)
class AwsDevice:
    """AWS Builder IDs and identity centres: the program registers itself first."""

    scopes: tuple[str, ...]
    lifetime: float
    name: str = "device"

    async def __call__(self, login: Login, desk: Desk, options: Options) -> Content:
        region = options.region or "us-east-1"
        base = login.url("token").replace("{region}", region)
        wanted = {"clientName": "aiproxy", "clientType": "public", "scopes": list(self.scopes)}
        question = post_json(f"{base}/client/register", wanted)
        client = granted(question, await desk.ask(question), login.provider, wanted="clientId")
        us = {"clientId": client["clientId"], "clientSecret": text_of(client, "clientSecret")}
        start = options.start_url or login.url("start")
        question = post_json(f"{base}/device_authorization", {**us, "startUrl": start})
        begun = granted(question, await desk.ask(question), login.provider, wanted="deviceCode")
        interval, lasts = seconds(begun.get("interval"), UNSAID_PAUSE), seconds(begun.get("expiresIn"), LONGEST_WAIT)
        page = text_of(begun, "verificationUriComplete", "verificationUri")
        await desk.visit(page, text_of(begun, "userCode"), lasts)
        question = post_json(f"{base}/token", {**us, "deviceCode": begun["deviceCode"], "grantType": GRANT})
        answer = await wait_for(desk, question, interval, lasts, _pending)
        reply = granted(question, answer, login.provider, wanted="accessToken")
        if not isinstance(reply.get("refreshToken"), str):
            raise UpstreamFailed("AWS gave no refresh token.")
        return {
            "type": "kiro",
            "accessToken": reply["accessToken"],
            "refreshToken": reply["refreshToken"],
            "expiresAt": written(desk.now() + seconds(reply.get("expiresIn"), self.lifetime)),
            "authMethod": "IdC" if options.start_url else "builder-id",
            "region": region,
            "idcRegion": region,
            "startUrl": start,
            **us,
        }
