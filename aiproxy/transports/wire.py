"""The head of a request, as it goes over the wire. Pure."""

import re
from collections.abc import Iterable
from functools import lru_cache

from aiproxy.neutral.errors import UpstreamFailed

_OURS = frozenset(
    ("accept-encoding", "connection", "content-length", "expect", "keep-alive", "transfer-encoding", "upgrade")
)
"""Headers that belong to the connection or the framing, not to the caller."""

_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_BREAK = re.compile(r"[\r\n\0]+")

NAMES_KEPT = 1024
"""Header names, as they are written: a few dozen occur; callers' own are few."""


def request_head(
    method: str, path: bytes, host: str, headers: Iterable[tuple[str, str]], length: int | None, upgrade: str = ""
) -> bytes:
    """`length` is that of the body, None for a request without one; a `host` among the headers goes first. Characters are
    bytes, as in the headers that we are sent. `upgrade` is the protocol to switch to.

    Raises `UpstreamFailed` for a header that can't be one."""
    lines = []
    for name, value in headers:
        written = _written(name)
        if written == "Host: ":
            host = value
        elif written:
            lines.append(f"{written}{_on_one_line(value)}\r\n")
    if length is not None:
        lines.append(f"Content-Length: {length}\r\n")
    if upgrade:
        lines.append(f"Connection: Upgrade\r\nUpgrade: {upgrade}\r\n")
    first = f"{method} {path.decode('ascii')} HTTP/1.1\r\nHost: {_on_one_line(host)}\r\nAccept-Encoding: identity\r\n"
    try:
        return f"{first}{''.join(lines)}\r\n".encode("latin-1")
    except UnicodeEncodeError:
        raise UpstreamFailed(
            "A header for the upstream has an impossible value: check the entry's `headers`."
        ) from None


@lru_cache(maxsize=NAMES_KEPT)
def _written(name: str) -> str:
    """With its colon, in the spelling that servers know best; empty for one that isn't passed on."""
    if not _TOKEN.fullmatch(name):
        raise UpstreamFailed("A header for the upstream has an impossible name: check the entry's `headers`.")
    return "" if name.lower() in _OURS else f"{'-'.join(word.capitalize() for word in name.split('-'))}: "


def _on_one_line(value: str) -> str:
    return _BREAK.sub(" ", value).strip() if _BREAK.search(value) else value
