"""Rules on `remote-management`: a key that can be hashed, and networks that are networks."""

import re
from collections.abc import Iterator
from ipaddress import ip_network

from aiproxy.config.problems import Finding, Severity
from aiproxy.config.schema import RemoteManagement
from aiproxy.secrets import Secret

LONGEST_KEY = 72
"""Bytes: what bcrypt reads of a text."""

SHORTEST_KEY = 12
"""Characters. With five guesses in half an hour from an address, fewer would still be risked with words of a dictionary."""

_HASH = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")


def is_hash(key: Secret) -> bool:
    """Whether it is bcrypt's hash of a key, not the key itself."""
    return bool(_HASH.fullmatch(key.reveal()))


def management_problems(settings: RemoteManagement) -> Iterator[Finding]:
    key = settings.secret_key.reveal()
    if key and not is_hash(settings.secret_key):
        path = "remote-management.secret-key"
        if len(key.encode("utf-8", "surrogateescape")) > LONGEST_KEY:
            message = f"the management key is longer than {LONGEST_KEY} bytes, more than its hash would cover"
            yield Severity.ERROR, "long-key", message, path
        if len(key) < SHORTEST_KEY:
            message = f"a management key shorter than {SHORTEST_KEY} characters can be guessed"
            yield Severity.WARNING, "short-key", message, path
    for index, text in enumerate(settings.trusted_proxies):
        try:
            ip_network(text)
        except ValueError as error:
            path = f"remote-management.trusted-proxies[{index}]"
            message = f"`{text}` is no network: it {str(error).partition(' ')[2]}"
            yield Severity.ERROR, "bad-network", message, path
