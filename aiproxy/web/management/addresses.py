"""Whose request it is: the peer's address, or what a proxy that is trusted says of it. Pure."""

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

NOBODY = ""
"""An address that can't be told: local to no one."""

_SUBSCRIBER = 64
"""Bits of an IPv6 address that are a subscriber's network: whoever has one has all of its addresses."""


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Raises `ValueError`."""
    return tuple(ip_network(text) for text in texts)


def client_address(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> str:
    """`forwarded` are the values of all `X-Forwarded-For` headers. Each trusted hop vouches for the one before it, from the
    right; what comes through a hop that isn't trusted is that hop's. A peer who says that it forwards, and isn't trusted, is nobody:
    it may be a proxy on this machine that speaks for the whole world."""
    here = _plain(peer)
    chain = [each.strip() for value in forwarded for each in value.split(",")]
    if not _within(here, trusted):
        return NOBODY if forwarded else here
    while chain and _within(here, trusted):
        here = _plain(chain.pop())
    return here


def is_local(address: str) -> bool:
    return address != NOBODY and ip_address(address).is_loopback


def counted_as(address: str) -> str:
    """What failures are counted by."""
    if address == NOBODY:
        return NOBODY
    found = ip_address(address)
    if isinstance(found, IPv6Address):
        return str(ip_network((found, _SUBSCRIBER), strict=False))
    return address


def _plain(text: str) -> str:
    """Without a port and without IPv6's way of writing IPv4."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text)
    except ValueError:
        return NOBODY
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return str(mapped or found)


def _within(address: str, trusted: Sequence[Network]) -> bool:
    return address != NOBODY and any(ip_address(address) in network for network in trusted)
