"""Whether a browser asks on behalf of a page that isn't ours, or under a name that only looks like this machine's."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from aiproxy.web.keys import header
from aiproxy.web.request import HttpRequest


def from_a_foreign_page(request: HttpRequest) -> bool:
    """Whether a browser sends this for a page that isn't ours, by `Origin`, or by a `Host` that only looks local."""
    addresses = [f"//{header(request, b'host') or 'localhost'}", header(request, b"origin") or "//localhost"]
    try:
        return not all(is_loopback(urlsplit(address).hostname) for address in addresses)
    except ValueError:  # not an address at all
        return True


def is_loopback(name: str | None) -> bool:
    if name is None:
        return False
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
