"""Where a request goes: upstream URLs and proxy URLs, each read once. A message never repeats a URL, which may hold a key."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from urllib.parse import unquote, urlsplit

from hyperlink import EncodedURL
from twisted.internet.abstract import isIPv6Address
from twisted.web.client import URI

from aiproxy.neutral.errors import UpstreamFailed
from aiproxy.secrets import Secret

URLS_KEPT = 1024
"""Parsed URLs. Gemini's hold the model's name, so one upstream has dozens; a thousand of them is half a megabyte."""

PROXIES_KEPT = 256
"""Parsed proxy URLs: one an account at most."""

_BLANK = re.compile(r"[\x00-\x20\x7f]")


@dataclass(frozen=True, slots=True)
class Target:
    """An upstream's URL, taken apart. `host` is without brackets, `path` with the query."""

    secure: bool
    host: str
    port: int
    path: bytes
    host_header: str

    def __str__(self) -> str:
        return netloc(self.host, self.port)


class ProxyKind(StrEnum):
    HTTP = "http"
    HTTPS = "https"
    SOCKS5 = "socks5"
    """We resolve the target's name."""
    SOCKS5H = "socks5h"
    """The proxy resolves it."""


_PROXY_PORTS = {ProxyKind.HTTP: 80, ProxyKind.HTTPS: 443, ProxyKind.SOCKS5: 1080, ProxyKind.SOCKS5H: 1080}


@dataclass(frozen=True, slots=True)
class Proxy:
    kind: ProxyKind
    host: str
    port: int
    user: str
    password: Secret

    def __str__(self) -> str:
        return netloc(self.host, self.port)


def bracketed(host: str) -> str:
    return f"[{host}]" if isIPv6Address(host) else host


def netloc(host: str, port: int) -> str:
    return f"{bracketed(host)}:{port}"


@lru_cache(maxsize=URLS_KEPT)
def parse_target(url: str) -> Target:
    """Raises `UpstreamFailed` for anything but `http[s]://HOST[:PORT][/PATH][?QUERY]`."""
    try:
        read = EncodedURL.from_text(url).replace(fragment="")
        if not read.to_text().isascii():
            read = read.to_uri()  # only then: it knows no IPv6, and no underscore in a name
        text = read.to_text(with_password=True)
        parsed = EncodedURL.from_text(text)
        host = parsed.host.lower().encode("idna").decode("ascii")
        uri = URI.fromBytes(text.encode("ascii"))
    except ValueError as error:
        raise UpstreamFailed("The upstream's address is not a URL: check its `base-url`.") from error
    if parsed.scheme not in ("http", "https") or not parsed.host or _BLANK.search(url):
        raise UpstreamFailed("The upstream's address must be http://HOST or https://HOST: check its `base-url`.")
    if parsed.userinfo:
        raise UpstreamFailed("The upstream's address must not hold a user or password: use `api-key` or `headers`.")
    secure = parsed.scheme == "https"
    host_header = netloc(host, uri.port) if uri.port != (443 if secure else 80) else bracketed(host)
    return Target(secure, host, uri.port, uri.originForm, host_header)


@lru_cache(maxsize=PROXIES_KEPT)
def parse_proxy(url: str) -> Proxy:
    """Raises `UpstreamFailed` for anything but `KIND://[USER[:PASSWORD]@]HOST[:PORT]`; user and password percent-encoded."""
    try:
        parts = urlsplit(url)
        kind, port = ProxyKind(parts.scheme), parts.port
        host = (parts.hostname or "").encode("idna").decode("ascii")
    except ValueError as error:
        raise UpstreamFailed(_PROXY_WANTED) from error
    if not host or parts.path not in ("", "/") or parts.query or parts.fragment or _BLANK.search(url):
        raise UpstreamFailed(_PROXY_WANTED)
    password = Secret(unquote(parts.password or ""))
    return Proxy(kind, host, port if port is not None else _PROXY_PORTS[kind], unquote(parts.username or ""), password)


_PROXY_WANTED = "`proxy-url` must be http, https, socks5 or socks5h://[USER:PASSWORD@]HOST[:PORT]: check it."
