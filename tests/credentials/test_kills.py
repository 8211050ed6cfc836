"""A renewal that is killed with `kill -9` between any two of its steps: the file holds a whole login, the newest one unless the
process died before it could write down what it had just been told, and whoever comes next goes on."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiproxy.credentials.times import written
from tests.rig.upstream import upstream
from tests.vendors.logins import LoginVendor

DONE, REFUSED, KILLED = 0, 2, -9

WRITING = ("os.mkdir", "open", "fcntl.flock", "os.scandir", "os.chown")
"""What a process may be at between the vendor's answer and the file: the writing of that file, and nothing else."""

ELSEWHERE = 40
"""Every so many steps a kill, where nothing is at stake; between the question and the file every second one."""

ANSWERS_WITHIN = 20.0
"""Seconds for the stand-in to take what was sent, however busy the machine is."""


@dataclass(frozen=True)
class Ended:
    """A renewal that came to its end, or to a kill."""

    status: int
    steps: Sequence[str]

    @property
    def asked(self) -> bool:
        """Whether the vendor had all of the question: its old token is good no more."""
        return sum(each == "http.client.send" for each in self.steps) == 2

    @property
    def saved(self) -> bool:
        return any(each.startswith("os.rename") and "kimi-1.json" in each for each in self.steps)

    @property
    def held(self) -> bool:
        """Whether it had the account's lock: the file is read with that in hand only."""
        return any(each.startswith("storage/file.py") for each in self.steps)

    @property
    def lost(self) -> bool:
        return self.asked and not self.saved and self.status == KILLED


class Place:
    """An account of a vendor, and two processes that renew it."""

    def __init__(
        self, directory: Path, url: str, vendor: LoginVendor, renewers: "Sequence[subprocess.Popen[str]]"
    ) -> None:
        self.here = directory
        self.vendor = vendor
        self._renewers = renewers
        self._sent = 0
        (directory / "auth").mkdir(parents=True)
        settings = f"auth-dir: auth\nstate: state.db\nupstreams:\n  kimi: {{token-url: '{url}/token'}}\n"
        (directory / "aiproxy.yaml").write_text(settings)
        (directory / "aiproxy.yaml").chmod(0o600)
        self.put(
            type="kimi", access_token=vendor.access, refresh_token=vendor.refresh, expired=written(time.time()), note=0
        )

    @property
    def kept(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.here / "auth" / "kimi-1.json").read_text())
        return found

    def put(self, **changes: Any) -> None:
        """By an editor that replaces the file."""
        file, new = self.here / "auth" / "kimi-1.json", self.here / "new"
        new.write_text(json.dumps({**(self.kept if file.exists() else {}), **changes}))
        new.chmod(0o600)
        new.rename(file)

    def log_in(self) -> None:
        said = self.vendor.next()
        self.put(access_token=said["access_token"], refresh_token=said["refresh_token"])

    def renew(self, *kills: int | None) -> Sequence[Ended]:
        """By a process for each of `kills`, all at once."""
        with ThreadPoolExecutor() as threads:
            ended = list(
                threads.map(self._renewed, self._renewers, (self.here / "steps-0", self.here / "steps-1"), kills)
            )
        self._sent += sum(each.asked for each in ended)
        until = time.monotonic() + ANSWERS_WITHIN
        while len(self.vendor.used) < self._sent:
            assert time.monotonic() < until
            time.sleep(0.001)
        return ended

    def _renewed(self, renewer: "subprocess.Popen[str]", steps: Path, kill_after: int | None) -> Ended:
        assert renewer.stdin is not None
        assert renewer.stdout is not None
        asked = {"directory": str(self.here), "steps": str(steps), "kill_after": kill_after}
        renewer.stdin.write(json.dumps(asked) + "\n")
        renewer.stdin.flush()
        ended = Ended(int(renewer.stdout.readline()), steps.read_text().splitlines())
        if ended.status == KILLED and ended.held:
            # Its lock would be free when its time is over; nobody waits for that here.
            with closing(sqlite3.connect(self.here / "state.db", timeout=60)) as state, state:
                state.execute("UPDATE locks SET until = 0")
        return ended


@pytest.fixture(scope="module")
def places() -> Iterator[Callable[[], Place]]:
    """In memory where the system has a place for files there: a killed process, unlike a machine without power, needs no disk."""
    root, memory = Path(__file__).parents[2], Path("/dev/shm")
    with ExitStack() as held:
        made = TemporaryDirectory(prefix="aiproxy-kills-", dir=memory if os.access(memory, os.W_OK) else None)
        directory = Path(held.enter_context(made))
        environ = {**os.environ, "HOME": str(directory), "PYTHONPATH": f"{root}:{root / 'tools'}"}
        program = [sys.executable, str(Path(__file__).with_name("renewing.py"))]
        vendors: dict[str, LoginVendor] = {}
        server = held.enter_context(
            upstream(lambda received, wire: vendors[received.path.split("/")[1]].serve(received, wire))
        )
        renewers = []
        for _ in range(2):
            process = subprocess.Popen(program, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            held.callback(process.communicate)
            renewers.append(process)

        def place() -> Place:
            name = f"v{len(vendors)}"
            vendors[name] = LoginVendor()
            return Place(directory / name, f"http://127.0.0.1:{server.port}/{name}", vendors[name], renewers)

        yield place


def test_between_the_answer_and_the_file_there_is_only_its_writing(places: Callable[[], Place]) -> None:
    (whole,) = places().renew(None)
    assert (whole.status, whole.asked, whole.saved) == (DONE, True, True)
    sent = max(number for number, step in enumerate(whole.steps) if step == "http.client.send")
    renamed = next(number for number, step in enumerate(whole.steps) if step.startswith("os.rename"))
    at_the_system = [step for step in whole.steps[sent + 1 : renamed] if not step.split(":")[0].endswith(".py")]
    assert at_the_system
    assert all(step.startswith(WRITING) for step in at_the_system), at_the_system


def test_killed_at_every_step(places: Callable[[], Place]) -> None:
    place = places()
    place.renew(None)  # the first one makes what later ones find there
    (whole,) = place.renew(None)
    sent = max(number for number, step in enumerate(whole.steps) if step == "http.client.send")
    renamed = next(number for number, step in enumerate(whole.steps) if step.startswith("os.rename"))
    between = range(sent - 1, renamed + 3, 2)
    lost: list[int] = []
    for kill_after in sorted({*range(1, len(whole.steps), ELSEWHERE), *between}):
        before = place.kept
        (ended,) = place.renew(kill_after)
        assert ended.status == KILLED
        _holds(place, [ended], before, is_looked_at=not lost)
        if ended.lost:
            lost.append(kill_after)
    assert lost


def _holds(place: Place, ended: Sequence[Ended], before: dict[str, Any], *, is_looked_at: bool = True) -> None:
    """The file after that, and, if `is_looked_at`, what comes of a login whose new token nobody could write down."""
    kept = place.kept
    if any(each.lost for each in ended):
        if not any(each.saved and each.status != REFUSED for each in ended):  # else the other one was through before
            assert kept["refresh_token"] == before["refresh_token"], "a whole login, the last one that was written"
        assert kept["refresh_token"] != place.vendor.refresh
        if is_looked_at:
            (again,) = place.renew(None)
            assert again.status == REFUSED
            assert "invalid_grant" in place.kept["aiproxy_refused"]["reason"]
        place.log_in()
    else:
        assert kept["refresh_token"] == place.vendor.refresh
        assert kept["access_token"] == place.vendor.access


KILL = st.one_of(st.none(), st.integers(1, 400))
ACTION = st.one_of(
    st.tuples(st.just("renew"), KILL),
    st.tuples(st.just("both"), st.tuples(KILL, KILL)),
    st.tuples(st.just("edit"), st.integers(1, 99)),
    st.tuples(st.just("login"), st.none()),
)


@settings(max_examples=8)
@given(st.lists(ACTION, min_size=1, max_size=4))
def test_killed_anywhere_between_renewals_edits_and_logins(
    places: Callable[[], Place], actions: list[tuple[str, Any]]
) -> None:
    place, note = places(), 0
    for action, what in actions:
        before = place.kept
        match action:
            case "renew":
                _holds(place, place.renew(what), before)
            case "both":
                _holds(place, place.renew(*what), before)
            case "edit":
                note = what
                place.put(note=note)
            case "login":
                place.log_in()
        assert place.kept["note"] == note, "what another wrote stays"
    (last,) = place.renew(None)
    assert last.status == DONE
    assert place.kept["refresh_token"] == place.vendor.refresh
