"""Whether an account's vendor serves it: one question that costs nothing, its list of models or what is left of a quota."""

import json
import time
from collections.abc import Sequence

import orjson

from aiproxy.codecs.failures import error_of
from aiproxy.config.schema import Settings, UpstreamUrls
from aiproxy.config.service_account import private_key, read_service_account
from aiproxy.credentials.api_key import ApiKey
from aiproxy.credentials.base import Way
from aiproxy.credentials.exchange import Answer, Ask, Web, granted, post_form
from aiproxy.credentials.login import Login
from aiproxy.credentials.record import Record, Unreadable
from aiproxy.credentials.service_account import GRANT, assertion
from aiproxy.credentials.times import written
from aiproxy.gateway.upstream_headers import headers_for
from aiproxy.neutral.errors import GatewayError
from aiproxy.pools.quota import Window
from aiproxy.providers.base import LoggedIn, Operation, Provider, Upstream
from aiproxy.secrets import Secret

MOST_WINDOWS = 5
"""Quotas that are shown, the fullest first."""


class Refused(Exception):
    """What the vendor said instead of an answer. `stale`: it won't have the token."""

    def __init__(self, words: str, *, stale: bool) -> None:
        super().__init__(words)
        self.stale = stale


async def ask_vendor(provider: Provider, login: Login, record: Record, settings: Settings, web: Web, way: Way) -> str:
    """What it says, in words; "" where it has no such question. Raises `Refused` and `GatewayError`."""
    urls = settings.upstreams.get(login.provider, UpstreamUrls())
    token = await _token(login, record, web)
    assert provider.accounts is not None
    try:
        made = list(
            provider.accounts(LoggedIn(record.id, record.content, ApiKey(token), urls.base_url, urls.quota_url))
        )
    except ValueError as error:
        raise Unreadable(str(error)) from None
    if login.signing is not None:
        return f"{made[0].base_url.split('/')[2]} is where its calls go; Google gave it a token"
    return await _asked(made[0], web, way) if made else ""


async def _token(login: Login, record: Record, web: Web) -> Secret:
    if login.signing is None:
        return login.tokens(record).access
    account = read_service_account(json.dumps(dict(record.content)))
    signed = assertion(account, private_key(account.key), int(time.time()))
    question = post_form(account.token_url, {"grant_type": GRANT, "assertion": signed})
    return Secret(str(granted(question, await web.ask(question), record.id)["access_token"]))


async def _asked(upstream: Upstream, web: Web, way: Way) -> str:
    headers = headers_for(upstream, {"accept": "application/json"}, {})
    if (quota := upstream.quota) is not None:
        body = b"" if quota.body is None else orjson.dumps(quota.body)
        kind = {"content-type": "application/json"} if body else {}
        signed = {**headers, **kind, **quota.headers, **dict(await (quota.credential or upstream.credential).sign(way))}
        question = Ask("POST" if body else "GET", quota.url, tuple(signed.items()), body)
        answer = _good(await web.ask(question), upstream)
        return _quotas(tuple(quota.read(answer.said, time.time())))
    endpoint = next((each for each in upstream.provider.endpoints if each.operation is Operation.MODELS), None)
    if endpoint is None:
        return ""
    signed = {**headers, **dict(await upstream.credential.sign(way))}
    answer = _good(await web.ask(Ask("GET", upstream.base_url + endpoint.path, tuple(signed.items()))), upstream)
    return f"its vendor lists {len(endpoint.wire.decode_models(answer.body))} models"


def _good(answer: Answer, upstream: Upstream) -> Answer:
    if answer.status == 200 and answer.said:
        return answer
    if answer.status == 200:
        raise Refused("its vendor answered, but not with JSON", stale=False)
    error: GatewayError = error_of(answer.status, answer.headers, answer.body)
    raise Refused(f"its vendor says no (status {answer.status}): {error.message}", stale=answer.status in upstream.provider.stale)  # fmt: skip


def _quotas(windows: Sequence[Window]) -> str:
    if not windows:
        return "its vendor answers, and tells no quota"
    fullest = sorted(windows, key=lambda window: -window.used)[:MOST_WINDOWS]
    return "; ".join(
        f"{window.used:.0%} of {window.name} used"
        + (f", until {written(window.ends)}" if window.ends is not None else "")
        for window in fullest
    )
