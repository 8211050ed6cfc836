"""The transport behind which the demo lives: a request goes to the endpoint its path ends in, whatever stands before."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson
from twisted.internet import defer
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime

from aiproxy.config.schema import Demo
from aiproxy.neutral.errors import GatewayError, InvalidRequest, NotFound, UpstreamFailed
from aiproxy.providers.demo import chat, completions, embeddings
from aiproxy.providers.demo.faults import SCRIPTED, Send, Step, spoil_stream, spoil_whole
from aiproxy.providers.demo.playback import Playback
from aiproxy.providers.demo.reading import body_of, flag, text, wants_usage
from aiproxy.providers.demo.script import MODELS, Kind, Script, read_script
from aiproxy.providers.demo.wire import error_body, refusal
from aiproxy.transports.base import Request, Response

MOST_COUNTED = 1024
"""Model names whose requests are counted for `@first`; the one not used for longest is forgotten."""


class DemoTransport:
    """A `transports.Transport`. Its only memory is a serial number for ids, and the counts of `@first`."""

    def __init__(self, clock: IReactorTime, demo: Demo) -> None:
        self._clock = clock
        self._demo = demo
        self._serial = 0
        self._failed: OrderedDict[str, int] = OrderedDict()

    def send(self, request: Request) -> Deferred[Response]:
        self._serial += 1
        delay = 0.0
        try:
            match request.method, urlsplit(request.url).path.rstrip("/").rpartition("/models"):
                case "GET", (_, "/models", name):
                    response = self._json(200, _model_list(unquote(name).strip("/")))
                case "POST", (_, _, path):
                    script, body = self._read(request)
                    if script.refuse:
                        return defer.fail(UpstreamFailed("The demo refused the connection: the model's name says so."))
                    delay = script.slow_headers
                    response = self._answer(path, script, body)
                case _:
                    raise NotFound(f"The demo has no {request.method} {urlsplit(request.url).path}.")
        except GatewayError as error:
            response = self._json(error.status, refusal(error))
        answered: Deferred[Response] = Deferred(lambda _: timer.cancel())
        timer = self._clock.callLater(delay, answered.callback, response)
        return answered

    def _read(self, request: Request) -> tuple[Script, Mapping[str, Any]]:
        body = body_of(request.body)
        model = text(body, "model")
        script = read_script(model, self._demo)
        if script.first is not None and self._count(model) > script.first:
            script = script.recovered()
        return script, body

    def _count(self, model: str) -> int:
        count = self._failed.pop(model, 0) + 1
        self._failed[model] = count
        if len(self._failed) > MOST_COUNTED:
            self._failed.popitem(last=False)
        return count

    def _answer(self, path: str, script: Script, body: Mapping[str, Any]) -> Playback:
        if script.status is not None:
            extra = {} if script.retry_after is None else {"retry-after": f"{script.retry_after:g}"}
            return self._json(script.status, error_body(script.status, SCRIPTED), extra)
        if path.endswith("/embeddings") is not (script.kind is Kind.EMBED):
            raise InvalidRequest("demo-embed is for /embeddings, and no other demo model is.", param="model")
        if path.endswith("/embeddings"):
            return self._whole(script, embeddings.whole(body))
        streamed, include_usage, now = flag(body, "stream"), wants_usage(body), self._clock.seconds()
        if path.endswith("/chat/completions"):
            answer = chat.answer(body, script, self._serial, now)
            if streamed:
                return self._stream(script, chat.events(answer, include_usage=include_usage))
            return self._whole(script, chat.whole(answer))
        if path.endswith("/completions"):
            completion = completions.complete(body, script, self._serial, now)
            if streamed:
                return self._stream(script, completions.events(completion, include_usage=include_usage))
            return self._whole(script, completions.whole(completion))
        raise NotFound(f"The demo has no POST {path}.")

    def _stream(self, script: Script, events: Iterator[Send]) -> Playback:
        headers = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        return self._play(200, headers, spoil_stream(script, events), script.latency, script.tps)

    def _whole(self, script: Script, body: bytes) -> Playback:
        return self._play(200, {"content-type": "application/json"}, spoil_whole(script, body), script.latency)

    def _json(self, status: int, body: bytes, extra: Mapping[str, str] | None = None) -> Playback:
        return self._play(status, {"content-type": "application/json", **(extra or {})}, iter([Send(body)]))

    def _play(
        self, status: int, headers: Mapping[str, str], steps: Iterator[Step], latency: float = 0.0, tps: float = 0.0
    ) -> Playback:
        named = {"x-request-id": f"req_demo{self._serial}", **headers}
        return Playback(self._clock, status, named, steps, latency=latency, tps=tps)


def _model_list(name: str) -> bytes:
    """All models, or the one that is named; a script in the name is read first."""
    if not name:
        return orjson.dumps({"object": "list", "data": [_card(model) for model in MODELS]})
    read_script(name, Demo())
    return orjson.dumps(_card(name))


def _card(model: str) -> dict[str, Any]:
    return {"id": model, "object": "model", "created": 0, "owned_by": "aiproxy"}
