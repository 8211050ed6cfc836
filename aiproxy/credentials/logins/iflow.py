"""iFlow accounts: a login, or a cookie of the platform, buys an API key, and it is the key that calls bear.

Source: provider sheet iflow."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiproxy.credentials.exchange import Web, get, granted, is_token, post_json, with_query
from aiproxy.credentials.login import Changes, Client, Login
from aiproxy.credentials.record import Record
from aiproxy.credentials.refresh_grant import Refresh
from aiproxy.credentials.times import CHINA, moment, written
from aiproxy.credentials.ways.browser import AuthorizationCode
from aiproxy.credentials.ways.desk import Content, Desk, LoginFailed, Options, Redirect
from aiproxy.neutral.errors import CredentialRefused

_BY_TOKEN = Refresh(authorized=True)

DAY = 86400.0

KEY_ENDS = "aiproxy_key_ends"
"""Where a file says when the key will end that is asked for next."""


async def _renew(login: Login, record: Record, web: Web, now: float) -> Changes:
    """A key that was had by a cookie is made anew by it. A login's new token is kept first, with the old key and its end."""
    if cookie := record.text("cookie"):
        return await key_by_cookie(login, cookie, record.id, web, now)
    changes = dict(await _BY_TOKEN(login, record, web, now))
    # What a login gives is no key yet, wherever the file has its key.
    (access, *_) = [changes.pop(path) for path in login.access if path in changes]
    (ends, *_) = [changes.pop(path) for path in login.expires if path in changes]
    return {**changes, "access_token": access, KEY_ENDS: ends}


async def _key(login: Login, record: Record, web: Web, now: float) -> Changes:  # noqa: ARG001 - a `Renew`
    """For a login's new token, its key."""
    if record.text("cookie"):
        return {}
    given = await key_of(login, record.text("access_token"), record.id, web)
    return {**login.write(record, given["api_key"], "", record.text(KEY_ENDS)), **given, KEY_ENDS: None}


async def key_of(login: Login, access: str, account: str, web: Web) -> Changes:
    question = get(with_query(login.url("userinfo"), {"accessToken": access}))
    answer = await web.ask(question)
    about = answer.said.get("data")
    about = about if isinstance(about, dict) else {}
    if not is_token(about.get("apiKey")):
        granted(question, answer, account, wanted="apiKey")  # says why not
    whose = about.get("email") or about.get("phone")
    return {"api_key": about.get("apiKey"), **({"email": whose} if isinstance(whose, str) else {})}


async def key_by_cookie(login: Login, cookie: str, account: str, web: Web, now: float) -> Changes:
    headers = (("cookie", cookie),)
    question = get(login.url("key"), headers)
    name = _data((await web.ask(question)).said).get("name")
    if not isinstance(name, str):
        raise CredentialRefused(f"{question.host} refused the cookie of the account {account!r}: log in there again.")
    question = post_json(login.url("key"), {"name": name}, headers)
    about = _data((await web.ask(question)).said)
    ends = moment(about.get("expireTime"), CHINA)
    if not is_token(about.get("apiKey")):
        raise CredentialRefused(f"{question.host} gave no key for the cookie of the account {account!r}.")
    return {
        "api_key": about["apiKey"],
        "email": name,
        "last_refresh": written(now),
        **({"expired": written(ends)} if ends else {}),
    }


async def _finish(login: Login, content: Content, reply: Mapping[str, Any], desk: Desk, _options: Options) -> Content:
    content = {**content, "access_token": reply["access_token"]}
    return {**content, **await key_of(login, reply["access_token"], login.provider, desk)}


@dataclass(frozen=True, slots=True)
class Cookie:
    """The platform's own cookie, copied from a browser that is logged in there. Only `BXAuth` of it is kept."""

    name: str = "cookie"

    async def __call__(self, login: Login, desk: Desk, options: Options) -> Content:  # noqa: ARG002 - a `Way`
        typed = await desk.enter("The cookie of platform.iflow.cn")
        found = re.search(r"BXAuth=([^;\s]+)", typed)
        if found is None:
            raise LoginFailed("There is no `BXAuth=…` in it. Copy the whole cookie of platform.iflow.cn.")
        cookie = f"BXAuth={found[1]};"
        return {
            "type": "iflow",
            "cookie": cookie,
            **await key_by_cookie(login, cookie, login.provider, desk, desk.now()),
        }


def _data(said: Mapping[str, Any]) -> Mapping[str, Any]:
    found = said.get("data")
    return found if isinstance(found, dict) else {}


_WHERE = "it belongs to iFlow's own program and isn't shipped with aiproxy; take it from iFlow CLI's installation."

IFLOW = Login(
    provider="iflow",
    types=("iflow",),
    client=Client("10009311001"),
    secret_from=_WHERE,
    renew=_renew,
    completes=_key,
    lead=DAY,
    base="https://apis.iflow.cn/v1",
    urls={
        "authorize": "https://iflow.cn/oauth?loginMethod=phone&type=phone",
        "token": "https://iflow.cn/oauth/token",
        "userinfo": "https://iflow.cn/api/oauth/getUserInfo",
        "key": "https://platform.iflow.cn/api/openapi/apikey",
    },
    ways=(
        AuthorizationCode(
            Redirect(11451, "/oauth2callback"), pkce=False, authorized=True, redirect_name="redirect", finish=_finish
        ),
        Cookie(),
    ),
    access=("api_key", "apiKey"),
    refresh=("refresh_token", "cookie"),
    closed="The vendor announced the end of the service in April 2026.",
)
