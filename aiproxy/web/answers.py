"""Writing an answer or an error into a request: the same few lines for every protocol."""

from uuid import uuid4

import orjson
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.iweb import IRequest
from twisted.web.server import Request
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import MethodNotAllowed as WrongMethod

from aiproxy.codecs.base import Answer
from aiproxy.codecs.wire import Wire
from aiproxy.neutral.errors import GatewayError, Internal, MethodNotAllowed, NotFound
from aiproxy.usage import CallRecord
from aiproxy.web.context import context_of, new_request_id

_log = Logger("aiproxy.web")


def write_answer(request: Request, answer: Answer) -> bytes:
    """Set status and headers; the body is the handler's return value."""
    request.setResponseCode(answer.status)
    request.setHeader("content-type", answer.content_type)
    request.setHeader("content-length", str(len(answer.body)))
    for name, value in answer.headers.items():
        request.setHeader(name, value)
    return answer.body


def write_json(request: Request, value: object, status: int = 200) -> bytes:
    return write_answer(request, Answer(status, orjson.dumps(value)))


def error_answer(wire: Wire, request: Request | None, error: GatewayError) -> Answer:
    """The error in the caller's protocol, with the request's id."""
    context = context_of(request) if request is not None else None
    if context:
        context.record.error = error.kind
    return wire.encode_error(error, context.record.request_id if context else new_request_id())


def write_failure(wire: Wire, request: IRequest, failure: Failure) -> bytes:
    """Whatever a handler raised. After the first byte of an answer there is nothing left to say here."""
    assert isinstance(request, Request)
    answer = error_answer(wire, request, as_gateway_error(failure, request))
    context = context_of(request)
    if context and context.client.told and context.record.attempts:
        request.setHeader("x-aiproxy-provider", context.record.provider)
        request.setHeader("x-aiproxy-attempts", str(len(context.record.attempts)))
    return b"" if request.startedWriting else write_answer(request, answer)


def as_gateway_error(failure: Failure, request: Request) -> GatewayError:
    """Ours as it is, a route that doesn't exist as 404 or 405, anything else as an incident."""
    match failure.value:
        case GatewayError() as error:
            return error
        case WrongMethod() as wrong:
            methods = ", ".join(sorted(wrong.valid_methods or ()))
            message = f"{request.method.decode('ascii', 'replace')} is not possible here; use {methods}."
            return MethodNotAllowed(message, headers={"allow": methods})
        case HTTPException():
            path = request.path.decode("utf-8", "replace")
            return NotFound(
                f"There is nothing at {path}. The API starts at /v1; GET /v1/models lists the models.",
                code="unknown_url",
            )
        case _:
            context = context_of(request)
            return as_incident(failure, context.record if context else None)


def as_incident(failure: Failure, record: CallRecord | None) -> Internal:
    """A bug of ours: the log has it, with whose call it was; the client only the incident's name."""
    incident = uuid4().hex[:12]
    _log.failure("incident {incident}", failure, incident=incident, **(record.named if record else {}))
    return Internal(f"Something went wrong inside the gateway. Its log knows more under incident {incident}.")
