"""The C programs: building them, the stub upstream's life, and runs of the load generator."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from bench.systems import CannotRun, on_cores

SOURCES = Path(__file__).parent / "native"
_FLAGS = ("-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE")
_TLS = ("-DWITH_TLS", "-lssl", "-lcrypto")


def build(directory: Path) -> bool:
    """`stub` and `load` in the directory; whether `load` can speak TLS, which needs OpenSSL's headers."""
    compiler = shutil.which(os.environ.get("CC", "cc"))
    if compiler is None:
        raise CannotRun("No C compiler (cc): install one (Debian: apt-get install gcc libc6-dev), or name it by CC.")
    _compile(compiler, directory, "stub")
    try:
        _compile(compiler, directory, "load", *_TLS)
    except CannotRun:
        _compile(compiler, directory, "load")
        return False
    return True


def _compile(compiler: str, directory: Path, name: str, *more: str) -> None:
    command = [compiler, *_FLAGS, "-o", str(directory / name), str(SOURCES / f"{name}.c"), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise CannotRun(f"{' '.join(command)} failed:\n{done.stderr}")


@contextmanager
def stub(directory: Path, port: int, answers: Sequence[str], cores: Set[int]) -> Iterator[None]:
    """The upstream, listening."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as said:
        command = [str(directory / "stub"), str(port), *answers]
        process = on_cores(cores, command, environ=os.environ, cwd=directory, output=writing)
        os.close(writing)
        try:
            if (line := said.readline()) != "ready\n":
                raise CannotRun(f"The stub upstream does not start: {line}{said.read()}")
            yield
        finally:
            process.terminate()
            process.wait()


def load(
    directory: Path,
    port: int,
    options: Sequence[str],
    cores: Set[int],
    phase: Callable[[dict[str, Any]], None],
    *,
    enough: Event | None = None,
) -> dict[str, Any]:
    """One run; `phase` is called for each phase as it begins. The result is what it counted. `enough` ends it earlier: each connection's
    request is its last then."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as said:
        command = [str(directory / "load"), str(port), *options]
        process = on_cores(cores, command, environ=os.environ, cwd=directory, output=writing)
        os.close(writing)
        if enough is not None:
            Thread(target=_end, args=(process, enough), daemon=True).start()
        try:
            counted: dict[str, Any] = {}
            for line in said:
                counted = json.loads(line)
                phase(counted)
            if counted.get("phase") != "done":
                raise CannotRun(f"The load generator broke: {' '.join(command)}")
            return counted
        finally:
            process.terminate()
            process.wait()


def _end(process: subprocess.Popen[bytes], enough: Event) -> None:
    enough.wait()
    process.send_signal(signal.SIGINT)
