"""A change of a file is noticed by inotify, and without it by looking."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from aiproxy.storage import watch
from aiproxy.storage.file import POLL_SECONDS
from aiproxy.storage.watch import FileWatch
from tests.web.serving import edge

Change = Callable[[Path, str], None]


class Told:
    """Counts, and lets a test wait for the next time."""

    def __init__(self) -> None:
        self.times = 0
        self._waiting: Deferred[None] | None = None

    def __call__(self) -> None:
        self.times += 1
        if self._waiting is not None:
            self._waiting.callback(None)
            self._waiting = None

    async def again(self, reactor: Any) -> None:
        self._waiting = Deferred()
        self._waiting.addTimeout(20, reactor)
        await self._waiting


def by_rename(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    new.write_text(text)
    new.rename(path)


def by_replacing_the_link(path: Path, text: str) -> None:
    """As Kubernetes changes a mounted file: the directory that a link leads to."""
    data = path.parent / f"..{abs(hash(text))}"
    data.mkdir()
    (data / path.name).write_text(text)
    (path.parent / "..new").symlink_to(data)
    (path.parent / "..new").rename(path.parent / "..data")


def in_place(path: Path, text: str) -> None:
    path.write_text(text)


def by_removal(path: Path, _text: str) -> None:
    path.unlink()


@pytest.mark.parametrize("change", [in_place, by_rename, by_removal, by_replacing_the_link])
@edge
async def test_inotify_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Change) -> None:
    from twisted.internet import reactor

    monkeypatch.setattr(watch, "POLL_SECONDS", 3600)
    path = tmp_path / "aiproxy.yaml"
    if change is by_replacing_the_link:
        by_replacing_the_link(path, "old")
        path.symlink_to("..data/aiproxy.yaml")
    else:
        path.write_text("old")
    told = Told()
    files = FileWatch(reactor, told)
    files.start()
    try:
        files.follow([path])
        change(path, "new content")
        await told.again(reactor)
        (tmp_path / "something else").write_text("not followed")
    finally:
        files.stop()
    assert told.times == 1


def test_without_inotify_a_look_finds_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_inotify", lambda _: None)
    clock, told = Clock(), Told()
    files = FileWatch(clock, told)
    files.start()
    path = tmp_path / "aiproxy.yaml"
    files.follow([path])
    clock.advance(POLL_SECONDS)
    assert told.times == 0
    path.write_text("new")
    clock.advance(POLL_SECONDS)
    assert told.times == 1
    path.write_text("newer")
    files.mark()  # whoever loads now sees it
    clock.advance(POLL_SECONDS)
    assert told.times == 1
    files.follow([])
    path.unlink()
    clock.advance(POLL_SECONDS)
    assert told.times == 1
    files.stop()
