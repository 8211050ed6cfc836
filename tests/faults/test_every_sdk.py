"""The fault wall for every official SDK, through sockets: to a vendor of the SDK's own protocol, which is relayed, and to another
one, which is translated. Each kind of fault, over HTTP and TLS, and cuts at a sample of offsets: an error, or the complete answer
of one account."""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event

import pytest
import trustme

from tests.conformance.sdks import SDKS, Sdk
from tests.conformance.sdks.conversation import Failed, Question
from tests.faults.behaviours import ByModel, Ending, close, end, hold, html, plain, raw, reset, trickles
from tests.faults.unreachable import UNREACHABLE
from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Behaviour, Received, Wire, begin_stream, fails, upstream
from tests.vendors.scenarios import Answer, Call
from tests.vendors.stand_in import VENDORS
from tests.vendors.vendor import Asked, Vendor

ANSWER = Answer(("So far, ", "日本 "), calls=(Call("call_1", "get_weather", {"city": "Zürich"}),), stop="calls")
QUESTION = Question(tools=True)
OFFSETS = 5
"""Of a stream's bytes at which it is cut, spread evenly; every offset is tried without sockets, in `test_cut_at_every_byte`."""

AT_ONCE = 24
"""Cases side by side: most of their time they wait."""

ENTRIES: Mapping[str, tuple[str, str]] = {
    "openai-chat": ("openai-api-key", "/v1"),
    "openai-responses": ("codex-api-key", "/v1"),
    "anthropic-messages": ("claude-api-key", ""),
    "gemini": ("gemini-api-key", ""),
    "ollama": ("ollama", ""),
}
"""The setting for a vendor's accounts, and what its addresses end with."""

NATIVE = {vendor.name: vendor for vendor in VENDORS if vendor.name in ENTRIES}
LANES: Mapping[str, tuple[Sdk, Vendor]] = {
    f"{sdk.name}-{lane}": (sdk, NATIVE[name])
    for sdk in SDKS
    for lane, name in (
        ("relayed", sdk.name),
        ("translated", "anthropic-messages" if sdk.name.startswith("openai-") else "openai-chat"),
    )
}

HTTP, TLS = "http", "tls"
PLACES = (HTTP, TLS, *UNREACHABLE)
"""Where the first account's upstream is."""


def streamed(vendor: Vendor, data: Sequence[bytes], ending: Ending = end) -> Behaviour:
    def behave(_request: Received, wire: Wire) -> None:
        begin_stream(wire, vendor.stream_type)
        for each in data:
            wire.chunk(each)
        ending(wire)

    return behave


def closed(vendor: Vendor, data: bytes, ending: Ending = Wire.cut) -> Behaviour:
    """HTTP/1.0: the end of the connection is the end of the body."""
    return plain(data, f"content-type: {vendor.stream_type}", ending, version="1.0")


def before(vendor: Vendor) -> Mapping[str, Behaviour]:
    """What comes before anything useful: another account answers. What takes time comes first."""
    return {
        "6 headers that trickle": trickles,
        "6 silent before the headers": lambda _request, wire: hold(wire),
        "7 silent after the headers": streamed(vendor, (), hold),
        "1 status 500": fails(500),
        "2 status 429": fails(429, headers={"retry-after": "30"}),
        "3 status 401": fails(401),
        "5 closed before the headers": lambda _request, wire: wire.cut(),
        "5 reset before the headers": lambda _request, wire: reset(wire),
        "8 ended after the headers": streamed(vendor, ()),
        "8 reset after the headers": streamed(vendor, (), reset),
        "11 HTML with status 200": html(),
        "12 not JSON": streamed(vendor, (b"data: {not json\n\n",)),
        "13 not HTTP": raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
        "13 chunk size that is none": streamed(vendor, (), lambda wire: wire.send(b"zz\r\n")),
        "15 gzip that is damaged": raw(
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 16\r\n\r\n\x1f\x8b\x08\x00junkjunkjunk"
        ),
        "16 HTTP/1.0 closed after the headers": closed(vendor, b""),
    }


def amid(vendor: Vendor, events: Sequence[bytes]) -> Mapping[str, Behaviour]:
    """What comes after the first words: the client is told."""
    most = events[: len(events) // 2 + 1]
    return {
        "9 silent": streamed(vendor, most, hold),
        "12 not JSON": streamed(vendor, (*most, b"data: {not json\n\n")),
        "13 chunk size that is none": streamed(vendor, most, lambda wire: wire.send(b"zz\r\n")),
    }


def cuts(vendor: Vendor, events: Sequence[bytes]) -> Mapping[str, Behaviour]:
    everything = b"".join(events)
    found: dict[str, Behaviour] = {"cut after the last event": streamed(vendor, events, Wire.cut)}
    for number in range(1, OFFSETS + 1):
        data = everything[: number * len(everything) // (OFFSETS + 2)]
        for ending in (Wire.cut, reset, end):
            found[f"{ending.__name__} after {len(data)} bytes"] = streamed(vendor, (data,), ending)
        for ending in (Wire.cut, reset):
            found[f"HTTP/1.0 {ending.__name__} after {len(data)} bytes"] = closed(vendor, data, ending)
    return found


def whole(vendor: Vendor, events: Sequence[bytes]) -> Mapping[str, Behaviour]:
    return {
        "chunked": streamed(vendor, events),
        "16 HTTP/1.0 closed at the end": closed(vendor, b"".join(events), close),
    }


Seen = tuple[object, ...] | str
"""What the SDK's user saw; of an error its words."""

Outcomes = Mapping[str, Future[Seen]]
"""By case."""


@dataclass
class Lane:
    """All cases of one SDK and one vendor, under way, and how a complete answer looks."""

    complete: Seen
    whole: Outcomes
    before: Outcomes
    amid: Outcomes
    cuts: Outcomes

    def honest(self, outcome: Future[Seen]) -> bool:
        """An error, or all there was to say."""
        seen = outcome.result()
        return isinstance(seen, str) or seen == self.complete


@dataclass
class Wall:
    gateway: Daemon
    executor: Executor
    bad: ByModel = field(default_factory=ByModel)
    good: ByModel = field(default_factory=ByModel)

    def complete(self, sdk: Sdk, vendor: Vendor) -> Seen:
        """Alone, for what an SDK does at its first call takes long, and keeps upstreams in this process from answering."""
        good = streamed(vendor, vendor.events(Asked(vendor.name, streamed=True), ANSWER))
        seen = self._begin(sdk, f"{vendor.name}-0", good, good).result()
        assert seen[0] == ANSWER.text
        return seen

    def lane(self, sdk: Sdk, vendor: Vendor, complete: Seen) -> Lane:
        events = vendor.events(Asked(vendor.name, streamed=True), ANSWER)
        good = streamed(vendor, events)

        def begun(cases: Mapping[str, Behaviour], place: str) -> Outcomes:
            prefix = f"{vendor.name}-{PLACES.index(place)}"
            named = f"{place} {{}}" if place != HTTP else "{}"
            return {named.format(name): self._begin(sdk, prefix, fault, good) for name, fault in cases.items()}

        unreachable = {place: begun({place: good}, place)[f"{place} {place}"] for place in UNREACHABLE}
        found = [{**begun(cases, HTTP), **begun(cases, TLS)} for cases in (before(vendor), amid(vendor, events))]
        return Lane(
            complete,
            before={**unreachable, **found[0]},
            amid=found[1],
            whole={**begun(whole(vendor, events), HTTP), **begun(whole(vendor, events), TLS)},
            cuts={**begun(cuts(vendor, events), HTTP), **begun(cuts(vendor, events), TLS)},
        )

    def _begin(self, sdk: Sdk, prefix: str, fault: Behaviour, otherwise: Behaviour) -> Future[Seen]:
        model = f"case-{len(self.bad.behaviours)}"
        self.bad.behaviours[model], self.good.behaviours[model] = fault, otherwise
        return self.executor.submit(self._seen, sdk, f"{prefix}/{model}")

    def _seen(self, sdk: Sdk, model: str) -> Seen:
        address = self.gateway.address + sdk.gateway_path
        conversation = sdk(address, model, QUESTION, streamed=True, begun=Event())
        try:
            seen = conversation.ask()
        except Failed as error:
            return error.message
        finally:
            conversation.close()
        return seen.text, seen.finish, seen.calls


@pytest.fixture(scope="module")
def lanes(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Lane]]:
    bad, good = ByModel(), ByModel()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)
    text = """
request-retry: 0
disable-cooling: true
routing: {strategy: fill-first, session-affinity: false}
timeouts: {connect: 1.5, first-byte: 1.5, first-token: 1.5, idle: 1.5}
"""
    with ExitStack() as held:
        second = held.enter_context(upstream(good)).base_url.removesuffix("/v1")
        first = {
            HTTP: held.enter_context(upstream(bad)).base_url.removesuffix("/v1"),
            TLS: held.enter_context(upstream(bad, tls=context)).base_url.removesuffix("/v1"),
            **{name: held.enter_context(made()) for name, made in UNREACHABLE.items()},
        }
        for vendor, (setting, path) in ENTRIES.items():
            text += f"{setting}:\n"
            for number, place in enumerate(PLACES):
                for account, address in (("first", first[place]), ("second", second)):
                    text += (
                        f"  - {{api-key: {account}-key-{number}-0123456789, name: {vendor}-{number}-{account}, "
                        f'prefix: {vendor}-{number}, base-url: "{address}{path}"}}\n'
                    )
        gateway = held.enter_context(daemon(tmp_path_factory.mktemp("sdks"), text))
        executor = held.enter_context(ThreadPoolExecutor(AT_ONCE))
        wall = Wall(gateway, executor, bad, good)
        complete = {name: wall.complete(*lane) for name, lane in LANES.items()}
        yield {name: wall.lane(*lane, complete[name]) for name, lane in LANES.items()}


@pytest.fixture
def lane(request: pytest.FixtureRequest, lanes: Mapping[str, Lane]) -> Lane:
    return lanes[request.param]


every_lane = pytest.mark.parametrize("lane", LANES, indirect=True)


@every_lane
def test_what_is_complete_is_seen_so(lane: Lane) -> None:
    for name, outcome in lane.whole.items():
        assert outcome.result() == lane.complete, name


@every_lane
def test_before_anything_useful_another_account_answers(lane: Lane) -> None:
    for name, outcome in lane.before.items():
        assert outcome.result() == lane.complete, name


@every_lane
def test_a_cut_is_an_error_or_another_accounts_answer(lane: Lane) -> None:
    for name, outcome in lane.cuts.items():
        assert lane.honest(outcome), name


@every_lane
def test_a_fault_amid_the_answer_is_told(lane: Lane) -> None:
    """A silence, and bytes that are no event, after the first word."""
    for name, outcome in lane.amid.items():
        assert lane.honest(outcome), name
