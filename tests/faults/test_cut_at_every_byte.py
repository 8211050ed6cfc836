"""A stream cut off after any of its bytes, from every vendor to every client protocol, in order or not: the official SDK of the
client's protocol sees an error or the complete answer.

Different cuts come to few different answers; each of those is read by the SDK, from a server that says just that.

Only an orderly end right after Chat's last choice leaves something out: the counts, which not every server sends."""

from collections import defaultdict
from collections.abc import Iterator
from threading import Event

import pytest
from twisted.python.failure import Failure

from tests.conformance.sdks import SDKS, Sdk
from tests.conformance.sdks.conversation import Conversation, Failed, Question
from tests.faults.cuts import CLEAN, CODECS, CUT, Got, Lanes, cut
from tests.rig.upstream import Received, Upstream, Wire, upstream
from tests.vendors.scenarios import Answer, Call
from tests.vendors.stand_in import VENDORS
from tests.vendors.vendor import Asked, Vendor

QUESTION = Question(tools=True)
ANSWER = Answer(("So far, ", "日本 "), calls=(Call("call_1", "get_weather", {"city": "Zürich"}),), stop="calls")

NATIVE = [vendor for vendor in VENDORS if vendor.name in CODECS]
PAIRS = [pytest.param(sdk, vendor, id=f"{sdk.name}-{vendor.name}") for sdk in SDKS for vendor in NATIVE]


class Replaying:
    """A server that answers whatever is asked with `body`, as a stream that ends in order; with 500 while there is none."""

    def __init__(self) -> None:
        self.body = b""
        self.asked: Received | None = None

    def __call__(self, request: Received, wire: Wire) -> None:
        self.asked = request
        wire.answer(200 if self.body else 500, self.body, {"content-type": "text/event-stream"})


class Reader:
    """An SDK that reads what the replaying server says."""

    def __init__(self, sdk: Sdk, address: str, replaying: Replaying) -> None:
        self._conversation: Conversation = sdk(address, "m", QUESTION, streamed=True, begun=Event())
        self._replaying = replaying

    def read(self, body: bytes) -> tuple[object, ...] | None:
        """What the SDK's user saw; None for an error."""
        self._replaying.body = body
        try:
            seen = self._conversation.ask()
        except Failed:
            return None
        return seen.text, seen.finish, seen.calls, seen.thought, seen.usage

    def close(self) -> None:
        self._conversation.close()


@pytest.fixture(scope="module")
def replaying() -> Replaying:
    return Replaying()


@pytest.fixture(scope="module")
def server(replaying: Replaying) -> Iterator[Upstream]:
    with upstream(replaying) as running:
        yield running


@pytest.mark.parametrize(("sdk", "vendor"), PAIRS)
def test_an_error_or_a_complete_answer(sdk: Sdk, vendor: Vendor, server: Upstream, replaying: Replaying) -> None:
    events = vendor.events(Asked("m", streamed=True), ANSWER)
    reader = Reader(sdk, server.base_url.removesuffix("/v1"), replaying)
    try:
        assert reader.read(b"") is None
        assert replaying.asked is not None
        lanes = Lanes(CODECS[sdk.name], CODECS[vendor.name], replaying.asked.body)
        whole = lanes.got(events, CLEAN)
        assert not whole.failed
        complete = reader.read(whole.body)
        assert complete is not None
        assert complete[0] == ANSWER.text
        outcomes: dict[Got, list[tuple[int, Failure]]] = defaultdict(list)
        for end in (CLEAN, CUT):
            for offset in range(sum(map(len, events))):
                outcomes[lanes.got(cut(events, offset), end)].append((offset, end))
        for got, where in outcomes.items():
            if not got.body:
                assert got.failed, where
                continue
            seen = reader.read(got.body)
            if vendor.name == "openai-chat" and seen and all(end is CLEAN for _, end in where):
                assert seen[:-1] == complete[:-1]
            else:
                assert seen == (None if got.failed else complete), (where[0], where[-1], got.body[-300:])
        assert any(got.failed and got.body for got in outcomes)
    finally:
        reader.close()
