"""Questions to a vendor's login endpoints and what is made of the answers, whoever carries them: a running gateway asks by
its transport, the tool by a blocking connection. No I/O here."""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import quote, urlencode, urlsplit

import orjson

from aiproxy import __version__
from aiproxy.codecs.retry_after import retry_after
from aiproxy.credentials.base import Headers
from aiproxy.neutral.errors import CredentialRefused, UpstreamFailed
from aiproxy.secrets import Secret

USER_AGENT = f"aiproxy/{__version__}"

ANSWER_BYTES = 262_144
"""Of an answer that are read: tokens are one to four kilobytes, lists of projects and of models tens."""

LONGEST_REASON = 200
"""Characters of an endpoint's own words that are shown to whoever runs the gateway."""


@dataclass(frozen=True, slots=True)
class Ask:
    """`url` may hold a token where a vendor wants it there, so that neither it nor the rest is shown."""

    method: str
    url: str = field(repr=False)
    headers: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or "nobody"


@dataclass(frozen=True, slots=True)
class Answer:
    """Header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def said(self) -> Mapping[str, Any]:
        """The JSON object in it; empty for anything else, HTML for one."""
        try:
            found = orjson.loads(self.body)
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}


class Web(Protocol):
    async def ask(self, question: Ask) -> Answer:
        """Raises `UpstreamFailed` or `Timeout` when there is no answer."""


def post_form(url: str, form: Mapping[str, str], headers: Headers = ()) -> Ask:
    kind = (("content-type", "application/x-www-form-urlencoded"), *_ACCEPT)
    return Ask("POST", url, (*kind, *headers), urlencode(form).encode())


def post_json(url: str, content: Mapping[str, Any], headers: Headers = ()) -> Ask:
    return Ask("POST", url, (("content-type", "application/json"), *_ACCEPT, *headers), orjson.dumps(content))


def get(url: str, headers: Headers = ()) -> Ask:
    return Ask("GET", url, (*_ACCEPT, *headers))


def bearer(token: str) -> Headers:
    return (("authorization", f"Bearer {token}"),)


def basic(user: str, password: str) -> Headers:
    return (("authorization", "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()),)


_ACCEPT = (("accept", "application/json"), ("user-agent", USER_AGENT))


def granted(question: Ask, answer: Answer, account: str, wanted: str = "access_token") -> Mapping[str, Any]:
    """What an endpoint gave. Raises `CredentialRefused` when it says no for good, `UpstreamFailed` when it gives no sense."""
    said = answer.said
    if answer.status // 100 == 2 and is_token(said.get(wanted)):
        return said
    code = error_code(answer)
    host = question.host
    if answer.status in (400, 401, 403) and (code or isinstance(said.get("error"), str)):
        why = code or f"status {answer.status}"
        told = f"{host} refused the login of the account {account!r} ({why}). The gateway's operator must check it."
        raise CredentialRefused(told)
    told = f"{host} gave no token for the account {account!r} ({code or f'status {answer.status}'})."
    raise UpstreamFailed(told, retry_after=retry_after(answer.status, answer.headers))


def error_code(answer: Answer) -> str:
    """`invalid_grant` and the like, as OAuth endpoints, AWS's and GitHub's say them; "" where none is said."""
    said = answer.said
    found = said.get("error", said.get("__type", said.get("code")))
    if isinstance(found, dict):
        found = found.get("code") or found.get("type") or found.get("status")
    return found if isinstance(found, str) and re.fullmatch(r"[A-Za-z_]{1,60}", found) else ""


def reason(answer: Answer) -> str:
    """An endpoint's own words."""
    said = answer.said
    found = said.get("error_description") or said.get("message") or said.get("error")
    if isinstance(found, dict):
        found = found.get("message")
    return (found if isinstance(found, str) else "nothing more")[:LONGEST_REASON]


def is_token(value: object) -> bool:
    """Whether it may stand in a header."""
    return isinstance(value, str) and re.fullmatch(r"[!-~]+", value) is not None


def secret_of(value: object) -> Secret:
    return Secret(value) if isinstance(value, str) else Secret("")


def claims(token: object) -> Mapping[str, Any]:
    """What a JSON Web Token says, unchecked: it came from its issuer over TLS, and nothing is trusted for it."""
    if not isinstance(token, str) or token.count(".") != 2:
        return {}
    middle = token.split(".")[1]
    try:
        found = orjson.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def with_query(url: str, query: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query, quote_via=quote)}"
