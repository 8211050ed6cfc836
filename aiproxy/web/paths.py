"""A request's path, as it was meant, and whose protocol it is: base URLs pasted with a slash too many, with another
protocol's root, with `/v1` doubled or forgotten; paths that several protocols share, told apart by headers."""

import re
from collections.abc import Collection
from functools import lru_cache

from aiproxy.catalogue import known_provider
from aiproxy.web.request import HttpRequest

PATHS_KEPT = 256
"""Paths that were understood; clients ask for the same few. Heads of 64 KiB bound their length: 32 MB at the worst."""

_SLASHES = re.compile(rb"/{2,}")
_ROOT = rb"/(?:v1(?:alpha|beta)?|api)"
_OTHERS_ROOT = re.compile(rb"^(?:%b)+(?=(?:%b|/ollama)(?:/|$))" % (_ROOT, _ROOT))
"""A base URL that ends in a root already, before the one that the client adds: only the last says what is meant."""
_FORGOTTEN = re.compile(
    rb"^/(?:chat/completions|completions|embeddings|responses(?:/.*)?|messages(?:/count_tokens)?|models(?:/.*)?)$"
)
"""Paths without their version: clients whose base URL lacks `/v1` ask for these."""

_KEY_IN_URL = re.compile(rb"[?&]key=")
_MODELS = re.compile(rb"^/v1/models(?:/|$)")
_GEMINI = re.compile(rb"^/v1(?:alpha|beta)(?:/|$)|^/v1/models/.*:\w+$")
_OLLAMA = re.compile(rb"^/(?:ollama|api)(?:/|$)")
_ANTHROPIC = re.compile(rb"^/v1/messages(?:/|$)")
_RESPONSES = re.compile(rb"^/v1/responses(?:/|$)")


def normalise(path: bytes) -> bytes:
    """The path that is meant, still percent-encoded; one that is right comes back as it is."""
    path = _SLASHES.sub(b"/", path)
    if len(path) > 1:
        path = path.rstrip(b"/")
    path = _OTHERS_ROOT.sub(b"", path)
    return b"/v1" + path if _FORGOTTEN.match(path) else path


_OF_A_PROVIDER = re.compile(rb"^/[^/]+(?=/(?:v1(?:alpha|beta)?|ollama|api)(?:/|$))")
"""Paths that name something before the API they are in."""

_OWN_ROOTS = frozenset(("v1", "v1alpha", "v1beta", "api"))
"""First segments that are never a provider."""


def split_provider(path: bytes, providers: Collection[str]) -> tuple[str, bytes]:
    """`/provider/v1/…` → the provider as it is called here, or as it was written where it is none of ours, and the rest of a
    normalised path; "" where the path begins with none."""
    name, slash, rest = path[1:].partition(b"/")
    # Ollama's own API is at /ollama/api: there the segment is the protocol's, not the provider's.
    if not slash or (name.lower() == b"ollama" and rest.partition(b"/")[0] == b"api"):
        return "", path
    written = name.decode("utf-8", "replace")
    provider = known_provider(written, providers)
    if not provider and _OF_A_PROVIDER.match(path) and written.lower() not in _OWN_ROOTS:
        provider = written
    return (provider, normalise(b"/" + rest)) if provider else ("", path)


@lru_cache(maxsize=PATHS_KEPT)
def meant(path: bytes, providers: frozenset[str]) -> tuple[str, bytes]:
    """The provider that a path as it came names, "" for none, and the path that is meant."""
    return split_provider(normalise(path), providers)


def protocol_of(request: HttpRequest | None) -> str:
    """The client protocol a request is in; OpenAI's for a path that is nobody's, or not known yet."""
    path = normalise(request.path or b"") if request is not None else b""
    if _ANTHROPIC.match(path):
        return "anthropic"
    if _RESPONSES.match(path):
        return "openai-responses"
    if _GEMINI.match(path):
        return "gemini"
    if _OLLAMA.match(path):
        return "ollama"
    if request is not None and _MODELS.match(path):
        return _asks_for_models(request)
    return "openai-chat"


def _asks_for_models(request: HttpRequest) -> str:
    """Three kinds of clients ask at the same path for lists of different shapes."""
    if b"anthropic-version" in request.received:
        return "anthropic"
    of_google = b"x-goog-api-key" in request.received or _KEY_IN_URL.search(request.uri)
    return "gemini" if of_google else "openai-chat"
