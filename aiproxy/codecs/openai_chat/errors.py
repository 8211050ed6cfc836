"""Reading what went wrong at a Chat Completions upstream; how it is told is `aiproxy.codecs.openai_errors`."""

from collections.abc import Mapping
from typing import Any

from aiproxy.codecs.failures import error_of
from aiproxy.codecs.openai_errors import encode_error, error_object
from aiproxy.neutral import errors
from aiproxy.neutral.errors import GatewayError

__all__ = ["decode_error", "encode_error", "error_object", "hidden_error", "says_error"]

_FAILURES = ("error", "response.error", "response.failed")


def decode_error(status: int, headers: Mapping[str, str], body: bytes) -> GatewayError:
    """An upstream's failure, refined from its status by what the body says."""
    return error_of(status, headers, body)


def says_error(found: Mapping[str, Any]) -> bool:
    """Whether this stands in a 200 in the place of an answer: OpenAI's error object, or what other servers name so."""
    if found.get("error") is not None:
        return True
    if "choices" in found:
        return False
    return found.get("type") in _FAILURES or (isinstance(found.get("message"), str) and found.get("code") is not None)


def hidden_error(found: Mapping[str, Any], body: bytes) -> GatewayError:
    """An error in a 200 or in a stream: its own status if it names one, else by its words, else a bad gateway's."""
    response = found.get("response")
    inner = (response if isinstance(response, dict) else found).get("error")
    for place in (inner, found):
        if isinstance(place, dict):
            for name in ("status", "status_code", "code"):
                status = place.get(name)
                if isinstance(status, int) and 400 <= status < 600:
                    return error_of(status, {}, body)
    error = error_of(200, {}, body)
    return error_of(502, {}, body) if type(error) is errors.UpstreamServerError else error
