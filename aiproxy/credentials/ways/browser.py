"""Authorization code (RFC 6749 §4.1), with a proof of who began it (PKCE, RFC 7636) where the vendor takes one."""

import base64
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from aiproxy.credentials.exchange import basic, granted, post_form, post_json, with_query
from aiproxy.credentials.login import Login
from aiproxy.credentials.record import Record
from aiproxy.credentials.refresh_grant import adopted
from aiproxy.credentials.ways.desk import Content, Desk, LoginFailed, Options, Redirect, read_callback

VERIFIER_BYTES = 96
"""128 characters, the longest that RFC 7636 allows."""

STATE_BYTES = 24

Finish = Callable[[Login, Content, Mapping[str, Any], Desk, Options], Coroutine[Any, Any, Content]]
"""What else is asked for once there are tokens: who the account is, its projects. Gets the token endpoint's answer."""


async def nothing_more(
    _login: Login, content: Content, _reply: Mapping[str, Any], _desk: Desk, _options: Options
) -> Content:
    return content


@dataclass(frozen=True, slots=True)
class AuthorizationCode:
    """`redirect_name` is what the address to come back to is called. `in_json`, `authorized`: as for `Refresh`. `says_state`:
    the exchange repeats it."""

    redirect: Redirect
    scope: str = ""
    more: Mapping[str, str] = field(default_factory=dict, hash=False)
    pkce: bool = True
    in_json: bool = False
    authorized: bool = False
    says_state: bool = False
    redirect_name: str = "redirect_uri"
    finish: Finish = nothing_more
    name: str = "browser"

    async def __call__(self, login: Login, desk: Desk, options: Options) -> Content:
        client = login.needs_secret()
        redirect = Redirect(options.port or self.redirect.port, self.redirect.path, self.redirect.url)
        verifier, state = desk.random(VERIFIER_BYTES), desk.random(STATE_BYTES)
        query = {
            **self.more,
            "client_id": client.id,
            "response_type": "code",
            self.redirect_name: redirect.address(),
            "state": state,
        }
        if self.scope:
            query["scope"] = self.scope
        if self.pkce:
            query |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
        code = await ask_for_code(desk, with_query(login.url("authorize"), query), redirect, state)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "client_id": client.id,
            "redirect_uri": redirect.address(),
        }
        if client.secret:
            form["client_secret"] = client.secret.reveal()
        if self.pkce:
            form["code_verifier"] = verifier
        if self.says_state:
            form["state"] = state
        headers = basic(client.id, client.secret.reveal()) if self.authorized else ()
        question = (post_json if self.in_json else post_form)(login.url("token"), form, headers)
        reply = granted(question, await desk.ask(question), login.provider)
        return await self.finish(login, opened(login, reply, desk.now()), reply, desk, options)


async def ask_for_code(desk: Desk, url: str, redirect: Redirect, state: str) -> str:
    """What the vendor sends the browser back with. A foreign state is somebody else's login: it is passed over."""

    def judge(text: str) -> str:
        found = read_callback(text)
        if found.state != state:
            return "This isn't the answer to the login that was begun here (its state is another)."
        return "" if found.code or found.error else "There is no code in this address."

    found = read_callback(await desk.callback(url, redirect, judge))
    if found.error:
        raise LoginFailed(f"The vendor ended the login: {found.error[:200]}")
    return found.code


def opened(login: Login, reply: Mapping[str, Any], now: float) -> Content:
    """A new file with a token endpoint's answer."""
    blank = Record("", login.types[0], {"type": login.types[0]})
    return dict(blank.with_changes(adopted(login, blank, reply, now)).content)


def challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
