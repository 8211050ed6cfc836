"""The refresh that nearly every vendor has (RFC 6749 §6), with the differences there are as arguments."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiproxy.credentials.base import Headers
from aiproxy.credentials.exchange import Ask, Web, basic, claims, granted, is_token, post_form, post_json
from aiproxy.credentials.login import Changes, Client, Login
from aiproxy.credentials.record import Record
from aiproxy.credentials.times import seconds, written
from aiproxy.credentials.token_endpoint import LIFETIME_UNSAID

NO_HEADERS: Headers = ()


def _no_headers(_record: Record) -> Headers:
    return NO_HEADERS


def _nothing_more(_reply: Mapping[str, Any], _record: Record) -> Changes:
    return {}


@dataclass(frozen=True, slots=True)
class Refresh:
    """`in_json`: the body is JSON instead of a form. `authorized`: the client's id and secret go in a header too. `headers`
    and `more` are what else a vendor wants to hear, and what else it tells."""

    in_json: bool = False
    scope: str = ""
    authorized: bool = False
    headers: Callable[[Record], Headers] = _no_headers
    more: Callable[[Mapping[str, Any], Record], Changes] = _nothing_more

    async def __call__(self, login: Login, record: Record, web: Web, now: float) -> Changes:
        client = login.needs_secret(record)
        question = self._question(login, client, record)
        reply = granted(question, await web.ask(question), record.id)
        return {**adopted(login, record, reply, now), **self.more(reply, record)}

    def _question(self, login: Login, client: Client, record: Record) -> Ask:
        form = {"grant_type": "refresh_token", "refresh_token": record.text(*login.refresh), "client_id": client.id}
        if client.secret:
            form["client_secret"] = client.secret.reveal()
        if self.scope:
            form["scope"] = self.scope
        headers = self.headers(record)
        if self.authorized:
            headers = (*headers, *basic(client.id, client.secret.reveal()))
        make = post_json if self.in_json else post_form
        return make(login.url("token"), form, headers)


def adopted(login: Login, record: Record, reply: Mapping[str, Any], now: float) -> Changes:
    """A token endpoint's answer as changes of a record. A refresh token that isn't given anew stays."""
    lifetime = seconds(reply.get("expires_in"), LIFETIME_UNSAID)
    refresh = reply.get("refresh_token")
    changes = dict(
        login.write(record, reply["access_token"], str(refresh) if is_token(refresh) else "", written(now + lifetime))
    )
    changes["last_refresh"] = written(now)
    if is_token(reply.get("id_token")):
        changes["id_token"] = reply["id_token"]
    also = {"expires_in": lifetime, "timestamp": int(now * 1000)}
    return {**changes, **{name: value for name, value in also.items() if record.get(name) is not None}}


def openai_identity(id_token: object) -> Changes:
    """What OpenAI's identity token says of the account."""
    found = claims(id_token)
    about = found.get("https://api.openai.com/auth")
    about = about if isinstance(about, dict) else {}
    values = {
        "email": found.get("email"),
        "account_id": about.get("chatgpt_account_id"),
        "plan_type": about.get("chatgpt_plan_type"),
    }
    return {name: value for name, value in values.items() if isinstance(value, str) and value}
