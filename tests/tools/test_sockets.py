"""A short run of sockets at rest and at work: each answer is whole, and the tool says what one at rest costs."""

import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).parents[2] / "tools"


def test_a_few_seconds_of_sockets() -> None:
    asked = ["--idle", "100", "--busy", "10", "--seconds", "3", "--before", "2"]
    command = [sys.executable, "-m", "bench.sockets", *asked]
    ran = subprocess.run(command, cwd=TOOLS, capture_output=True, text=True, timeout=100, check=False)
    assert "100 at rest: " in ran.stdout, ran.stderr
    assert " 0 wrong" in ran.stdout
