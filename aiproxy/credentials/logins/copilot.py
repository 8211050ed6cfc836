"""GitHub Copilot: a GitHub token that lasts buys a token of an hour or less. Source: provider sheet copilot."""

from collections.abc import Mapping
from typing import Any

from aiproxy.credentials.exchange import Web, bearer, get, granted
from aiproxy.credentials.login import Changes, Client, Login
from aiproxy.credentials.record import Record
from aiproxy.credentials.times import moment, written
from aiproxy.credentials.token_endpoint import LIFETIME_UNSAID
from aiproxy.credentials.ways.desk import Content, Desk, Options, text_of
from aiproxy.credentials.ways.device import DeviceCode
from aiproxy.neutral.errors import CredentialRefused


async def exchange(login: Login, record: Record, web: Web, now: float) -> Changes:
    question = get(login.url("exchange"), (("authorization", f"token {record.text(*login.refresh)}"),))
    answer = await web.ask(question)
    if answer.status == 401:
        raise CredentialRefused(f"{question.host} refused the GitHub token of the account {record.id!r}: log in again.")
    if answer.status in (403, 404):
        raise CredentialRefused(f"{question.host}: the account {record.id!r} has no Copilot subscription.")
    reply = granted(question, answer, record.id, wanted="token")
    ends = moment(reply.get("expires_at")) or now + LIFETIME_UNSAID
    endpoints = reply.get("endpoints")
    base = endpoints.get("api") if isinstance(endpoints, dict) else None
    changes = {"copilot_token": reply["token"], "copilot_expire": written(ends), "last_refresh": written(now)}
    if isinstance(base, str) and base.startswith("https://"):
        changes["copilot_api_base"] = base
    if isinstance(reply.get("sku"), str):
        changes["sku"] = reply["sku"]
    return changes


async def _finish(login: Login, _content: Content, reply: Mapping[str, Any], desk: Desk, _options: Options) -> Content:
    """The first exchange proves the subscription."""
    token = str(reply["access_token"])
    content: Content = {"type": "copilot", "github_token": token, "scope": text_of(reply, "scope")}
    said = (await desk.ask(get(login.url("userinfo"), bearer(token)))).said
    about = {"username": text_of(said, "login"), "email": text_of(said, "email")}
    content |= {name: value for name, value in about.items() if value}
    return {**content, **await exchange(login, Record("", "copilot", content), desk, desk.now())}


COPILOT = Login(
    provider="copilot",
    types=("copilot", "github-copilot"),
    client=Client("Iv1.b507a08c87ecfe98"),
    renew=exchange,
    lead=5 * 60,
    base="https://api.individual.githubcopilot.com",
    urls={
        "device": "https://github.com/login/device/code",
        "token": "https://github.com/login/oauth/access_token",
        "userinfo": "https://api.github.com/user",
        "exchange": "https://api.github.com/copilot_internal/v2/token",
    },
    ways=(DeviceCode("read:user", finish=_finish),),
    access=("copilot_token",),
    refresh=("github_token", "access_token"),
    expires=("copilot_expire",),
    closed="GitHub's terms are for programs it supports. It has suspended Copilot for scripted use since 2025.",
)
