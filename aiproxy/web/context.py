"""What we know of a client's HTTP request from its headers on: its id, its record, and who sent it."""

import re
from dataclasses import dataclass
from secrets import token_hex
from time import time

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


def new_request_id() -> str:
    """The time in milliseconds and 80 random bits, as in a UUID of version 7 (RFC 9562): calls of one time then stand together in the
    ledger's index. Scattered ones cost its database twice as much, since each of its pages is written again for every few calls."""
    return f"req_{int(time() * 1000):012x}{token_hex(10)}"


def attach(request: HttpRequest, now: float) -> Context:
    """Begin the record of a request whose headers are complete."""
    asked = header(request, b"x-request-id")
    request_id = asked if _SANE_ID.fullmatch(asked) else new_request_id()
    context = Context(CallRecord(request_id, now))
    request.setComponent(IContext, context)
    request.setHeader("x-request-id", request_id)
    return context


def context_of(request: Request) -> Context | None:
    """None for a request that was refused before its headers were understood."""
    found: Context | None = request.getComponent(IContext)
    return found
