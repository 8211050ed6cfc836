"""One exchange with an OAuth token endpoint (RFC 6749 §5), whatever the grant."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from twisted.logger import Logger

from aiproxy import __version__
from aiproxy.codecs.retry_after import retry_after
from aiproxy.credentials.base import Way
from aiproxy.credentials.token import PATIENCE_SECONDS, Token
from aiproxy.neutral.errors import CredentialRefused, GatewayError, UpstreamFailed
from aiproxy.secrets import Secret
from aiproxy.transports.base import Request
from aiproxy.transports.body import read_body

ANSWER_BYTES = 65536
"""Of an answer that are read: real ones are one to four kilobytes, id tokens included."""

LIFETIME_UNSAID = 1800.0
"""Seconds. Half of what nearly every endpoint gives, for one that doesn't say; a token that ends sooner is renewed on 401."""

LONGEST_REASON = 200
"""Characters of an endpoint's own words that are logged."""

_log = Logger("aiproxy.credentials")


async def ask_for_token(way: Way, url: str, form: Mapping[str, str]) -> Token:
    """Raises `CredentialRefused` when the endpoint says no for good, `UpstreamFailed` when it gives no sense or no answer.

    The client is told which account to look at, the log what the endpoint said."""
    headers = (
        ("content-type", "application/x-www-form-urlencoded"),
        ("accept", "application/json"),
        ("user-agent", f"aiproxy/{__version__}"),
    )
    host = urlsplit(url).hostname
    try:
        response = await way.transport.send(Request("POST", url, headers, urlencode(form).encode(), way.proxy))
    except GatewayError as error:
        # Whoever could not be reached, it is the account that can't be used, with all its models.
        raise UpstreamFailed(f"No token for the account {way.account!r}: {error.message}") from error
    body = await read_body(response, ANSWER_BYTES, way.clock, PATIENCE_SECONDS)
    said = _object(body)
    if response.status == 200 and (token := _token(said)) is not None:
        return token
    reason = said.get("error")
    code = reason if isinstance(reason, str) and re.fullmatch(r"[a-z_]{1,40}", reason) else f"status {response.status}"
    _log.warn(
        "account {account}: {host} gave no token ({code}): {said}",
        account=way.account,
        host=host,
        code=code,
        said=str(said.get("error_description", "nothing more"))[:LONGEST_REASON],
    )
    if isinstance(reason, str) and response.status in (400, 401, 403):
        told = (
            f"{host} refused the login of the account {way.account!r} ({code}). The gateway's operator must check it."
        )
        raise CredentialRefused(told)
    told = f"{host} gave no token for the account {way.account!r} ({code})."
    raise UpstreamFailed(told, retry_after=retry_after(response.status, response.headers))


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        found = orjson.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _token(said: Mapping[str, Any]) -> Token | None:
    access, lifetime = said.get("access_token"), said.get("expires_in")
    if not isinstance(access, str) or not re.fullmatch(r"[!-~]+", access):
        return None
    if isinstance(lifetime, str) and lifetime.isdecimal():  # some write it as text
        lifetime = int(lifetime)
    if not isinstance(lifetime, int | float) or lifetime <= 0:
        lifetime = LIFETIME_UNSAID
    return Token(Secret(access), lifetime)
