"""Whatever two gateways do while their remote comes and goes, every change is in the remote, replaced by its own author, or kept."""

import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiproxy.storage.documents import digest
from aiproxy.storage.mirror import MirroredStore
from aiproxy.storage.reconcile import Mirrored, Step, reconcile
from aiproxy.storage.store import Change, Conflict, Entry, Unavailable

CHANGE = Change("Try it")
NAMES = ("auths/a.json", "auths/b.json")


@pytest.mark.parametrize(
    ("here", "there", "step"),
    [
        (None, "1", Step.TAKE),
        (Mirrored("1", dirty=False), "1", None),
        (Mirrored("1", dirty=False), "2", Step.TAKE),
        (Mirrored("1", dirty=False), None, Step.TAKE),
        (Mirrored("1", dirty=True), "1", Step.GIVE),
        (Mirrored("1", dirty=True), "2", Step.CLASH),
        (Mirrored("1", dirty=True), None, Step.CLASH),
        (Mirrored(None, dirty=True), None, Step.GIVE),
        (Mirrored(None, dirty=True), "1", Step.CLASH),
    ],
)
def test_what_to_do_to_agree(here: Mirrored | None, there: str | None, step: Step | None) -> None:
    done = list(reconcile({"a": here} if here else {}, {"a": there} if there else {}))
    assert done == ([("a", step)] if step else [])


class Memory:
    """A `Remote` that remembers everything it ever took. The real ones are in the conformance suite."""

    place = "memory"

    def __init__(self) -> None:
        self.documents: dict[str, Entry] = {}
        self.taken: list[tuple[str, bytes | None]] = []
        self.away = self.deaf = False
        """Deaf: it takes what comes, and its answers are lost."""

    def versions(self) -> Mapping[str, str]:
        self._reach()
        return {name: entry.version for name, entry in self.documents.items()}

    def fetch(self, names: Iterable[str]) -> Mapping[str, Entry]:
        self._reach()
        return {name: self.documents[name] for name in names if name in self.documents}

    def save(self, name: str, body: bytes, expected: str | None, change: Change) -> str:
        self._compare(name, expected)
        self.taken.append((name, body))
        self.documents[name] = Entry(body, str(len(self.taken)))
        self._answer()
        return self.documents[name].version

    def delete(self, name: str, expected: str, change: Change) -> None:
        self._compare(name, expected)
        self.taken.append((name, None))
        del self.documents[name]
        self._answer()

    def past(self, name: str, most: int, most_bytes: int) -> None:
        return None

    def wait(self, stop: Event) -> None:
        stop.wait()

    def close(self) -> None:
        pass

    def _reach(self) -> None:
        if self.away:
            raise Unavailable("memory is away.")

    def _answer(self) -> None:
        if self.deaf:
            raise Unavailable("memory gave no answer.")

    def _compare(self, name: str, expected: str | None) -> None:
        self._reach()
        found = self.documents.get(name)
        if (found.version if found else None) != expected:
            raise Conflict(name)


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("save"), st.integers(0, 1), st.sampled_from(NAMES)),
        st.tuples(st.just("delete"), st.integers(0, 1), st.sampled_from(NAMES)),
        st.tuples(st.just("sync"), st.integers(0, 1), st.just("")),
        st.tuples(st.just("restart"), st.integers(0, 1), st.just("")),
        st.tuples(st.sampled_from(["cut", "mend", "deafen"]), st.just(0), st.just("")),
    ),
    max_size=40,
)


@settings(max_examples=25)  # each syncs the disk some hundred times
@given(EVENTS)
def test_no_change_is_ever_lost(events: list[tuple[str, int, str]]) -> None:
    remote = Memory()
    with tempfile.TemporaryDirectory() as directory:
        files = [Path(directory, f"{index}.db") for index in range(2)]
        stores = [MirroredStore(remote, file) for file in files]
        accepted: list[set[tuple[str, bytes]]] = [set(), set()]
        for number, (event, index, name) in enumerate(events):
            store = stores[index]
            match event:
                case "cut" | "mend" | "deafen":
                    remote.away, remote.deaf = event == "cut", event == "deafen"
                case "restart":
                    store.close()
                    stores[index] = MirroredStore(remote, files[index])
                case "sync":
                    try_to_sync(store)
                case _:
                    change(store, name, b'{"n": %d}' % number if event == "save" else None, accepted[index])
        remote.away = remote.deaf = False
        for store in (*stores, *stores):
            store.sync()
        here = [{name: entry.body for name, entry in store.load().entries.items()} for store in stores]
        assert here[0] == here[1] == {name: entry.body for name, entry in remote.documents.items()}
        for store, bodies in zip(stores, accepted, strict=True):
            kept = {(each.name, each.body) for each in store.condition().conflicts}
            assert bodies <= kept | set(remote.taken)
            assert store.condition().unpushed == 0
            store.close()


def try_to_sync(store: MirroredStore) -> None:
    with suppress(Unavailable):
        store.sync()


def change(store: MirroredStore, name: str, body: bytes | None, accepted: set[tuple[str, bytes]]) -> None:
    """One change that its author means to last, unless it replaces one of its own that never left the mirror."""
    before = store.load().entries.get(name)
    try:
        if body is not None:
            store.save(name, body, before.version if before else None, CHANGE)
        elif before is not None:
            store.delete(name, before.version, CHANGE)
        else:
            return
    except Conflict:
        return
    if before is not None:
        accepted.discard((name, before.body))
    if body is not None:
        accepted.add((name, body))


class Hasty(Memory):
    """Its answer was lost, the request was sent again, and the second one comes too late: as a kept connection may do."""

    def save(self, name: str, body: bytes, expected: str | None, change: Change) -> str:
        super().save(name, body, expected, change)
        raise Conflict(name)


def test_a_change_that_was_taken_after_all_is_no_conflict(tmp_path: Path) -> None:
    store = MirroredStore(Hasty(), tmp_path / "m.db")
    store.save(NAMES[0], b"{}", None, CHANGE)
    assert store.load().entries[NAMES[0]].body == b"{}"
    assert store.condition().unpushed == 0
    store.close()


class Slow(Memory):
    """One whose answers to `versions` wait until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.let_go = Event(), Event()
        self.let_go.set()

    def versions(self) -> Mapping[str, str]:
        found = super().versions()
        self.asked.set()
        assert self.let_go.wait(20)
        return found


def test_a_change_is_written_here_before_it_waits_for_the_network(tmp_path: Path) -> None:
    """A process that dies while its remote takes its time has lost no token that a vendor gave."""
    remote = Slow()
    store, other = MirroredStore(remote, tmp_path / "mirror.db"), MirroredStore(remote, tmp_path / "mirror.db")
    (name, theirs) = NAMES
    store.save(name, b"{}", None, CHANGE)
    remote.let_go.clear()
    remote.asked.clear()
    with ThreadPoolExecutor(2) as threads:
        agreeing = threads.submit(store.sync)
        assert remote.asked.wait(20)
        remote.documents[theirs] = Entry(b'{"theirs": 1}', "1")
        saving = threads.submit(store.save, name, b'{"new": 1}', store.load().entries[name].version, CHANGE)
        until = monotonic() + 20
        while other.load().entries[name].body != b'{"new": 1}':  # as another process, or the next one, finds it
            assert monotonic() < until
        assert not saving.done()
        remote.let_go.set()
        agreeing.result(20)
        saving.result(20)
    assert remote.documents[name].body == b'{"new": 1}'
    store.sync()
    assert store.load().entries[theirs].body == b'{"theirs": 1}'
    assert not store.condition().conflicts
    assert not store.condition().unpushed
    store.close()
    other.close()


def test_what_another_process_changed_and_this_one_gives_is_news(tmp_path: Path) -> None:
    """Else who was quicker than `aiproxy-config` at giving its change would serve without it."""
    remote, unreached = Memory(), Memory()
    unreached.away = True
    gateway, tool = MirroredStore(remote, tmp_path / "mirror.db"), MirroredStore(unreached, tmp_path / "mirror.db")
    gateway.save(NAMES[0], b"{}", None, CHANGE)
    assert not gateway.sync()
    tool.save(NAMES[0], b'{"new": 1}', digest(b"{}"), CHANGE)
    assert gateway.sync()
    assert remote.documents[NAMES[0]].body == b'{"new": 1}'
    assert not gateway.sync()
    tool.delete(NAMES[0], digest(b'{"new": 1}'), CHANGE)
    assert gateway.sync()
    assert not remote.documents
    gateway.close()
    tool.close()


def test_what_this_process_changed_itself_is_no_news(tmp_path: Path) -> None:
    remote = Memory()
    store = MirroredStore(remote, tmp_path / "mirror.db")
    remote.away = True
    store.save(NAMES[0], b"{}", None, CHANGE)
    remote.away = False
    assert not store.sync()
    assert remote.documents[NAMES[0]].body == b"{}"
    store.close()
