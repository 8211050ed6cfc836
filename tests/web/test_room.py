"""Room for a body: the file it would be anyway, and for a large one the kernel was asked for huge pages."""

import subprocess
import sys
from ctypes import addressof, c_char
from pathlib import Path

import pytest

from aiproxy.web.room import LARGE, room_for


@pytest.mark.parametrize("size", [0, 1, 4096, LARGE - 1, LARGE, 3 * LARGE + 17])
def test_what_is_written_over_it_is_its_content(size: int) -> None:
    room = room_for(size)
    data = bytes(range(251)) * (size // 251 + 1)
    for start in range(0, size, 65_536):
        assert room.tell() == start
        room.write(data[start : min(start + 65_536, size)])
    assert room.getvalue() == data[:size]


def advised(room_size: int) -> bool:
    with room_for(room_size).getbuffer() as view:
        middle = addressof(c_char.from_buffer(view)) + room_size // 2
        inside = False
        for line in Path("/proc/self/smaps").read_text().splitlines():
            first, _, rest = line.partition(" ")
            if "-" in first and not first.endswith(":"):
                start, end = (int(number, 16) for number in first.split("-"))
                inside = start <= middle < end
            elif inside and first == "VmFlags:":
                return "hg" in rest.split()
    return False


IN_A_GATEWAY = """
from aiproxy.heap import return_large_blocks
from aiproxy.web.room import LARGE, MOST_IN_HUGE_PAGES, room_for
from tests.web.test_room import advised

return_large_blocks()
print(advised(8 * LARGE), advised(LARGE // 2))
others = [room_for(LARGE) for _ in range(MOST_IN_HUGE_PAGES)]
print(advised(8 * LARGE))
others.clear()
print(advised(8 * LARGE))
"""


@pytest.mark.skipif(
    sys.platform != "linux" or not Path("/sys/kernel/mm/transparent_hugepage").exists(), reason="has no huge pages"
)
def test_a_few_large_ones_are_in_huge_pages() -> None:
    """In a process of its own: what was asked for a block stays with the memory that the next one may get."""
    root = Path(__file__).parent.parent.parent
    done = subprocess.run([sys.executable, "-c", IN_A_GATEWAY], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.split() == ["True", "False", "False", "True"]
