"""What decides who may manage: addresses, lock-out, sessions, keys."""

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.config.management_rules import is_hash
from aiproxy.secrets import Secret
from aiproxy.storage.bus import Bus, Hub
from aiproxy.web.management.addresses import NOBODY, client_address, counted_as, is_local, networks
from aiproxy.web.management.keys import LatestRight, hashed, is_right
from aiproxy.web.management.lockout import FORGOTTEN_SECONDS, LOCKED_SECONDS, MOST_ADDRESSES, MOST_FAILURES, Lockout
from aiproxy.web.management.sessions import LIFETIME_SECONDS, Sessions
from aiproxy.web.management.shared_lockout import share

PROXIES = networks(["127.0.0.1/32", "10.0.0.0/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("127.0.0.1", [], "127.0.0.1"),
        ("::ffff:127.0.0.1", [], "127.0.0.1"),
        ("::1", [], "::1"),
        ("203.0.113.1", [], "203.0.113.1"),
        ("203.0.113.1", ["127.0.0.1"], NOBODY),
        ("127.0.0.1", ["203.0.113.1"], "203.0.113.1"),
        ("127.0.0.1", ["127.0.0.1, 203.0.113.1"], "203.0.113.1"),
        ("127.0.0.1", ["198.51.100.7", "203.0.113.1, 10.1.1.1"], "203.0.113.1"),
        ("127.0.0.1", ["[2001:db8::1]:443"], "2001:db8::1"),
        ("127.0.0.1", ["203.0.113.1:4711"], "203.0.113.1"),
        ("127.0.0.1", ["unknown"], NOBODY),
        ("127.0.0.1", [""], NOBODY),
        ("127.0.0.1", ["127.0.0.1, nonsense"], NOBODY),
    ],
)
def test_whose_request_it_is(peer: str, forwarded: list[str], expected: str) -> None:
    assert client_address(peer, forwarded, PROXIES) == expected


def test_without_trusted_proxies_nothing_forwarded_is_local() -> None:
    assert not is_local(client_address("127.0.0.1", ["127.0.0.1"], ()))
    assert is_local(client_address("127.0.0.1", [], ()))


@given(st.text(), st.lists(st.text(), max_size=3))
def test_any_header_gives_an_address_or_nobody(peer: str, forwarded: list[str]) -> None:
    counted_as(client_address(peer, forwarded, PROXIES))


def test_a_subscriber_counts_as_one() -> None:
    assert counted_as("2001:db8::1") == counted_as("2001:db8::ffff") != counted_as("2001:db8:0:1::1")
    assert counted_as("203.0.113.1") == "203.0.113.1"


def test_lock_out_ends_and_starts_anew() -> None:
    lockout = Lockout()
    assert [lockout.failed("a", 0.0) for _ in range(MOST_FAILURES)] == [False] * (MOST_FAILURES - 1) + [True]
    assert lockout.locked_for("a", 0.0) == LOCKED_SECONDS
    assert lockout.locked_for("b", 0.0) == 0
    assert lockout.locked_for("a", LOCKED_SECONDS) == 0
    assert not lockout.failed("a", LOCKED_SECONDS)
    assert lockout.locked_for("a", LOCKED_SECONDS) == 0


def test_failures_are_forgotten() -> None:
    lockout = Lockout()
    for number in range(3 * MOST_FAILURES):
        assert not lockout.failed("a", number * (FORGOTTEN_SECONDS + 1))
    lockout.failed("b", 0)
    lockout.succeeded("b")
    assert not any(lockout.failed("b", 1) for _ in range(MOST_FAILURES - 1))


def test_processes_share_one_count() -> None:
    hub, lockouts = Hub(), [Lockout(), Lockout()]
    for lockout in lockouts:
        bus = Bus(hub.join())
        share(lockout, bus)
        bus.start()
    told = [lockouts[number % 2].failed("a", 1.0 + number) for number in range(MOST_FAILURES)]
    assert told == [False] * (MOST_FAILURES - 1) + [True]
    assert [lockout.locked_for("a", float(MOST_FAILURES)) for lockout in lockouts] == [LOCKED_SECONDS] * 2
    lockouts[1].failed("b", 1.0)
    lockouts[0].succeeded("b")
    assert not any(lockouts[1].failed("b", 2.0) for _ in range(MOST_FAILURES - 1))


def test_many_addresses_push_out_the_oldest() -> None:
    lockout = Lockout()
    for number in range(MOST_ADDRESSES + 10):
        lockout.failed(str(number), 0.0)
    assert len(lockout._known) == MOST_ADDRESSES


def test_sessions_are_known_to_who_has_the_key_until_they_end() -> None:
    here, there, elsewhere = Sessions("one"), Sessions("one"), Sessions("")
    session = here.begin("basis", 100.0)
    assert there.find(session.word, "basis", 101.0) == session
    assert elsewhere.find(session.word, "basis", 101.0) is None
    assert here.find(session.word, "another management key", 101.0) is None
    assert here.find(session.word, "basis", 100.0 + LIFETIME_SECONDS) is None
    assert session.csrf not in session.word
    here.end(session, 102.0)
    assert here.find(session.word, "basis", 103.0) is None


@given(st.text(max_size=50))
def test_no_other_word_is_a_session(word: str) -> None:
    assert Sessions("one").find(word, "basis", 0.0) is None


def test_hashes_are_cliproxyapis() -> None:
    made = hashed("the management key")
    assert is_hash(Secret(made))
    assert is_right("the management key", Secret(made))
    assert not is_right("another", Secret(made))
    assert is_right("theirs", Secret(bcrypt.hashpw(b"theirs", bcrypt.gensalt(4, b"2a")).decode()))
    assert is_right("plain", Secret("plain"))
    assert not is_right("plaim", Secret("plain"))
    assert not is_right("", Secret(""))
    assert not is_right("x" * 100, Secret(made))
    assert not is_right(made, Secret(made))


def test_the_latest_right_key_is_known_for_its_basis() -> None:
    latest = LatestRight()
    assert not latest.knows("", "")
    latest.note("key", "basis")
    assert latest.knows("key", "basis")
    assert not latest.knows("key", "other")
    assert not latest.knows("kez", "basis")
