"""The tools that tell what lasts: short runs of upgrades under load and of connections at rest, and what they say."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).parents[2] / "tools"


def ran(*asked: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", *asked]
    return subprocess.run(command, cwd=TOOLS, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
def test_an_upgrade_under_a_few_streams() -> None:
    done = ran("bench.upgrade", "--upgrades", "1", "--streams", "10")
    assert "wrong: nothing" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0


def test_a_few_connections_at_rest() -> None:
    done = ran("bench.idle", "--connections", "200")
    assert "200 connections at rest: " in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0
