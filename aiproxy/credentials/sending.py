"""A request in the name of an account."""

from collections.abc import Collection
from typing import NamedTuple

from aiproxy.credentials.base import Credential, Headers, Way
from aiproxy.transports.base import Request, Response


class Sent(NamedTuple):
    """`at` is when, by the clock; `signature` what the upstream was shown."""

    response: Response
    signature: Headers
    at: float


async def send(request: Request, credential: Credential, way: Way, stale: Collection[int] = (401,)) -> Sent:
    """An upstream that won't have a token any more, which it says by one of the statuses `stale`, is asked once more with
    a new one."""
    sent = await _send(request, credential, way)
    if sent.response.status not in stale or not credential.refused(sent.signature):
        return sent
    sent.response.abort()
    return await _send(request, credential, way)


async def _send(request: Request, credential: Credential, way: Way) -> Sent:
    signature = await credential.sign(way)
    at = way.clock.seconds()
    return Sent(await way.transport.send(request.with_headers(signature)), signature, at)
