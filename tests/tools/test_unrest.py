"""A short run amid unrest: nothing is left over, and the tool says so."""

import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).parents[2] / "tools"


def test_a_few_seconds_of_unrest_leave_nothing_over() -> None:
    asked = ["--streams", "20", "--accounts", "4", "--seconds", "4", "--before", "1", "--calls", "0"]
    asked += ["--large", "1", "--sockets", "3"]
    command = [sys.executable, "-m", "bench.unrest", *asked]
    ran = subprocess.run(command, cwd=TOOLS, capture_output=True, text=True, timeout=100, check=False)
    assert "'complete': " in ran.stdout
    assert ran.returncode == 0, ran.stdout + ran.stderr
