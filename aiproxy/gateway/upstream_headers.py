"""The headers of a request to an upstream, but for the signature: ours, the provider's, the client's, the operator's."""

from collections.abc import Mapping

from aiproxy import __version__
from aiproxy.providers.base import Upstream

PASSED_ON = frozenset(("accept", "idempotency-key"))
"""Request headers that mean something to every upstream; a provider names its own. All others are the client's business
with us."""

NEVER_COPIED = frozenset(("authorization", "x-api-key", "x-goog-api-key", "cookie", "x-csrf-token"))
"""Client headers that no `$Name` copies: they prove who the client is to us, and are nobody else's."""

OURS = {"user-agent": f"aiproxy/{__version__}"}


def headers_for(upstream: Upstream, asked: Mapping[str, str], client: Mapping[str, str]) -> dict[str, str]:
    """`asked` are the client's headers, or those a translated body needs. Names in lower case."""
    provider = upstream.provider
    passed = {
        name: value
        for name, value in asked.items()
        if name in PASSED_ON or name in provider.passed_on or name.startswith(provider.passed_families)
    }
    headers = {**OURS, **provider.headers, **passed}
    for name, value in provider.added.items():
        said = headers.get(name, "")
        if value not in (each.strip() for each in said.split(",")):
            headers[name] = f"{said},{value}" if said else value
    for name, value in upstream.headers.items():
        source = value[1:].lower()
        copied = value if not value.startswith("$") else None if source in NEVER_COPIED else client.get(source)
        if copied is not None:
            headers[name.lower()] = copied
    return headers
