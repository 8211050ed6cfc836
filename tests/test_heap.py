"""Bodies that are through leave no memory behind, also where small things that stay were made between them."""

import subprocess
import sys

import pytest

BLOCKS, SIZE = 20, 8_000_000
KEPT = 2 * SIZE

BETWEEN = f"""
import os
from aiproxy.heap import return_large_blocks

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

return_large_blocks()
bytearray({SIZE})
before = resident()
bodies, staying = [], []
for _ in range({BLOCKS}):
    bodies.append(b"x" * {SIZE} + bytes(1))
    staying.append(bytes(100_000))
del bodies
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_large_blocks_go_back_to_the_system() -> None:
    done = subprocess.run([sys.executable, "-c", BETWEEN], capture_output=True, text=True, check=True, timeout=60)
    assert int(done.stdout) < KEPT
