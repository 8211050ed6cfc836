"""The gateway as users run it: `twistd -n aiproxy` in a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

STARTS_WITHIN = 30.0
"""Seconds. A hundred times what it takes: only a broken start reaches it."""

BIN = Path(sys.executable).parent
_LISTENS = re.compile(r"listens on (\w+)://(\S+?):(\d+),")

_KEPT = ("PATH", "LANG", "SSL_CERT_FILE", "PYTHONPATH", "TMPDIR")


class Daemon:
    """A running gateway, whose home is `directory`. `log` holds its log events as they come; `address` is scheme, host and port."""

    def __init__(self, command: Sequence[str], directory: Path, environ: Mapping[str, str]) -> None:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self.process = subprocess.Popen(
            command,
            cwd=directory,
            env={**kept, "HOME": str(directory), "PYTHONUNBUFFERED": "1", **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.output: list[str] = []
        self._ends = False
        self._lines: Queue[str | None] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        self.scheme, host, self.port = self._started()
        self.address = f"{self.scheme}://{host}:{self.port}"
        self.base_url = f"{self.address}/v1"

    def wait_for(self, words: str, *, seconds: float = STARTS_WITHIN) -> dict[str, Any]:
        """The next log event whose text contains these words."""
        while True:
            event = _event(self._line(seconds, words))
            if words in str(event.get("msg", "")):
                return event

    def wait_for_access(self, request_id: str) -> dict[str, Any]:
        """The access log's entry for this request."""
        while True:
            event = _event(self._line(STARTS_WITHIN, request_id))
            if event.get("logger") == "aiproxy.access" and event.get("request_id") == request_id:
                return event

    def signal(self, number: signal.Signals) -> None:
        self._ends = self._ends or number is signal.SIGTERM
        self.process.send_signal(number)

    def stop(self) -> int:
        """TERM, unless it was sent already (a second one ends the process in whatever it still does), and the exit status."""
        if self.process.poll() is None and not self._ends:
            self.signal(signal.SIGTERM)
        try:
            status = self.process.wait(STARTS_WITHIN)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self._reader.join(STARTS_WITHIN)
        return status

    def _started(self) -> tuple[str, str, int]:
        while True:
            found = _LISTENS.search(self._line(STARTS_WITHIN, "listens on"))
            if found:
                return found[1], found[2], int(found[3])

    def _line(self, seconds: float, awaited: str) -> str:
        try:
            line = self._lines.get(timeout=seconds)
        except Empty:
            line = None
        if line is None:
            raise AssertionError(f"the gateway never said {awaited!r}:\n" + "".join(self.output))
        return line

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self.output.append(line)
                self._lines.put(line)
        self._lines.put(None)


def _event(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {"msg": line}
    return found if isinstance(found, dict) else {"msg": line}


@contextmanager
def daemon(
    directory: Path, configuration: str | None = None, *arguments: str, environ: Mapping[str, str] | None = None
) -> Iterator[Daemon]:
    """A gateway with this configuration (None: the built-in one) on a free port, stopped at the end of the block."""
    options = ["--set", "port=0", *arguments]
    if configuration is not None:
        path = directory / "aiproxy.yaml"
        path.write_text(configuration)
        path.chmod(0o600)
        options = ["--config", str(path), *options]
    running = Daemon([str(BIN / "twistd"), "-n", "--pidfile=", "aiproxy", *options], directory, environ or {})
    try:
        yield running
    finally:
        status = running.stop()
    assert status == 0, "".join(running.output)
