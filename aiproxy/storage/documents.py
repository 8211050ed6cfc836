"""Which names and contents a store takes. The layout is CLIProxyAPI's, so that its buckets and repositories work unchanged."""

import re
from hashlib import sha256

import orjson

from aiproxy.storage.store import Unacceptable

CONFIGURATION = "config/config.yaml"
CREDENTIALS = "auths/"

LARGEST_CONFIGURATION = 8 * 1024 * 1024
"""Bytes. As for a configuration file: two thousand accounts take about 1 MiB."""

LARGEST_CREDENTIAL = 256 * 1024
"""Bytes. OAuth credentials with all their tokens are under 16 KiB."""

LONGEST_NAME = 240
"""Bytes, of a part and of the whole. Most file systems end at 255, and a temporary file's name needs some."""

_PART = re.compile(r"\w[\w.@+=,~() -]*")


def is_document(name: str) -> bool:
    """Whether something of this name means to be ours: other files may lie about in a repository or a bucket."""
    if name == CONFIGURATION:
        return True
    return name.startswith(CREDENTIALS) and name.endswith(".json") and "/." not in name.replace("/..", "")


def check_name(name: str) -> None:
    """Raises `Unacceptable`."""
    if name == CONFIGURATION:
        return
    inner = name.removeprefix(CREDENTIALS)
    if inner == name or not name.endswith(".json"):
        raise Unacceptable(name, f"is neither {CONFIGURATION} nor {CREDENTIALS}….json")
    if not all(_PART.fullmatch(part) for part in inner.split("/")):
        raise Unacceptable(
            name, "has a part that is empty, begins with a dot, or holds more than letters, digits and blanks"
        )
    if len(name.encode("utf-8", "surrogateescape")) > LONGEST_NAME:
        raise Unacceptable(name, f"is longer than {LONGEST_NAME} bytes")


def largest(name: str) -> int:
    """Bytes that a document of this name may have."""
    return LARGEST_CONFIGURATION if name == CONFIGURATION else LARGEST_CREDENTIAL


def check_body(name: str, body: bytes) -> None:
    """Raises `Unacceptable`. What a configuration says is for `config` to judge, with lines and columns."""
    if len(body) > largest(name):
        raise Unacceptable(name, f"is larger than {largest(name) // 1024} KiB")
    if name != CONFIGURATION:
        try:
            content = orjson.loads(body)
        except orjson.JSONDecodeError:
            raise Unacceptable(name, "is not valid JSON") from None
        if not isinstance(content, dict):
            raise Unacceptable(name, "is not a JSON object")


def check(name: str, body: bytes) -> None:
    check_name(name)
    check_body(name, body)


def digest(body: bytes) -> str:
    """A version for places that have none of their own."""
    return sha256(body).hexdigest()[:32]
