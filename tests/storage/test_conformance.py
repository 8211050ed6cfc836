"""What every store does, wherever it is."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random
from threading import Event, Thread

import pytest

from aiproxy.storage.documents import CONFIGURATION, LARGEST_CREDENTIAL
from aiproxy.storage.store import Change, Conflict, Store, Unacceptable
from tests.storage.places import Place

CHANGE = Change("Try it", "a test")
A, B = "auths/a.json", "auths/team one/größe-b@example.com+1 (2).json"
ONE, TWO = b'{"token": "one"}', b'{"token": "two"}'


def bodies(store: Store) -> dict[str, bytes]:
    store.sync()
    return {name: entry.body for name, entry in store.load().entries.items()}


def version(store: Store, name: str) -> str:
    return store.load().entries[name].version


def test_what_is_saved_is_there_for_others(place: Place) -> None:
    ours, theirs = place.open(), place.open()
    assert bodies(ours) == {}
    saved = ours.save(A, ONE, None, CHANGE)
    assert version(ours, A) == saved
    ours.save(B, TWO, None, CHANGE)
    ours.save(CONFIGURATION, b"port: 1\n", None, CHANGE)
    assert bodies(theirs) == {A: ONE, B: TWO, CONFIGURATION: b"port: 1\n"}
    theirs.save(A, TWO, version(theirs, A), CHANGE)
    assert bodies(ours)[A] == TWO
    theirs.delete(B, version(theirs, B), CHANGE)
    assert bodies(ours) == {A: TWO, CONFIGURATION: b"port: 1\n"}
    assert bodies(place.open()) == bodies(ours)


def test_who_comes_second_is_told_and_changes_nothing(place: Place) -> None:
    ours, theirs = place.open(), place.open()
    first = ours.save(A, ONE, None, CHANGE)
    with pytest.raises(Conflict):
        ours.save(A, TWO, None, CHANGE)
    theirs.sync()
    second = theirs.save(A, TWO, version(theirs, A), CHANGE)
    for late in (
        lambda: ours.save(A, b'{"token": "three"}', first, CHANGE),
        lambda: ours.delete(A, first, CHANGE),
        lambda: ours.delete("auths/none.json", first, CHANGE),
        lambda: theirs.save("auths/none.json", ONE, second, CHANGE),
    ):
        with pytest.raises(Conflict):
            late()
    assert bodies(ours) == bodies(theirs) == {A: TWO}
    assert ours.condition().conflicts == ()  # who was told needs no copy


def test_made_twice_at_once(place: Place) -> None:
    ours, theirs = place.open(), place.open()
    ours.save(A, ONE, None, CHANGE)
    with pytest.raises(Conflict):
        theirs.save(A, TWO, None, CHANGE)
    assert bodies(theirs) == {A: ONE}


def test_gone_and_back(place: Place) -> None:
    ours, theirs = place.open(), place.open()
    ours.delete(A, ours.save(A, ONE, None, CHANGE), CHANGE)
    assert bodies(theirs) == {}
    theirs.save(A, ONE, None, CHANGE)
    assert bodies(ours) == {A: ONE}


BAD_NAMES = (
    "auths/../escape.json", "auths//a.json", "auths/.hidden.json", "/auths/a.json", "auths/a.yaml", "auths/a\0.json",
    "config/other.yaml", "", "auths/", "auths/a\n.json", 'auths/".json', "auths/a\\b.json", f"auths/{'a' * 300}.json",
    "auths/\udc80.json", "../auths/a.json", "auths/a/../../b.json", "auths/-a.json",
)  # fmt: skip


def test_bad_names_and_contents_are_refused_by_name(place: Place) -> None:
    store = place.open()
    saved = store.save(A, ONE, None, CHANGE)
    for name in BAD_NAMES:
        with pytest.raises(Unacceptable) as refused:
            store.save(name, ONE, None, CHANGE)
        assert refused.value.name == name
        with pytest.raises(Unacceptable):
            store.delete(name, saved, CHANGE)
    for body in (b"", b"{", b"[]", b"\xff{}", b'{"a": "' + b"x" * LARGEST_CREDENTIAL + b'"}'):
        with pytest.raises(Unacceptable, match=r"auths/a\.json"):
            store.save(A, body, saved, CHANGE)
    assert bodies(store) == bodies(place.open()) == {A: ONE}


@contextmanager
def watching(store: Store) -> Iterator[Event]:
    changed, stop = Event(), Event()
    thread = Thread(target=store.watch, args=(changed.set, stop))
    thread.start()
    try:
        yield changed
    finally:
        stop.set()
        thread.join(20)


def test_a_watch_tells_of_changes_by_others(place: Place) -> None:
    ours, theirs = place.open(), place.open()
    ours.load()
    with watching(ours) as changed:
        saved = theirs.save(A, ONE, None, CHANGE)
        assert changed.wait(20)
        assert ours.load().entries[A].body == ONE
        changed.clear()
        theirs.delete(A, saved, CHANGE)
        assert changed.wait(20)


EDITS = {"file": 150, "file, encrypted": 150, "postgres": 200, "s3 (moto)": 40, "git": 12, "git over http": 6}
"""By each of two writers; `STORE_EDITS=1000` asks for another number."""


def test_two_writers_lose_nothing(place: Place) -> None:
    if not place.together:
        pytest.skip("this server ignores conditions: only one may write, and must say so")
    race(place, int(os.environ.get("STORE_EDITS", 0)) or EDITS[place.kind])


def race(place: Place, edits: int) -> None:
    """Each writer counts its own edits in documents that both write; what was lost would be missing from the sum."""
    names = [f"auths/shared-{number}.json" for number in range(3)]
    stores = (place.open(), place.open())
    failures: list[BaseException] = []

    def write(index: int) -> None:
        random = Random(index)
        try:
            for _ in range(edits):
                count(stores[index], random.choice(names), str(index))
        except BaseException as error:  # noqa: BLE001 - handed to the test
            failures.append(error)

    writers = [Thread(target=write, args=(index,)) for index in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert not failures
    for store in (*stores, place.open()):
        counts = [json.loads(body) for body in bodies(store).values()]
        assert [sum(each.get(str(index), 0) for each in counts) for index in range(2)] == [edits, edits]
        assert store.condition().conflicts == ()
        assert store.condition().unpushed == 0


def count(store: Store, name: str, writer: str) -> None:
    while True:
        entry = store.load().entries.get(name)
        content = json.loads(entry.body) if entry else {}
        content[writer] = content.get(writer, 0) + 1
        try:
            store.save(name, json.dumps(content).encode(), entry.version if entry else None, CHANGE)
        except Conflict:
            continue
        return
