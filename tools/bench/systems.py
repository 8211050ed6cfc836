"""The systems under test: each an adapter file that says how to configure, start and find it."""

import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from ssl import CERT_NONE, create_default_context

SYSTEMS = Path(__file__).parent / "systems"

STARTS_WITHIN = 60.0
"""Seconds. The slowest gateway we know needs six."""

STOPS_WITHIN = 10.0
"""Seconds, then it is killed: nothing it was doing is wanted any more."""

LOOKS_EVERY = 0.002
"""Seconds between two looks whether it answers: the start is timed to this."""


class CannotRun(Exception):
    """What is missing, and how to get it."""


@dataclass(frozen=True, slots=True)
class System:
    """One adapter. In `command` and `files` each `@name@` is replaced: `port`, `stub` (the upstream's port), `directory`
    (a fresh one), `key` (the clients'), `certificate`, `certificate_key`, `workers`, `bin` (of this Python), and the names of
    `values`, or of `values_with_tls` when TLS is measured. `ready` answers 200 once it serves."""

    name: str
    command: tuple[str, ...]
    ready: str
    needs: str
    translates: bool
    most_workers: int = 1
    files: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    values_with_tls: Mapping[str, str] | None = None
    environ: Mapping[str, str] = field(default_factory=dict)


def load_system(named: str) -> System:
    """By name, from `systems/`, or by the path of a file."""
    path = Path(named) if named.endswith(".toml") else SYSTEMS / f"{named}.toml"
    if not path.exists():
        known = ", ".join(sorted(file.stem for file in SYSTEMS.glob("*.toml")))
        raise CannotRun(
            f"There is no system {named!r}; known are {known}, or give the path of an adapter file (.toml)."
        )
    read = tomllib.loads(path.read_text())
    try:
        return System(name=path.stem, **{**read, "command": tuple(read["command"])})
    except (KeyError, TypeError) as error:
        raise CannotRun(f"{path}: {error}; README.md says what an adapter file holds.") from error


@dataclass(frozen=True, slots=True)
class Running:
    """`seconds` is how long its start took."""

    system: System
    pid: int
    port: int
    seconds: float


@contextmanager
def running(
    system: System, values: Mapping[str, str], port: int, cores: Set[int], *, tls: bool, workers: int
) -> Iterator[Running]:
    """The system, started on these cores; its files are in `values["directory"]`. Stopped at the end of the block."""
    more = {**system.values, **((tls and system.values_with_tls) or {}), "port": str(port), "workers": str(workers)}
    filled = {**values, **more, "bin": str(Path(sys.executable).parent)}
    needed = _fill(system.needs, filled)
    if shutil.which(needed) is None:
        raise CannotRun(f"{system.name}: {needed} is not installed; its adapter file says where it comes from.")
    directory = Path(filled["directory"])
    for name, text in system.files.items():
        (directory / name).write_text(_fill(text, filled))
        (directory / name).chmod(0o600)
    command = [_fill(word, filled) for word in system.command]
    environ = {**os.environ, **{name: _fill(text, filled) for name, text in system.environ.items()}}
    began = time.monotonic()
    with (directory / "output.log").open("wb") as output:
        process = on_cores(cores, command, environ=environ, cwd=directory, output=output.fileno())
    try:
        _wait_until_ready(system, process, port, directory, tls=tls)
        yield Running(system, process.pid, port, time.monotonic() - began)
    finally:
        process.terminate()
        try:
            process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def on_cores(
    cores: Set[int], command: list[str], *, environ: Mapping[str, str], cwd: Path, output: int
) -> subprocess.Popen[bytes]:
    """A process that stays on these cores, as do its children."""
    ours = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        return subprocess.Popen(command, env=environ, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    finally:
        os.sched_setaffinity(0, ours)


def _wait_until_ready(
    system: System, process: subprocess.Popen[bytes], port: int, directory: Path, *, tls: bool
) -> None:
    until = time.monotonic() + STARTS_WITHIN
    while not _answers(port, system.ready, tls=tls):
        if process.poll() is not None or time.monotonic() > until:
            said = (directory / "output.log").read_text(errors="replace")[-2000:]
            raise CannotRun(f"{system.name} does not answer at {system.ready} on port {port}:\n{said}")
        time.sleep(LOOKS_EVERY)


def _answers(port: int, path: str, *, tls: bool) -> bool:
    anybody = create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, CERT_NONE
    here = (
        HTTPSConnection("127.0.0.1", port, timeout=5, context=anybody)
        if tls
        else HTTPConnection("127.0.0.1", port, timeout=5)
    )
    try:
        here.request("GET", path)
        return here.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        here.close()


def _fill(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text
