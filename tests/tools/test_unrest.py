"""A short run amid unrest: that the tool works. What it finds in a minute is its own affair."""

import subprocess
import sys
from pathlib import Path

TOOLS = Path(__file__).parents[2] / "tools"


def test_a_few_seconds_of_unrest_leave_nothing_over() -> None:
    asked = ["--streams", "20", "--accounts", "4", "--seconds", "4", "--quiet", "8"]
    command = [sys.executable, "-m", "bench.unrest", *asked]
    ran = subprocess.run(command, cwd=TOOLS, capture_output=True, text=True, timeout=100, check=False)
    assert ran.returncode in (0, 1), ran.stderr
    assert "CUT SILENTLY" not in ran.stdout
    assert "NOT WHOLE" not in ran.stdout
    assert "leases are left" not in ran.stdout
    assert "'complete': " in ran.stdout
