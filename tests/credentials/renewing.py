"""A program of its own for `test_kills`: renews the account `kimi-1` of a directory, as often as it is told, each time in a process
that kills itself (SIGKILL) after so many steps. A step is a line of our code, or what the system is asked for.

On standard input a line of JSON each, `{"directory", "steps", "kill_after"}` (null: never; the steps taken are written to a file);
answered by a status, -9 after a kill. It stays one process so that Python and our code are loaded once."""

import json
import os
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

import click

from aiproxy.neutral.errors import GatewayError
from aiproxy.registry import load_registry
from aiproxy_config.logins import opened

WATCHED = (
    "credentials/renewer.py",
    "credentials/refresh_grant.py",
    "credentials/exchange.py",
    "storage/file.py",
    "storage/mirror.py",
)
"""The files whose every line is a step: from the vendor's answer to the disk."""

SYSTEM = ("open", "os.", "socket.", "sqlite3.", "fcntl.", "time.", "http.client.")


class Steps:
    """Each is written down, then taken; a kill comes before the next is written: what is written was done."""

    def __init__(self, file: Path, kill_after: int | None) -> None:
        self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._left = -1 if kill_after is None else kill_after
        self._within = False

    def taken(self, name: str) -> None:
        if self._within:
            return
        self._within = True
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1
        os.write(self._file, f"{name}\n".encode())
        self._within = False

    def audited(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(SYSTEM) and "/lib/python" not in str(arguments):
            self.taken(f"{event} {arguments[:2]}".replace("\n", " ") if event.startswith(("open", "os.")) else event)

    def traced(self, frame: FrameType, event: str, _argument: object) -> Any:
        name = frame.f_code.co_filename
        if not name.endswith(WATCHED):
            return None
        if event == "line":
            self.taken(f"{name.rpartition('aiproxy/')[2]}:{frame.f_lineno}")
        return self.traced


def renew(directory: Path, written: Path, kill_after: int | None) -> None:
    os.chdir(directory)
    with opened("aiproxy.yaml") as credentials:
        record = credentials.record("kimi-1")
        steps = Steps(written, kill_after)
        sys.addaudithook(steps.audited)
        sys.settrace(steps.traced)
        credentials.renewed(record)
        sys.settrace(None)


def main() -> None:
    load_registry()
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                renew(Path(asked["directory"]), Path(asked["steps"]), asked["kill_after"])
                status = 0
            except (click.ClickException, GatewayError):
                status = 2
            finally:
                os._exit(status)
        _, ended = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(ended)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
