"""The log file: private, bounded, reopened on demand."""

import io
import json
import os
import stat
from pathlib import Path

import pytest
from twisted.logger import Logger

from aiproxy.config.schema import LogFormat, Logging
from aiproxy.logs import Scrubbing, make_observer
from aiproxy.logs.output import KEPT, FileOutput, StreamOutput


def output(path: Path, most_bytes: int, spare: io.StringIO | None = None) -> FileOutput:
    return FileOutput(str(path), most_bytes, StreamOutput(spare or io.StringIO()))


def test_a_file_is_private_and_has_json_even_on_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "aiproxy.log"
    stream = io.StringIO()
    observer = make_observer(Logging(file=str(path)), Scrubbing(), stream, isatty=True)
    Logger("aiproxy.x", observer=observer).info("hello")
    observer.close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["msg"] == "hello"
    assert stream.getvalue() == ""


def test_text_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "aiproxy.log"
    observer = make_observer(Logging(file=str(path), format=LogFormat.TEXT), Scrubbing(), io.StringIO(), isatty=True)
    Logger("aiproxy.x", observer=observer).info("hello")
    observer.close()
    assert path.read_text().endswith("x: hello\n")
    assert "\x1b" not in path.read_text()


def test_all_files_together_stay_under_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "log"
    out = output(path, 1000)
    for number in range(300):
        out.write(f"line {number:04d} ä\n")
        assert sum(file.stat().st_size for file in tmp_path.iterdir()) <= 1000
    out.close()
    names = [str(path), *(f"{path}.{place}" for place in range(1, KEPT + 1))]
    assert sorted(str(file) for file in tmp_path.iterdir()) == names
    lines = "".join(Path(name).read_text() for name in reversed(names)).splitlines()
    assert lines == [f"line {number:04d} ä" for number in range(300 - len(lines), 300)]
    assert len(lines) * len("line 0000 ä\n".encode()) > 750
    assert all(stat.S_IMODE(Path(name).stat().st_mode) == 0o600 for name in names)


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for number in range(3):
        out = output(path, 100)  # 20 a file
        out.write(f"line {number}\n")
        out.close()
    assert path.read_text() == "line 2\n"
    assert Path(f"{path}.1").read_text() == "line 0\nline 1\n"


def test_reopen_after_somebody_moved_it(tmp_path: Path) -> None:
    path = tmp_path / "log"
    out = output(path, 10_000)
    out.write("one\n")
    path.rename(tmp_path / "moved")
    out.write("two\n")
    out.reopen()
    out.write("three\n")
    out.close()
    assert (tmp_path / "moved").read_text() == "one\ntwo\n"
    assert path.read_text() == "three\n"


def test_a_failed_reopen_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    out = output(path, 10_000)
    path.rename(tmp_path / "moved")
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        out.reopen()
    out.write("still there\n")
    out.close()
    assert (tmp_path / "moved").read_text() == "still there\n"


def test_what_the_file_refuses_goes_to_the_stream(tmp_path: Path) -> None:
    spare = io.StringIO()
    out = output(tmp_path / "log", 10_000, spare)
    out.close()
    out.write("late\n")
    assert spare.getvalue() == "late\n"


def test_a_rotation_that_fails_loses_no_line(tmp_path: Path) -> None:
    spare = io.StringIO()
    path = tmp_path / "log"
    out = output(path, 50, spare)
    out.write("line one\n")
    for place in range(1, KEPT + 1):
        Path(f"{path}.{place}").mkdir()
        Path(f"{path}.{place}", "in-the-way").touch()
    out.write("line two\n")
    out.close()
    assert path.read_text() + spare.getvalue() == "line one\nline two\n"


def test_a_file_that_cannot_be_opened_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        make_observer(Logging(file=str(tmp_path / "no" / "log")), Scrubbing(), io.StringIO(), isatty=False)


def test_descriptors_are_given_back(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    out = output(tmp_path / "log", 100)
    for _ in range(50):
        out.write("a line of text\n")
        out.reopen()
    out.close()
    assert len(os.listdir("/proc/self/fd")) == before
