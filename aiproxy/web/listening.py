"""Where the server listens, as the configuration has it and Twisted wants it."""

import socket

BACKLOG = 1024
"""Connections the kernel keeps until we accept them; Twisted's 50 refuses a burst of a thousand streams."""


def interface_of(host: str) -> str:
    """A name or an IPv4 or IPv6 literal; "" is every address of the machine.

    There IPv4 clients come in through the IPv6 socket (RFC 3493, 3.7), with `::ffff:` before their address."""
    return host.removeprefix("[").removesuffix("]") if host else _every_address()


def _every_address() -> str:
    """IPv4 alone where the machine has no IPv6."""
    try:
        with socket.create_server(("::", 0), family=socket.AF_INET6):
            return "::"
    except OSError:
        return "0.0.0.0"  # noqa: S104 # asked for by name
