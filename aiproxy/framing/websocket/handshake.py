"""The handshake of RFC 6455 as values: what a server reads and answers, what a client asks and checks.

The HTTP of it is the caller's, which has parsed it already."""

import re
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping, Sequence
from hashlib import sha1
from typing import Final, NamedTuple

from aiproxy.framing.websocket.deflate import OFFER, GuardedDeflate, accepted, agreed_by_server

VERSION: Final = "13"
_GUID: Final = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


class BadHandshake(Exception):
    """What is wrong with it, in one sentence. `version`: the peer speaks another version."""

    def __init__(self, words: str, *, version: bool = False) -> None:
        super().__init__(words)
        self.version = version


class Offer(NamedTuple):
    """A client's request to open a socket."""

    key: str
    subprotocols: Sequence[str]
    extensions: Sequence[str]


Headers = Mapping[str, Sequence[str]]
"""Lower-case names, all values of each."""


def asks_for_websocket(headers: Headers) -> bool:
    return "websocket" in listed(headers, "upgrade", lower=True)


def read_offer(headers: Headers) -> Offer:
    """Raises `BadHandshake`."""
    if "upgrade" not in listed(headers, "connection", lower=True):
        raise BadHandshake("The header `Connection` must name `Upgrade`; a proxy in between may have dropped it.")
    if list(headers.get("sec-websocket-version", ())) != [VERSION]:
        raise BadHandshake(f"The WebSocket version must be {VERSION} (Sec-WebSocket-Version).", version=True)
    keys = headers.get("sec-websocket-key", ())
    if len(keys) != 1 or not _is_key(keys[0]):
        raise BadHandshake("The header `Sec-WebSocket-Key` must be 16 bytes in base64.")
    subprotocols = listed(headers, "sec-websocket-protocol")
    if len(set(subprotocols)) < len(subprotocols) or not all(map(_TOKEN.fullmatch, subprotocols)):
        raise BadHandshake("The header `Sec-WebSocket-Protocol` must list names, each once.")
    return Offer(keys[0], subprotocols, headers.get("sec-websocket-extensions", ()))


def accept(
    offer: Offer, *, most: int, subprotocol: str = "", compress: bool = True
) -> tuple[list[tuple[str, str]], GuardedDeflate | None]:
    """The headers of the 101, and the compression agreed on."""
    headers = [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Accept", accept_token(offer.key))]
    if subprotocol:
        headers.append(("Sec-WebSocket-Protocol", subprotocol))
    found = accepted(offer.extensions, most) if compress else None
    if found is None:
        return headers, None
    told, deflate = found
    return [*headers, ("Sec-WebSocket-Extensions", told)], deflate


def request_headers(key: str, subprotocols: Sequence[str] = (), *, compress: bool = True) -> list[tuple[str, str]]:
    """Of a client that wants to open a socket. `key` is 16 random bytes in base64."""
    headers = [
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Version", VERSION),
        ("Sec-WebSocket-Key", key),
    ]
    if subprotocols:
        headers.append(("Sec-WebSocket-Protocol", ", ".join(subprotocols)))
    if compress:
        headers.append(("Sec-WebSocket-Extensions", OFFER))
    return headers


def check_answer(
    headers: Headers, key: str, subprotocols: Sequence[str], *, most: int
) -> tuple[str, GuardedDeflate | None]:
    """A server's 101 → the subprotocol it chose ("" for none), and the compression agreed on.

    Raises `BadHandshake`."""
    if listed(headers, "upgrade", lower=True) != ["websocket"] or "upgrade" not in listed(
        headers, "connection", lower=True
    ):
        raise BadHandshake("the server switched to another protocol than WebSocket")
    if list(headers.get("sec-websocket-accept", ())) != [accept_token(key)]:
        raise BadHandshake("the server's Sec-WebSocket-Accept does not fit the key")
    chosen = listed(headers, "sec-websocket-protocol")
    if len(chosen) > 1 or not set(chosen) <= set(subprotocols):
        raise BadHandshake("the server chose a subprotocol that was not offered")
    try:
        deflate = agreed_by_server(headers.get("sec-websocket-extensions", ()), most)
    except ValueError as error:
        raise BadHandshake(str(error)) from error
    return (chosen[0] if chosen else ""), deflate


def fresh_key(random: bytes) -> str:
    return b64encode(random).decode("ascii")


def accept_token(key: str) -> str:
    return b64encode(sha1((key + _GUID).encode("latin-1")).digest()).decode("ascii")  # noqa: S324 - the protocol's own


def listed(headers: Headers, name: str, *, lower: bool = False) -> list[str]:
    found = [entry.strip() for value in headers.get(name, ()) for entry in value.split(",") if entry.strip()]
    return [entry.lower() for entry in found] if lower else found


def _is_key(key: str) -> bool:
    try:
        return len(b64decode(key, validate=True)) == 16
    except (NotBase64, ValueError):
        return False
