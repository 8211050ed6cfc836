"""Which addresses a client's URL may lead to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.transports.networks import networks, public

REFUSED = (
    *("0.0.0.0", "10.0.0.1", "127.0.0.1", "127.255.0.1", "169.254.169.254", "172.16.0.1", "192.168.1.1", "192.0.0.192"),
    *("100.64.0.1", "100.100.100.200", "168.63.129.16", "198.18.0.1", "203.0.113.1", "224.0.0.1", "239.1.2.3"),
    *("240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1"),
    *(
        "::ffff:127.0.0.1",
        "::ffff:a9fe:a9fe",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "2002:7f00:1::",
        "2001:db8::1",
        "fec0::1",
        "::127.0.0.1",
    ),
)
PUBLIC = ("1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808")


@pytest.mark.parametrize("address", REFUSED)
def test_what_is_not_public(address: str) -> None:
    assert not public(address, [])


@pytest.mark.parametrize("address", PUBLIC)
def test_what_is(address: str) -> None:
    assert public(address, [])


def test_allowed_networks() -> None:
    allowed = networks(["10.1.0.0/16", "::1/128"])
    assert public("10.1.2.3", allowed)
    assert public("::ffff:10.1.2.3", allowed)
    assert public("::1", allowed)
    assert not public("10.2.0.1", allowed)


@given(st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="169.254.0.0/16"))
def test_an_ipv4_address_inside_ipv6_is_what_it_is(address: object) -> None:
    assert not public(f"::ffff:{address}", [])
    assert not public(f"64:ff9b::{address}", [])
