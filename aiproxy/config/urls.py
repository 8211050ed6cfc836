"""What a URL in the configuration gives away, and what is wrong with it. Texts in, sentences out."""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

PROXY_SCHEMES = ("http", "https", "socks5", "socks5h")
DIRECT = "direct"

_VERSIONED = re.compile(r"/v[0-9]+[a-z0-9.]*(/openai)?/?\Z", re.IGNORECASE)
"""`/v1`, `/api/paas/v4`, `/v1beta/openai/` (Google's OpenAI-compatible address)."""

_ENDPOINT = re.compile(r"/(chat/completions|completions|embeddings|responses|models|messages)/?\Z")


def passwords(text: str) -> tuple[str, ...]:
    """The password inside a URL, as written and as decoded; none in any other text."""
    if "@" not in text or "://" not in text:
        return ()
    # Not urlsplit: the text may be wrong as a URL and hold a password all the same.
    userinfo = text.partition("://")[2].rpartition("@")[0]
    password = userinfo.partition(":")[2]
    return tuple({password, unquote(password)} - {""})


def proxy_fault(url: str) -> str:
    """What is wrong with a proxy's URL; "" when nothing is."""
    parts = _split(url)
    if parts is None or not parts.scheme or (parts.scheme not in PROXY_SCHEMES and "://" not in url):
        return "is not a URL; write `http://HOST:PORT`, `https://…`, `socks5://…` or `socks5h://…`"
    if parts.scheme not in PROXY_SCHEMES:
        return f"must be one of {', '.join(PROXY_SCHEMES)}, with `://` and a host"
    if not parts.hostname:
        return "names no host"
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        return "must end after the port; special characters in a password are percent-encoded"
    return ""


def base_url_fault(url: str) -> str:
    """What is wrong with an upstream's address; "" when nothing is."""
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        return "must be `http://HOST…` or `https://HOST…`"
    if parts.username is not None or parts.password is not None:
        return "must not hold a user or password; use `api-key` or `headers`"
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        return "must not have a query"
    endpoint = _ENDPOINT.search(parts.path)
    return f"is an address to build on: leave `/{endpoint[1]}` out" if endpoint else ""


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_private(url: str) -> bool:
    """Whether nobody else hears what is sent there: tokens, and what buys them."""
    if not re.fullmatch(r"[!-~]+", url):
        return False
    parts = urlsplit(url)
    host = parts.hostname or ""
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def has_version(url: str) -> bool:
    parts = _split(url)
    return parts is not None and bool(_VERSIONED.search(parts.path))


def _split(url: str) -> SplitResult | None:
    if re.search(r"[\s\x00-\x1f]", url):
        return None
    try:
        parts = urlsplit(url)
        if parts.port == 0:
            return None
        (parts.hostname or "").encode("idna")
    except ValueError:
        return None
    return parts
