"""The fault wall: one account's upstream fails in every way we know of, the other answers. Before anything useful has reached
the client it gets the other's answer; after that, an error that the official SDK raises. Never a part for the whole.

Sixteen kinds of fault, each in its variants; the name of a case begins with its kind."""

import gzip
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam

from tests.faults.behaviours import ByModel, end, hold, html, plain, raw, reset, stay, trickles
from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import (
    Behaviour,
    Received,
    Wire,
    begin_stream,
    completion,
    events,
    fails,
    says,
    upstream,
)

ASK: list[ChatCompletionMessageParam] = [{"role": "user", "content": "hi"}]

AT_ONCE = 8
"""Cases side by side: most of their time they wait."""

SEES_WITHIN = 20.0
"""Seconds that an upstream waits for its client to see something. No test passes by it."""

ROLE, FIRST, SECOND, STOP, USAGE, DONE = events("partial", " text")
WHOLE = b"".join((ROLE, FIRST, SECOND, STOP, USAGE, DONE))
ERROR = b'data: {"error": {"message": "no capacity", "code": 503}}\n\n'


def stream(data: bytes, then: Callable[[Wire], None], *more: bytes) -> Behaviour:
    def behave(_request: Received, wire: Wire) -> None:
        begin_stream(wire)
        wire.chunk(data)
        for each in more:
            wire.chunk(each)
        then(wire)

    return behave


def then(data: bytes, after: Callable[[Wire], None], *, unframed: bytes = b"") -> Callable[[Wire], None]:
    def go_on(wire: Wire) -> None:
        if data:
            wire.chunk(data)
        wire.send(unframed)
        after(wire)

    return go_on


SSE = "content-type: text/event-stream"
GZIPPED = gzip.compress(WHOLE)

BEFORE: dict[str, Behaviour] = {
    "1 status 408": fails(408),
    "1 status 500": fails(500),
    "1 status 502": fails(502),
    "1 status 503 with Retry-After": fails(503, headers={"retry-after": "30"}),
    "1 status 529": fails(529),
    "2 status 429": fails(429, headers={"retry-after": "30"}),
    "3 status 401": fails(401, code="invalid_api_key"),
    "3 status 403": fails(403),
    "5 reset before the headers": lambda _request, wire: reset(wire),
    "5 reset in the headers": raw(b"HTTP/1.1 200 OK\r\ncontent-", reset),
    "5 closed before the headers": lambda _request, wire: wire.cut(),
    "6 silent before the headers": lambda _request, wire: hold(wire),
    "6 headers that trickle": trickles,
    "7 silent before the first event": stream(b": hello\n\n", hold),
    "7 silent after a role": stream(ROLE, hold),
    "8 cut after a role": stream(ROLE, Wire.cut),
    "8 reset after a role": stream(ROLE, reset),
    "8 ended after a role": stream(ROLE, end),
    "8 ended without a word": plain(b"", f"{SSE}\r\ncontent-length: 0"),
    "10 error in a stream of status 200": stream(ERROR, end),
    "10 error after a role": stream(ROLE + ERROR, end),
    "10 error as JSON with status 200": plain(b'{"error": {"message": "no"}}', "content-type: application/json\r\ncontent-length: 28", stay),
    "11 HTML with status 200": html(),
    "11 HTML with status 502": html(502),
    "11 HTML called a stream": plain(b"<html></html>\n\n", f"{SSE}\r\ncontent-length: 15"),
    "12 not JSON": stream(b"data: {not json\n\n", end),
    "12 not an object": stream(b"data: [1, 2]\n\n", end),
    "13 not HTTP": raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "13 chunk size that is none": raw(f"HTTP/1.1 200 OK\r\n{SSE}\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n".encode()),
    "13 both length and chunks": raw(
        f"HTTP/1.1 200 OK\r\n{SSE}\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n".encode()
    ),
    "14 length longer than the body": plain(ROLE, f"{SSE}\r\ncontent-length: 9999"),
    "14 length shorter than the body": plain(ROLE, f"{SSE}\r\ncontent-length: {len(ROLE) // 2}"),
    "15 gzip that is cut": plain(GZIPPED[:20], f"{SSE}\r\ncontent-encoding: gzip\r\ncontent-length: 20", stay),
    "15 gzip that is damaged": plain(b"\x1f\x8b\x08\x00junkjunkjunk", f"{SSE}\r\ncontent-encoding: gzip\r\ncontent-length: 16"),
    "16 HTTP/1.0 closed early": plain(ROLE, SSE, version="1.0"),
    "16 redirect": lambda _request, wire: wire.answer(302, b"", {"location": "http://127.0.0.1:1/"}),
}  # fmt: skip

AFTER: dict[str, Callable[[Wire], None]] = {
    "9 cut": Wire.cut,
    "9 reset": reset,
    "9 silent": hold,
    "9 ended": end,
    "9 cut inside an event": then(b'data: {"id": "half', Wire.cut),
    "9 cut after the last word": then(STOP, Wire.cut),
    "10 error amid the stream": then(ERROR, end),
    "12 not JSON": then(b"data: {not json\n\n", end),
    "12 one bad event amid good ones": then(b"data: {not json\n\n" + SECOND + STOP + DONE, end),
    "13 chunk size that is none": then(b"", Wire.cut, unframed=b"zz\r\n"),
    "13 chunk shorter than its size": then(b"", Wire.cut, unframed=b"ffff\r\n" + SECOND),
}

COMPLETE: dict[str, Behaviour] = {
    "4 a second end": stream(WHOLE, end, STOP + DONE),
    "4 events after the end": stream(WHOLE, end, SECOND + ERROR),
    "4 an end that comes twice at once": stream(WHOLE + DONE + SECOND, end),
    "9 cut after the end": stream(WHOLE, Wire.cut),
    "9 silent after the end": stream(WHOLE, hold),
    "15 gzip nobody asked for": plain(GZIPPED, f"{SSE}\r\ncontent-encoding: gzip\r\ncontent-length: {len(GZIPPED)}", stay),
    "16 HTTP/1.0 closed at the end": plain(WHOLE, SSE, version="1.0"),
    "16 no blank line at the end": plain(WHOLE.rstrip(b"\n"), f"{SSE}\r\ncontent-length: {len(WHOLE) - 2}", stay),
}  # fmt: skip


ALSO_WHOLE = ("1 ", "2 ", "3 ", "5 ", "6 ", "11 HTML with status", "13 not HTTP", "16 redirect")
"""What the names of faults begin with that know of no stream."""

JSON_ANSWER = completion("partial text")
JSON_HEAD = "content-type: application/json\r\ncontent-length: "
WHOLE_FAULTS: dict[str, Behaviour] = {
    **{name: fault for name, fault in BEFORE.items() if name.startswith(ALSO_WHOLE)},
    "9 cut": plain(JSON_ANSWER[:-20], f"{JSON_HEAD}{len(JSON_ANSWER)}"),
    "10 error with status 200": plain(b'{"error": {"message": "no"}}', f"{JSON_HEAD}28", stay),
    "11 HTML with status 200": html(),
    "12 not JSON": plain(JSON_ANSWER[:-1] + b"]", f"{JSON_HEAD}{len(JSON_ANSWER)}", stay),
    "14 length shorter than the body": plain(JSON_ANSWER, f"{JSON_HEAD}{len(JSON_ANSWER) - 20}"),
    "15 gzip that is cut": plain(
        gzip.compress(JSON_ANSWER)[:-30],
        f"content-encoding: gzip\r\n{JSON_HEAD}{len(gzip.compress(JSON_ANSWER)) - 30}",
        stay,
    ),
    "16 HTTP/1.0 closed early": plain(JSON_ANSWER[:-20], "content-type: application/json", version="1.0"),
}


@pytest.fixture(scope="module")
def bad() -> ByModel:
    return ByModel()


@pytest.fixture(scope="module")
def good() -> ByModel:
    return ByModel()


@pytest.fixture(scope="module")
def gateway(bad: ByModel, good: ByModel, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with upstream(bad) as first, upstream(good) as second:
        text = f"""
request-retry: 0
disable-cooling: true
routing: {{strategy: fill-first, session-affinity: false}}
timeouts: {{connect: 1, first-byte: 1, first-token: 1, idle: 1}}
openai-api-key:
  - {{api-key: first-key-0123456789, name: first, base-url: "{first.base_url}"}}
  - {{api-key: second-key-0123456789, name: second, base-url: "{second.base_url}"}}
"""
        with daemon(tmp_path_factory.mktemp("wall"), text) as running:
            yield running
    assert all(json.loads(line)["level"] in ("info", "warn") for line in running.output), "nothing is our fault"


@dataclass
class Told:
    """What the SDK's user saw."""

    text: str = ""
    error: openai.APIError | None = None
    total: int | None = None
    another: bool = False
    """Whether the other account was asked."""


def ask(address: str, model: str, saw: Callable[[], object], *, streamed: bool) -> Told:
    told = Told()
    with OpenAI(base_url=address, api_key="any", max_retries=0) as client:
        try:
            if not streamed:
                told.text = client.chat.completions.create(model=model, messages=ASK).choices[0].message.content or ""
                return told
            for chunk in client.chat.completions.create(
                model=model, messages=ASK, stream=True, stream_options={"include_usage": True}
            ):
                told.text += "".join(choice.delta.content or "" for choice in chunk.choices)
                told.total = chunk.usage.total_tokens if chunk.usage else told.total
                saw()
        except openai.APIError as error:
            told.error = error
    return told


class Asking:
    """Begins calls, a model each, of which the first account's upstream behaves as is said."""

    def __init__(self, gateway: Daemon, bad: ByModel, good: ByModel, executor: Executor) -> None:
        self._gateway, self._bad, self._good, self._executor = gateway, bad, good, executor

    def __call__(
        self, fault: Behaviour, saw: Callable[[], object] = lambda: None, *, streamed: bool = True
    ) -> Future[Told]:
        model = f"case-{len(self._bad.behaviours)}"
        self._bad.behaviours[model] = fault
        self._good.behaviours[model] = says("from", " the", " second")
        return self._executor.submit(self._told, model, saw, streamed=streamed)

    def _told(self, model: str, saw: Callable[[], object], *, streamed: bool) -> Told:
        told = ask(self._gateway.base_url, model, saw, streamed=streamed)
        return replace(told, another=model in self._good.asked)


@pytest.fixture(scope="module")
def asking(gateway: Daemon, bad: ByModel, good: ByModel) -> Iterator[Asking]:
    with ThreadPoolExecutor(AT_ONCE) as executor:
        yield Asking(gateway, bad, good, executor)


Answers = Mapping[str, Future[Told]]


@pytest.fixture(scope="module")
def before(asking: Asking) -> Answers:
    return {name: asking(fault) for name, fault in BEFORE.items()}


@pytest.fixture(scope="module")
def complete(asking: Asking) -> Answers:
    return {name: asking(behaviour) for name, behaviour in COMPLETE.items()}


@pytest.fixture(scope="module")
def whole(asking: Asking) -> Answers:
    return {name: asking(fault, streamed=False) for name, fault in WHOLE_FAULTS.items()}


@pytest.fixture(scope="module")
def after(asking: Asking) -> Answers:
    def begin(goes_on: Callable[[Wire], None]) -> Future[Told]:
        seen = threading.Event()

        def behave(_request: Received, wire: Wire) -> None:
            begin_stream(wire)
            wire.chunk(ROLE + FIRST)
            assert seen.wait(SEES_WITHIN)
            goes_on(wire)

        return asking(behave, seen.set)

    return {name: begin(goes_on) for name, goes_on in AFTER.items()}


@pytest.mark.parametrize("name", BEFORE)
def test_before_anything_useful_another_account_answers(before: Answers, name: str) -> None:
    told = before[name].result()
    assert (told.text, told.error) == ("from the second", None)


@pytest.mark.parametrize("name", AFTER)
def test_after_that_the_client_is_told(after: Answers, name: str) -> None:
    told = after[name].result()
    assert told.text.startswith("partial")
    assert told.error is not None
    assert not told.another


@pytest.mark.parametrize("name", COMPLETE)
def test_what_is_complete_ends_once(complete: Answers, name: str) -> None:
    told = complete[name].result()
    assert (told.text, told.error, told.total) == ("partial text", None, 11)


@pytest.mark.parametrize("name", WHOLE_FAULTS)
def test_a_whole_answer_is_whole_or_anothers(whole: Answers, name: str) -> None:
    told = whole[name].result()
    assert (told.text, told.error) == ("from the second", None)
