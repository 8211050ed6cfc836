"""A request's path, as it was meant: base URLs pasted with a slash too many, `/v1` doubled or `/v1` forgotten."""

import re

_SLASHES = re.compile(rb"/{2,}")
_DOUBLED = re.compile(rb"^(?:/v1){2,}(?=/|$)")
_FORGOTTEN = re.compile(rb"^/(?:chat/completions|completions|embeddings|models(?:/.*)?)$")
"""Paths of the OpenAI API without their version: clients whose base URL lacks `/v1` ask for these."""


def normalise(path: bytes) -> bytes:
    """The path that is meant, still percent-encoded; one that is right comes back as it is."""
    path = _SLASHES.sub(b"/", path)
    if len(path) > 1:
        path = path.rstrip(b"/")
    path = _DOUBLED.sub(b"/v1", path)
    return b"/v1" + path if _FORGOTTEN.match(path) else path
