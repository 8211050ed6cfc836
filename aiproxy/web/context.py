"""What we know of a client's HTTP request from its headers on: its id, its record, and who sent it."""

import re
from dataclasses import dataclass
from secrets import token_hex

from twisted.web.server import Request
from zope.interface import Attribute, Interface, implementer

from aiproxy.clients import ANYONE, Client
from aiproxy.gateway.overhearing import Overhears
from aiproxy.usage import CallRecord
from aiproxy.web.keys import header
from aiproxy.web.request import HttpRequest

_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")
"""Request ids we take over from a caller: long enough to be unique, and nothing that could break a log line."""


class IContext(Interface):
    """Where a request keeps its `Context`."""

    record = Attribute("The call's record.")


@implementer(IContext)
@dataclass(slots=True)
class Context:
    record: CallRecord
    client: Client = ANYONE
    provider: str = ""
    """The only provider to ask, where the path or a header named one."""
    overhears: Overhears | None = None
    """Who is told of what upstreams are asked and answer: the console, of calls that are made from it."""


def attach(request: HttpRequest, now: float) -> Context:
    """Begin the record of a request whose headers are complete."""
    asked = header(request, b"x-request-id")
    request_id = asked if _SANE_ID.fullmatch(asked) else f"req_{token_hex(16)}"
    context = Context(CallRecord(request_id, now))
    request.setComponent(IContext, context)
    request.setHeader("x-request-id", request_id)
    return context


def context_of(request: Request) -> Context | None:
    """None for a request that was refused before its headers were understood."""
    found: Context | None = request.getComponent(IContext)
    return found
