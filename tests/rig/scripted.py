"""A gateway in virtual time before upstreams that answer by script: for what a call goes through, not for sockets."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IProtocol, IPushProducer
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone

from aiproxy.clients import ANYONE, Client
from aiproxy.codecs import openai_chat
from aiproxy.codecs.codec import Codec, Incoming
from aiproxy.gateway import Gateway, build_snapshot
from aiproxy.gateway.call import read_call
from aiproxy.neutral.errors import GatewayError
from aiproxy.providers.base import Operation, Provider
from aiproxy.registry import load_registry
from aiproxy.transports.base import Request, Response
from aiproxy.usage import CallRecord
from tests.config.reading import load

OK = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
}


@dataclass
class Said:
    """An upstream's answer. One with status 0 never comes."""

    status: int = 200
    body: Any = field(default_factory=lambda: OK)
    headers: Mapping[str, str] = field(default_factory=dict)

    def deliver(self, body: IProtocol) -> None:
        body.makeConnection(self)  # type: ignore[arg-type]
        body.dataReceived(json.dumps(self.body).encode())
        body.connectionLost(Failure(ResponseDone()))

    def abort(self) -> None: ...

    abortConnection = pauseProducing = resumeProducing = abort


@dataclass
class Streams(Said):
    """A stream that says what the test tells it to: `say` and `end` speak to whoever reads it last."""

    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "text/event-stream"})
    readers: list[Any] = field(default_factory=list)
    aborted: list[Any] = field(default_factory=list)

    def deliver(self, body: IProtocol) -> None:
        self.readers.append(body)
        body.makeConnection(self)  # type: ignore[arg-type]

    def say(self, *events: bytes) -> None:
        self.readers[-1].dataReceived(b"".join(events))

    def end(self, *, clean: bool = True) -> None:
        self.readers[-1].connectionLost(Failure(ResponseDone() if clean else ConnectionError()))

    def abort(self) -> None:
        self.aborted.append(self.readers[-1] if self.readers else None)

    abortConnection = abort


def fails(status: int, message: str = "no", code: str | None = None, **headers: str) -> Said:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Said(status, {"error": {"message": message, "code": code}}, named)


SILENT = Said(0)
Answer = Said | GatewayError


@dataclass
class Host:
    """`script` is used up answer by answer, then `otherwise` is the answer."""

    otherwise: Answer = field(default_factory=Said)
    script: list[Answer] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    cancelled: int = 0

    def send(self, request: Request) -> Deferred[Response]:
        self.asked.append(request)
        answer = self.script.pop(0) if self.script else self.otherwise
        sent: Deferred[Response] = Deferred(self._cancelled)
        if isinstance(answer, GatewayError):
            sent.errback(answer)
        elif answer.status:
            headers = {"content-type": "application/json", **answer.headers}
            sent.callback(replace(answer, headers=headers))
        return sent

    def _cancelled(self, sent: Deferred[Response]) -> None:
        self.cancelled += 1
        sent.errback(CancelledError())


class Sink:
    """What the client gets."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: Mapping[str, str] = {}
        self.body = b""

    def start(self, status: int, headers: Mapping[str, str]) -> None:
        self.status, self.headers = status, headers

    def write(self, data: bytes) -> None:
        self.body += data

    def abort(self) -> None: ...
    def register(self, producer: IPushProducer) -> None: ...
    def unregister(self) -> None: ...


@dataclass
class Asked:
    """A call under way or ended."""

    record: CallRecord
    sink: Sink
    done: Deferred[None]
    error: BaseException | None = None

    @property
    def accounts(self) -> Sequence[str]:
        return [attempt.account for attempt in self.record.attempts]


class Rig:
    """A gateway of this configuration; upstreams are found by the host of their `base-url`, `http://one.test/v1`."""

    def __init__(self, configuration: str, providers: Sequence[Provider] | None = None) -> None:
        self.clock = Clock()
        self.hosts: dict[str, Host] = {}
        self._calls = 0
        self._providers = load_registry([]).providers if providers is None else providers
        self.gateway = Gateway(self.clock, Random(1), self.snapshot(configuration))

    def snapshot(self, configuration: str) -> Any:
        settings = load(configuration).settings
        return build_snapshot(settings, (), self._providers, self.clock, lambda _: self)

    def __getitem__(self, name: str) -> Host:
        return self.hosts.setdefault(name, Host())

    def send(self, request: Request) -> Deferred[Response]:
        return self[(urlsplit(request.url).hostname or "").partition(".")[0]].send(request)

    def resolve(self, host: str) -> Deferred[str]:
        raise AssertionError(host)

    def ask(
        self,
        model: str = "m",
        words: str = "hi",
        client: Client = ANYONE,
        codec: Codec = openai_chat.CODEC,
        **more: Any,
    ) -> Asked:
        """Begin a call; it is done when nothing has to be waited for."""
        self._calls += 1
        record = CallRecord(f"req_{self._calls}", self.clock.seconds())
        body = {"model": model, "messages": [{"role": "user", "content": words}], **more}
        incoming = Incoming(json.dumps(body).encode())
        call = read_call(codec.wire, Operation.CHAT, incoming, client, record, codec=codec)
        asked = Asked(record, Sink(), Deferred())

        def ended(failure: Failure) -> None:
            asked.error = failure.value

        asked.done = Deferred.fromCoroutine(self.gateway.answer(call, asked.sink)).addErrback(ended)
        return asked

    def wait(self, seconds: float, until: Callable[[], object] = lambda: False) -> None:
        """Alarm by alarm, each at its own time."""
        end = self.clock.seconds() + seconds
        while not until() and (due := [c.getTime() for c in self.clock.getDelayedCalls() if c.getTime() <= end]):
            self.clock.advance(max(0.0, min(due) - self.clock.seconds()))
        if not until():
            self.clock.advance(end - self.clock.seconds())
