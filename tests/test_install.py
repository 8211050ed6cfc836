"""An ordinary `pip install .` into an empty environment: commands, plugin and size."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.rig.daemon import Daemon

ROOT = Path(__file__).parent.parent
MOST_PACKAGES = 36


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a fresh environment with the project in it, copied so that nothing is found in the tree."""
    directory = tmp_path_factory.mktemp("install")
    subprocess.run([sys.executable, "-m", "venv", directory / "venv"], check=True)
    pip = [str(directory / "venv" / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*pip, "install", str(ROOT)], check=True, timeout=300)
    return directory / "venv" / "bin"


def test_twistd_knows_the_plugin_and_it_runs(installed: Path, tmp_path: Path) -> None:
    listed = subprocess.run([installed / "twistd", "--help"], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert "A unified AI API gateway" in listed.stdout
    running = Daemon([str(installed / "twistd"), "-n", "--pidfile=", "aiproxy", "--port", "0"], tmp_path, {})
    assert running.stop() == 0


def test_the_commands_are_there(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("port: 1234\n")
    done = subprocess.run(
        [installed / "aiproxy-config", "validate", "a.yaml"], cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done
    assert subprocess.run([installed / "aiproxy", "--help"], capture_output=True, check=True).stdout


def test_it_stays_small(installed: Path) -> None:
    listed = subprocess.run([installed / "pip", "list", "--format=json"], capture_output=True, text=True, check=True)
    names = {package["name"] for package in json.loads(listed.stdout)} - {"aiproxy", "pip", "setuptools"}
    assert len(names) < MOST_PACKAGES, sorted(names)
