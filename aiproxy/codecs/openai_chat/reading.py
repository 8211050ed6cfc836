"""JSON of an upstream, whatever it holds."""

from typing import Any

from aiproxy.codecs.json_bytes import load
from aiproxy.neutral.errors import UpstreamFailed


def parse(data: bytes) -> dict[str, Any]:
    """The object."""
    try:
        found: Any = load(data)
    except (ValueError, RecursionError) as error:
        raise UpstreamFailed("The upstream sent something that is not JSON where an answer was due.") from error
    if not isinstance(found, dict):
        raise UpstreamFailed("The upstream sent JSON that is not an object where an answer was due.")
    return found
