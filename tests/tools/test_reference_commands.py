"""Every command of the reference (`configs/README.md`), run as it stands there, one after the other, beside the files there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

CONFIGS = Path(__file__).parents[2] / "configs"
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", (CONFIGS / "README.md").read_text(), re.MULTILINE | re.DOTALL)
COMMANDS = [command for block in BLOCKS for command in block.splitlines() if command.startswith("aiproxy-config ")]


def test_the_references_commands(tmp_path: Path) -> None:
    for name in ("minimal.yaml", "full.yaml"):
        shutil.copy(CONFIGS / name, tmp_path)
    names = dict.fromkeys(re.findall(r"\$\{(\w+)", (tmp_path / "minimal.yaml").read_text()), "v" * 20)
    tools = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environ = {"PATH": tools, "HOME": str(tmp_path), **names}
    assert COMMANDS
    for command in COMMANDS:
        done = subprocess.run(
            ["sh", "-c", command], cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, command + "\n" + done.stdout + done.stderr
