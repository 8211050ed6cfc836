"""Rules on where the gateway listens: whether it can, and who can reach it there."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from aiproxy.config.problems import Finding, Severity
from aiproxy.config.read import Reading
from aiproxy.config.schema import Settings
from aiproxy.config.urls import is_loopback

UNPRIVILEGED_PORTS = Path("/proc/sys/net/ipv4/ip_unprivileged_port_start")

ANY_PORT = 0

NO_PLACES = {
    errno.EADDRNOTAVAIL: "no address of this machine",
    errno.EAFNOSUPPORT: "an address of a kind that this machine hasn't got",
    errno.EINVAL: "an address without the interface that it belongs to",
}


def listening_problems(settings: Settings, reading: Reading) -> Iterator[Finding]:
    host = settings.host
    if not settings.api_keys and not reading.failed("api-keys") and not is_loopback(host):
        message = "listening beyond this machine needs `api-keys`, or whoever reaches it spends your accounts"
        yield Severity.ERROR, "exposed-without-keys", message, "host"
    if host and (fault := _fault(host)):
        message = f"nothing can listen there: this is {fault}; name an address of this machine"
        yield Severity.ERROR, "bad-host", message, "host"
    if 0 < settings.port < _first_unprivileged_port() and os.geteuid() != 0:
        message = f"port {settings.port} is reserved for root on this machine"
        yield Severity.WARNING, "privileged-port", message, "port"


def _fault(host: str) -> str:
    """Why nobody can ever listen there; "" for what may only be in the way just now."""
    try:
        try_listening(host, ANY_PORT)
    except (socket.gaierror, ValueError):
        return "a name without an address"
    except OSError as error:
        return NO_PLACES.get(error.errno or 0, "")
    return ""


def try_listening(host: str, port: int) -> None:
    """Take a place to listen as the gateway would, and give it back before anybody can come. "" is every address.

    Raises whatever is in the way: `OSError`, and `ValueError` for what is no name at all. A name server is asked for a
    name, as it is when the gateway starts."""
    interface = interface_of(host)
    interface.encode("idna")  # what fails there makes `bind` raise a TypeError
    family = socket.AF_INET6 if ":" in interface else socket.AF_INET
    with closing(socket.socket(family, socket.SOCK_STREAM)) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind((interface, port))


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


def _first_unprivileged_port() -> int:
    try:
        return int(UNPRIVILEGED_PORTS.read_text())
    except (OSError, ValueError):
        return 1024
