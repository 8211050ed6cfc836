"""What the bus does by itself: junk is ignored, repetition and delay are undone, an outbox keeps the latest of each key."""

from collections.abc import Callable
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.storage.bus import Bus, Message, Topic
from aiproxy.storage.bus import bus as buses
from aiproxy.storage.bus import outbox as outboxes
from aiproxy.storage.bus.message import LARGEST_MESSAGE, WireKey, decode, encode
from aiproxy.storage.bus.outbox import Outbox

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


class Wire:
    """A carrier in the test's hand."""

    kind = "test"
    most = LARGEST_MESSAGE
    connected = True

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def start(self, receive: Callable[[bytes], None], missed: Callable[[], None]) -> None:
        self.receive = receive

    def send(self, key: WireKey, data: bytes) -> None:
        self.sent.append(data)

    async def stop(self) -> None: ...


def listening(now: float = 1000.0) -> tuple[Bus, Wire, list[Message]]:
    wire, heard = Wire(), list[Message]()
    bus = Bus(wire, lambda: now)
    for topic in Topic:
        bus.subscribe(topic, heard.append)
    bus.start()
    return bus, wire, heard


@given(topic=st.sampled_from(Topic), key=st.text(), body=st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_a_message_comes_back_from_its_bytes(topic: Topic, key: str, body: dict[str, object]) -> None:
    message = Message(topic, key, body, 1000.5, "origin")
    assert decode(encode(message)) == message


@given(junk=st.binary(max_size=60) | JSON.map(lambda value: __import__("orjson").dumps(value)))
def test_junk_is_ignored(junk: bytes) -> None:
    _, wire, heard = listening()
    wire.receive(junk)
    assert heard == []


def test_repeated_and_late_messages_of_a_key_are_dropped() -> None:
    messages = [encode(Message(Topic.COOLDOWN, "a", {"n": n}, 1000.0 + n, "other")) for n in range(4)]
    for order in permutations(messages + messages[:1]):
        _, wire, heard = listening()
        for data in order:
            wire.receive(data)
        numbers = [message.body["n"] for message in heard]
        assert numbers == sorted(set(numbers))
        assert numbers[-1] == 3


def test_a_clock_far_ahead_does_not_silence_the_others() -> None:
    bus, wire, heard = listening(now=1000.0)
    wire.receive(encode(Message(Topic.COOLDOWN, "a", {"n": 1}, 1e9, "lost in time")))
    wire.receive(encode(Message(Topic.COOLDOWN, "a", {"n": 2}, 1001.0, "other")))
    assert [message.body["n"] for message in heard] == [1, 2]
    assert bus.publish(Topic.COOLDOWN, "a", {}).at < 2000


def test_one_receivers_bug_is_not_the_next_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    logged: list[str] = []
    monkeypatch.setattr(buses._log, "failure", lambda words, **_: logged.append(words))
    bus, wire, _ = listening()
    heard: list[Message] = []
    leave = bus.subscribe(Topic.TOKEN, lambda message: 1 / 0)  # type: ignore[arg-type]
    bus.subscribe(Topic.TOKEN, heard.append)
    wire.receive(encode(Message(Topic.TOKEN, "a", {}, 1000.0, "other")))
    assert (len(heard), len(logged)) == (1, 1)
    leave()
    wire.receive(encode(Message(Topic.TOKEN, "a", {}, 1001.0, "other")))
    assert (len(heard), len(logged)) == (2, 1)


def test_an_outbox_keeps_the_latest_of_each_key_within_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "OUTBOX_KEYS", 3)
    box = Outbox()
    for number in range(10):
        box.put(("cooldown", f"a-{number % 2}"), b"%d" % number)
    assert box.take(1) == [(("cooldown", "a-0"), b"8")]
    taken = box.take(100)
    assert taken == [(("cooldown", "a-1"), b"9")]
    box.put(("cooldown", "b"), b"10")
    box.give_back(taken)
    assert [data for _, data in box.take(100)] == [b"9", b"10"]
    for number in range(5):
        box.put(("cooldown", f"c-{number}"), b"x")
    assert (box.dropped, len(box.take(100))) == (2, 3)
