"""The limits of a memory: entries, bytes, lifetime; and that tenants know nothing of one another."""

from collections.abc import Coroutine
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.memory import BoundedMemory, Limits
from aiproxy.memory.bounded import ENTRY_BYTES, SWEEP_SECONDS

T = TypeVar("T")
DAY = 86400.0
WIDE = Limits(entries=1000, size=1 << 20, lifetime=DAY)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def at_once(awaited: Coroutine[Any, Any, T]) -> T:
    """Of a memory in this process nobody ever waits for."""
    try:
        awaited.send(None)
    except StopIteration as done:
        return done.value  # type: ignore[no-any-return]
    raise AssertionError("it waits")


def holding(limits: Limits, *keys: str, tenant: str = "a") -> BoundedMemory:
    memory = BoundedMemory(limits, Clock())
    for key in keys:
        memory.put(tenant, key, b"x")
    return memory


def left(memory: BoundedMemory, keys: str, tenant: str = "a") -> str:
    return "".join(key for key in keys if at_once(memory.get(tenant, key)) is not None)


def test_what_is_put_is_there_until_it_is_forgotten() -> None:
    memory = holding(WIDE, "k")
    assert at_once(memory.get("a", "k")) == b"x"
    memory.put("a", "k", b"y")
    assert (at_once(memory.get("a", "k")), memory.entries) == (b"y", 1)
    assert at_once(memory.forget("a", "k"))
    assert not at_once(memory.forget("a", "k"))
    assert (at_once(memory.get("a", "k")), memory.entries, memory.size) == (None, 0, 0)


def test_a_tenant_finds_and_forgets_only_its_own() -> None:
    memory = holding(WIDE, "k")
    assert at_once(memory.get("b", "k")) is None
    assert not at_once(memory.forget("b", "k"))
    memory.put("b", "k", b"other")
    assert at_once(memory.get("a", "k")) == b"x"


def test_use_keeps_and_idleness_forgets() -> None:
    clock = Clock()
    memory = BoundedMemory(WIDE, clock)
    memory.put("a", "used", b"x")
    memory.put("a", "idle", b"x")
    clock.now = DAY - 1
    assert at_once(memory.get("a", "used")) == b"x"
    clock.now = DAY
    assert at_once(memory.get("a", "idle")) is None
    clock.now = 2 * DAY - 2
    assert at_once(memory.get("a", "used")) == b"x"


def test_what_is_too_old_is_let_go_of_though_nobody_asks() -> None:
    clock = Clock()
    memory = BoundedMemory(WIDE, clock)
    memory.put("a", "old", b"x")
    clock.now = DAY + SWEEP_SECONDS
    memory.put("b", "new", b"x")
    assert memory.entries == 1


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        (Limits(2, 1 << 20, DAY), "bc"),
        (Limits(9, 2 * (ENTRY_BYTES + 2), DAY), "bc"),
        (Limits(9, ENTRY_BYTES + 1, DAY), ""),  # not one fits
        (Limits(0, 1 << 20, DAY), ""),
    ],
)
def test_what_was_used_the_longest_time_ago_makes_room(limits: Limits, kept: str) -> None:
    assert left(holding(limits, "a", "b", "c"), "abc") == kept


def test_asking_counts_as_use() -> None:
    memory = holding(Limits(2, 1 << 20, DAY), "a", "b")
    assert left(memory, "a") == "a"
    memory.put("a", "c", b"x")
    assert left(memory, "abc") == "ac"


def test_who_holds_the_most_makes_room() -> None:
    memory = holding(Limits(9, 4 * (ENTRY_BYTES + 2), DAY), "k", tenant="small")
    for key in "abcdef":
        memory.put("greedy", key, b"x")
    assert left(memory, "k", "small") == "k"
    assert left(memory, "abcdef", "greedy") == "def"


def test_new_limits_count_at_once() -> None:
    memory = holding(WIDE, "a", "b", "c")
    memory.limit(Limits(1, 1 << 20, DAY))
    assert left(memory, "abc") == "c"
    memory.limit(Limits(0, 1 << 20, DAY))
    assert (memory.entries, memory.size) == (0, 0)


@given(
    st.integers(0, 4),
    st.integers(0, 4 * ENTRY_BYTES),
    st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("klmn"), st.binary(max_size=200), st.booleans())),
)
def test_no_sequence_breaks_the_limits(entries: int, size: int, steps: list[tuple[str, str, bytes, bool]]) -> None:
    memory = BoundedMemory(Limits(entries, size, DAY), Clock())
    model: dict[tuple[str, str], bytes] = {}
    for tenant, key, value, is_put in steps:
        if is_put:
            memory.put(tenant, key, value)
            model[tenant, key] = value
        else:
            at_once(memory.forget(tenant, key))
            model.pop((tenant, key), None)
        found = {each: at_once(memory.get(*each)) for each in model}
        held = {each: value for each, value in found.items() if value is not None}
        assert all(model[each] == value for each, value in held.items())
        assert memory.entries == len(held) <= entries
        assert memory.size == sum(ENTRY_BYTES + len(key) + len(value) for (_, key), value in held.items()) <= size
