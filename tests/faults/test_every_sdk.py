"""The fault wall for every official SDK, through sockets: to a vendor of the SDK's own protocol, which is relayed, and to another
one, which is translated. Each kind of fault, and cuts at a sample of offsets: an error, or the complete answer of one account."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from threading import Event

import pytest

from tests.conformance.sdks import SDKS, Sdk
from tests.conformance.sdks.conversation import Failed, Question
from tests.faults.test_wall import html, raw, reset
from tests.rig.daemon import Daemon, daemon
from tests.rig.upstream import Behaviour, Received, Upstream, Wire, begin_stream, fails, says, upstream
from tests.vendors.scenarios import Answer, Call
from tests.vendors.stand_in import VENDORS
from tests.vendors.vendor import Asked, Vendor

ANSWER = Answer(("So far, ", "日本 "), calls=(Call("call_1", "get_weather", {"city": "Zürich"}),), stop="calls")
QUESTION = Question(tools=True)
OFFSETS = 5
"""Of a stream's bytes at which it is cut, spread evenly; every offset is tried without sockets, in `test_cut_at_every_byte`."""

ENTRIES: Mapping[str, tuple[str, str]] = {
    "openai-chat": ("openai-api-key", "/v1"),
    "openai-responses": ("codex-api-key", "/v1"),
    "anthropic-messages": ("claude-api-key", ""),
    "gemini": ("gemini-api-key", ""),
    "ollama": ("ollama", ""),
}
"""The setting for a vendor's accounts, and what its addresses end with."""

NATIVE = {vendor.name: vendor for vendor in VENDORS if vendor.name in ENTRIES}
LANES = [
    pytest.param(sdk, NATIVE[name], id=f"{sdk.name}-{lane}")
    for sdk in SDKS
    for lane, name in (
        ("relayed", sdk.name),
        ("translated", "anthropic-messages" if sdk.name.startswith("openai-") else "openai-chat"),
    )
]

Ending = Callable[[Wire], None]


def end(wire: Wire) -> None:
    wire.chunk(b"")


def hold(wire: Wire) -> None:
    wire.wait_for_close()


def streamed(vendor: Vendor, data: Sequence[bytes], ending: Ending = end) -> Behaviour:
    def behave(_request: Received, wire: Wire) -> None:
        begin_stream(wire, vendor.stream_type)
        for each in data:
            wire.chunk(each)
        ending(wire)

    return behave


def before(vendor: Vendor) -> Mapping[str, Behaviour]:
    """What comes before anything useful: another account answers."""
    return {
        "status 500": fails(500),
        "status 429": fails(429, headers={"retry-after": "30"}),
        "status 401": fails(401),
        "closed": lambda _request, wire: wire.cut(),
        "reset": lambda _request, wire: reset(wire),
        "silent": lambda _request, wire: hold(wire),
        "silent after the headers": streamed(vendor, (), hold),
        "ended after the headers": streamed(vendor, ()),
        "HTML with status 200": html(),
        "not JSON": streamed(vendor, (b"data: {not json\n\n",)),
        "not HTTP": raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
        "chunk size that is none": streamed(vendor, (), lambda wire: wire.send(b"zz\r\n")),
        "gzip that is damaged": raw(
            b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 16\r\n\r\n\x1f\x8b\x08\x00junkjunkjunk"
        ),
    }


@pytest.fixture(scope="module")
def bad() -> Iterator[Upstream]:
    with upstream(says("never")) as running:
        yield running


@pytest.fixture(scope="module")
def good() -> Iterator[Upstream]:
    with upstream(says("never")) as running:
        yield running


@pytest.fixture(scope="module")
def gateway(bad: Upstream, good: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    text = """
request-retry: 0
disable-cooling: true
routing: {strategy: fill-first, session-affinity: false}
timeouts: {connect: 1, first-byte: 1, first-token: 1, idle: 1}
"""
    for name, (setting, path) in ENTRIES.items():
        text += f"{setting}:\n"
        for account, at in (("first", bad), ("second", good)):
            address = at.base_url.removesuffix("/v1") + path
            text += f'  - {{api-key: {account}-key-0123456789, name: {name}-{account}, base-url: "{address}", models: [{name}]}}\n'
    with daemon(tmp_path_factory.mktemp("sdks"), text) as running:
        yield running


class Asking:
    """One SDK that asks for one vendor's model, and the events of that vendor's good answer."""

    def __init__(self, sdk: Sdk, vendor: Vendor, gateway: Daemon, bad: Upstream, good: Upstream) -> None:
        self._sdk, self.vendor, self._address = sdk, vendor, gateway.address + sdk.gateway_path
        self._bad, self._good = bad, good
        self.events = vendor.events(Asked(vendor.name, streamed=True), ANSWER)

    def seen(self, fault: Behaviour, otherwise: Behaviour) -> tuple[object, ...] | None:
        """What the SDK's user saw, None for an error; the first account's upstream behaves like this, the other's like that."""
        self._bad.script.extend([fault] * 2)  # a close on a kept connection is tried once more on a new one
        self._good.script.append(otherwise)
        conversation = self._sdk(self._address, self.vendor.name, QUESTION, streamed=True, begun=Event())
        try:
            seen = conversation.ask()
        except Failed:
            return None
        finally:
            conversation.close()
            self._bad.script.clear()
            self._good.script.clear()
        return seen.text, seen.finish, seen.calls


@pytest.fixture
def asking(request: pytest.FixtureRequest, gateway: Daemon, bad: Upstream, good: Upstream) -> Asking:
    sdk, vendor = request.param
    return Asking(sdk, vendor, gateway, bad, good)


lanes = pytest.mark.parametrize("asking", [pytest.param(lane.values[:2], id=lane.id) for lane in LANES], indirect=True)


@lanes
def test_before_anything_useful_another_account_answers(asking: Asking) -> None:
    whole = streamed(asking.vendor, asking.events)
    complete = asking.seen(whole, whole)
    assert complete is not None
    assert complete[0] == ANSWER.text
    for name, fault in before(asking.vendor).items():
        assert asking.seen(fault, whole) == complete, name


@lanes
def test_a_cut_is_an_error_or_another_accounts_answer(asking: Asking) -> None:
    whole = streamed(asking.vendor, asking.events)
    complete = asking.seen(whole, whole)
    everything = b"".join(asking.events)
    for number in range(1, OFFSETS + 1):
        data = everything[: number * len(everything) // (OFFSETS + 2)]
        for ending in (Wire.cut, reset, end):
            assert asking.seen(streamed(asking.vendor, (data,), ending), whole) in (None, complete), (
                data[-80:],
                ending,
            )


@lanes
def test_a_fault_amid_the_answer_is_told(asking: Asking) -> None:
    """A silence, and bytes that are no event, after the first word."""
    whole = streamed(asking.vendor, asking.events)
    complete = asking.seen(whole, whole)
    most = asking.events[: len(asking.events) // 2 + 1]
    for data, ending in (
        (most, hold),
        ((*most, b"data: {not json\n\n"), end),
        (most, lambda wire: wire.send(b"zz\r\n")),
    ):
        assert asking.seen(streamed(asking.vendor, data, ending), whole) in (None, complete)
