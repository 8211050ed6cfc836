"""What the observer writes: for people, for machines, and never a secret."""

import io
import json
import re
from typing import Any

import pytest
from twisted.logger import ILogObserver, Logger, LogLevel
from twisted.python.failure import Failure
from zope.interface.verify import verifyObject

from aiproxy.config.schema import LogFormat, Logging
from aiproxy.config.schema import LogLevel as Level
from aiproxy.logs import ACCESS, AccessEntry, LogObserver, Scrubbing, access, make_observer, spellings
from aiproxy.secrets import Scrubber, Secret
from aiproxy.usage import CallRecord
from aiproxy.usage.trace import Trace

CANARY = "canary-in-a-coal-mine"
NOON = 1795262400.125  # 2026-11-21T12:00:00.125Z

ENTRY = AccessEntry(
    request_id="req_1",
    method="POST",
    path="/v1/chat/completions",
    status=200,
    protocol="openai-chat",
    client="team-a",
    provider="openai-1",
    model="gpt-5.4",
    attempts=2,
    first_byte_ms=211.6,
    total_ms=1203.9,
    bytes_out=3456,
)


class Log:
    """A logger, and what comes out of it."""

    def __init__(
        self, *, isatty: bool = False, scrub: Scrubbing | None = None, namespace: str = "aiproxy.x", **logging: Any
    ) -> None:
        self.stream = io.StringIO()
        self.observer = make_observer(Logging(**logging), scrub or Scrubbing(), self.stream, isatty=isatty)
        self.to = Logger(namespace, observer=self.observer)

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def json(self) -> dict[str, Any]:
        (line,) = self.text.splitlines()
        parsed = json.loads(line)
        assert isinstance(parsed, dict)
        return parsed


def failure(message: str) -> Failure:
    try:
        raise ValueError(message)
    except ValueError:
        return Failure()


def test_it_is_an_observer() -> None:
    verifyObject(ILogObserver, Log().observer)


def test_json() -> None:
    log = Log()
    log.observer(
        {
            "log_time": NOON,
            "log_level": LogLevel.warn,
            "log_namespace": "aiproxy.pools",
            "log_format": "{account} rests {seconds} s",
            "account": "openai-1",
            "seconds": 7,
            "object": object(),
            "msg": "its own",
            "nested": {"tries": [1, None, 2.5, object()], "key": Secret("x")},
        }
    )
    assert log.json == {
        "ts": "2026-11-21T12:00:00.125+00:00",
        "level": "warn",
        "logger": "aiproxy.pools",
        "msg": "openai-1 rests 7 s",
        "account": "openai-1",
        "seconds": 7,
        "msg_": "its own",
        "nested": {"tries": [1, None, 2.5]},
    }


def test_text_on_a_terminal() -> None:
    log = Log(isatty=True, namespace="aiproxy.pools.pool")
    log.to.error("It broke.\nTwice.", log_failure=failure("because"), request_id="req_7")
    first, *rest = log.text.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3} \x1b\[31merror\x1b\[0m pools\.pool: It broke\.", first)
    assert rest[0] == "    Twice. [req_7]"
    assert rest[-1] == "    builtins.ValueError: because"
    assert all(line.startswith("    ") for line in rest)


def test_text_elsewhere_has_the_day_and_no_colour() -> None:
    log = Log(format=LogFormat.TEXT)
    log.to.info("hello")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} info  x: hello\n", log.text)


def test_access_entry_as_json() -> None:
    log = Log(namespace=ACCESS)
    access(ENTRY, log.observer)
    line = log.json
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", line.pop("ts"))
    assert line == {
        "level": "info",
        "logger": "aiproxy.access",
        "msg": "POST /v1/chat/completions 200 openai-1 gpt-5.4 212/1204 ms 3456 B client=team-a attempts=2 req_1",
        "request_id": "req_1",
        "method": "POST",
        "path": "/v1/chat/completions",
        "status": 200,
        "protocol": "openai-chat",
        "client": "team-a",
        "provider": "openai-1",
        "model": "gpt-5.4",
        "attempts": 2,
        "first_byte_ms": 211.6,
        "total_ms": 1203.9,
        "bytes_out": 3456,
        "outcome": "ok",
    }


def test_access_line_of_a_request_that_came_to_nothing() -> None:
    log = Log(isatty=True, namespace=ACCESS)
    access(
        AccessEntry("req_2", "GET", "/v1/models?key=hidden", 401, total_ms=0.4, bytes_out=90, outcome="authentication"),
        log.observer,
    )
    assert log.text.endswith("access: GET /v1/models 401 0 ms 90 B authentication req_2\n")


def test_lines_of_a_call_in_a_trace_say_which() -> None:
    machine, person = Log(namespace=ACCESS), Log(namespace=ACCESS, isatty=True)
    traced = ENTRY._replace(trace_id="4bf92f3577b34da6a3ce929d0e0e4736", span_id="00f067aa0ba902b7")
    for log in (machine, person):
        access(traced, log.observer)
    assert machine.json["trace_id"] == traced.trace_id
    assert machine.json["span_id"] == traced.span_id
    assert person.text.endswith(f" attempts=2 req_1 trace={traced.trace_id}\n")


def test_other_lines_of_such_a_call_say_so_too() -> None:
    record = CallRecord("req_7", 0.0, trace=Trace("4bf92f3577b34da6a3ce929d0e0e4736", "", 0))
    machine, person = Log(), Log(format=LogFormat.TEXT)
    for log in (machine, person):
        log.to.error("It broke.", **record.named)
    assert machine.json["request_id"] == "req_7"
    assert machine.json["trace_id"] == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert "span_id" not in machine.json
    assert person.text.endswith(" It broke. [req_7] trace=4bf92f3577b34da6a3ce929d0e0e4736\n")


@pytest.mark.parametrize(
    ("level", "written"),
    [
        (Level.DEBUG, ["debug", "info", "warn", "error", "critical"]),
        (Level.INFO, ["info", "warn", "error", "critical"]),
        (Level.WARN, ["warn", "error", "critical"]),
        (Level.ERROR, ["error", "critical"]),
    ],
)
def test_level(level: Level, written: list[str]) -> None:
    log = Log(level=level)
    for each in LogLevel.iterconstants():
        log.to.emit(each, "x")
    assert [json.loads(line)["level"] for line in log.text.splitlines()] == written


@pytest.mark.parametrize("namespace", ["twisted.web", "log_legacy"])
def test_twisteds_own_info_is_debug_to_us(namespace: str) -> None:
    quiet, loud = Log(namespace=namespace), Log(namespace=namespace, level=Level.DEBUG)
    for log in (quiet, loud):
        log.to.info("Starting factory")
        log.to.warn("trouble")
    assert len(quiet.text.splitlines()) == 1
    assert len(loud.text.splitlines()) == 2


@pytest.mark.parametrize("isatty", [True, False])
def test_no_secret_comes_through(isatty: bool) -> None:
    log = Log(isatty=isatty, level=Level.DEBUG, scrub=Scrubbing(Scrubber(spellings([Secret(CANARY)]))))
    log.to.error(
        f"message {CANARY} {{field}} {{error!r}}",
        field=CANARY,
        error=ValueError(CANARY),
        nested={CANARY: [CANARY, {"a": (CANARY,)}]},
        log_failure=failure(f"{CANARY} and Bearer {CANARY[::-1]}"),
    )
    log.to.info("{broken}", broken=Broken())
    odd: dict[Any, Any] = {"log_namespace": CANARY, "log_format": "{missing}", "field": CANARY}
    log.observer(odd)
    odd[5] = CANARY
    log.observer(odd)
    access(AccessEntry("req", "GET", f"/{CANARY}", 404, client=CANARY), log.observer)
    access(AccessEntry(CANARY, "GET", "/\0\ud800", 404, client=CANARY), log.observer)
    assert log.text.count("[secret]") > 8
    assert "canary" not in log.text
    assert CANARY[::-1] not in log.text


class Broken:
    """Nothing can be done with it."""

    def __repr__(self) -> str:
        raise RuntimeError(CANARY)

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        raise RuntimeError(CANARY)


class BrokenError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")

    __repr__ = __str__


@pytest.mark.parametrize("isatty", [True, False])
@pytest.mark.parametrize(
    "event",
    [
        {},
        {"log_format": "{a.b[0]()}", "a": 1},
        {"log_format": "{x}", "x": Broken()},
        {"log_format": b"bytes"},
        {"log_format": 5},
        {"log_format": "x", "log_level": "loud", "log_time": "now", "log_namespace": 7, "log_failure": "none"},
        {"log_format": "x", "log_failure": Failure(BrokenError())},
        {"log_format": "lone \ud800 surrogate", "field": "\ud800"},
        {"log_format": "x", "big": 10**30, "nan": float("nan"), "deep": [[[[[[1]]]]]], "keys": {1: 2, None: 3}},
        {"log_format": "x", 5: 6},
        {"log_format": "x", "log_time": 1e300},
        {"log_namespace": ACCESS, "log_format": "{method}", "method": None},
        {"log_namespace": ACCESS, "log_format": "no access entry"},
        {"isError": 1, "failure": Failure(ValueError("x")), "why": "y", "message": ("z",)},
    ],
)
def test_an_event_may_hold_anything(event: dict[Any, Any], isatty: bool) -> None:
    log = Log(isatty=isatty)
    log.observer(event)
    assert log.text.count("\n") >= 1
    if not isatty:
        assert log.json["level"] in ("info", "error")
    assert "can't be shown" not in log.text or 5 in event or event.get("log_time") == 1e300


def test_text_from_outside_cannot_draw_or_fake_lines() -> None:
    log = Log(isatty=True, namespace="aiproxy.y")
    log.to.info("{path}", path="/\x1b[2J\r\x9b\n12:00:00.000 info  y: all is well")
    _, forged = log.text.splitlines()
    assert log.text.count("\x1b") == 2  # our own colour
    assert r"/\x1b[2J\x0d\x9b" in log.text
    assert forged.startswith("    12:00")


def test_a_long_text_is_cut_after_it_was_scrubbed() -> None:
    log = Log(scrub=Scrubbing(Scrubber([Secret(CANARY)])))
    log.to.info("{text}", text="x" * 16_376 + CANARY + "y" * 100)
    assert log.json["text"].endswith("x[secret]… (100 characters more)")
    assert len(log.text) < 34_000


def test_texts_are_scrubbed_each_in_its_place() -> None:
    log = Log(scrub=Scrubbing(Scrubber([Secret(CANARY)])))
    log.to.info("m", a=f"{CANARY}\0{CANARY}", b="", c="token=", d=f"key={CANARY}", e="Authorization: ", f="f")
    assert {name: value for name, value in log.json.items() if len(name) == 1} == {
        "a": "[secret]\0[secret]",
        "b": "",
        "c": "token=",
        "d": "key=[secret]",
        "e": "Authorization: ",
        "f": "f",
    }


def test_a_gone_stream_is_no_error() -> None:
    log = Log()
    log.stream.close()
    log.to.info("nobody hears")


def test_observer_type() -> None:
    observer: LogObserver = Log().observer
    observer.reopen()
    observer.close()
