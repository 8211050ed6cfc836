"""Which addresses a URL from a client may lead to. Pure: the address that is asked about is the one connected to."""

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import TypeAlias

Network: TypeAlias = IPv4Network | IPv6Network

_LOOK_PUBLIC = tuple(map(ip_network, ("168.63.129.16/32", "192.0.0.0/24", "64:ff9b:1::/48", "fec0::/10")))
"""Azure's platform on every virtual machine; and what Python's tables call global although RFC 6890 and its like don't:
protocol assignments, local translation, site-local."""

_NAT64 = IPv6Network("64:ff9b::/96")
"""IPv6 addresses that hold an IPv4 one in their last 32 bits (RFC 6052)."""


def networks(texts: Iterable[str]) -> Sequence[Network]:
    """Raises `ValueError` for what is neither an address nor a network in CIDR form."""
    return [ip_network(text) for text in texts]


def public(text: str, allowed: Sequence[Network]) -> bool:
    """Whether an address may be connected to for a client's sake: it is in an allowed network, or anybody's. All that it
    holds inside is held to the same: an IPv4 address in IPv6 leads to where the former does."""
    address = ip_address(text.partition("%")[0])
    return all(any(each in network for network in allowed) or _is_global(each) for each in _all(address))


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    """`is_global` alone says so of multicast, too."""
    odd = address.is_multicast or address.is_reserved or any(address in network for network in _LOOK_PUBLIC)
    return address.is_global and not odd


def _all(address: IPv4Address | IPv6Address) -> Iterable[IPv4Address | IPv6Address]:
    if isinstance(address, IPv4Address):
        return (address,)
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address in _NAT64:
        return (IPv4Address(int(address) & 0xFFFFFFFF),)
    inside = (address.sixtofour, *(address.teredo or ()))
    return (address, *(each for each in inside if each is not None))
