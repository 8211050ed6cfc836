"""Documents in a git repository: one commit a change, pushed as a fast-forward or not at all. History is never rewritten.

A document's version is its blob's name. When a push comes second, the remote is fetched, the version compared again, and
the commit made anew on top: a rebase of one commit that touches one file. There is no working tree to get dirty.
"""

import fcntl
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Event, Lock

from aiproxy.storage.documents import digest, largest
from aiproxy.storage.git_command import Git, Rejected, blob_name
from aiproxy.storage.history import within
from aiproxy.storage.store import Change, Conflict, Entry, Past, Unavailable

MOST_PUSHES = 30
"""Attempts of one change. Only other writers make one fail, and one of them succeeds each time."""

_THEIRS = "refs/aiproxy/theirs"
_OURS = "refs/aiproxy/ours"
_FIRST_BRANCH = "main"
"""Of a repository that is empty: which one its own HEAD would mean, no server says."""

Tree = Mapping[str, tuple[str, int]]
"""Name → blob and size."""


class GitRemote:
    """A `Remote`. `directory` is a bare repository of our own; `branch` empty means the remote's default; `poll` in seconds."""

    def __init__(self, git: Git, directory: Path, branch: str, poll: float) -> None:
        self.place = f"git:{git.url}"
        self._git = git
        self._directory = directory
        self._branch = branch
        self._poll = poll
        self._lock = Lock()
        self._jitter = Random()  # noqa: S311 - spreads retries, guards nothing

    # -- documents

    def versions(self) -> Mapping[str, str]:
        with self._alone():
            self._fetch()
            return {name: blob for name, (blob, _) in self._tree().items()}

    def fetch(self, names: Iterable[str]) -> Mapping[str, Entry]:
        with self._alone():
            tree = self._tree()
            wanted = {name: tree[name] for name in names if name in tree}
            blobs = {name: blob for name, (blob, size) in wanted.items() if size <= largest(name)}
            bodies = self._git.blobs(list(blobs.values()))
            return {name: Entry(body, blob) for (name, blob), body in zip(blobs.items(), bodies, strict=True)}

    def save(self, name: str, body: bytes, expected: str | None, change: Change) -> str:
        self._commit(name, body, expected, change)
        return blob_name(body)

    def delete(self, name: str, expected: str, change: Change) -> None:
        self._commit(name, None, expected, change)

    def past(self, name: str, most: int, most_bytes: int) -> Sequence[Past]:
        """The commits of our branch that wrote this file, as far as they are here."""
        with self._locked():
            if self._git.head(_THEIRS) is None:
                return ()
            form = "--format=%H%x00%at%x00%an%x00%s"
            asked = ("log", "--first-parent", "-m", "-s", "-z", "--diff-filter=AM", f"--max-count={most}", form)
            listed = self._git.run(*asked, _THEIRS, "--", name).decode(errors="replace").split("\0")[:-1]
            commits = [listed[start : start + 4] for start in range(0, len(listed), 4)]
            names = [f"{commit}:{name}" for commit, *_ in commits]
            bodies = self._git.blobs(names[: within(self._git.sizes(names), most_bytes)])
        return [
            Past(commit, float(at), author, reason, digest(body), body)
            for (commit, at, author, reason), body in zip(commits, bodies, strict=False)
        ]

    def wait(self, stop: Event) -> None:
        stop.wait(self._poll)

    def close(self) -> None:
        """Nothing is held open."""

    # -- commits

    def _commit(self, name: str, body: bytes | None, expected: str | None, change: Change) -> None:
        with self._alone():
            if self._blob(name) != expected:
                self._fetch()
            for _ in range(MOST_PUSHES):
                if self._blob(name) != expected:
                    raise Conflict(name)
                if body is not None and blob_name(body) == expected:
                    return  # a commit of nothing
                try:
                    self._push(name, body, change)
                    return
                except Rejected:
                    time.sleep(self._jitter.uniform(0, 0.05))
                    self._fetch()
            raise Unavailable(f"{self.place} took {MOST_PUSHES} other changes before this one: it is too busy.")

    def _push(self, name: str, body: bytes | None, change: Change) -> None:
        head = self._git.head(_THEIRS)
        self._git.fast_import(_commit_stream(name, body, change, head))
        self._git.push(_OURS, f"refs/heads/{self._branch}")
        self._git.run("update-ref", _THEIRS, _OURS)

    def _blob(self, name: str) -> str | None:
        blob, _ = self._tree(name).get(name, (None, 0))
        return blob

    def _tree(self, *names: str) -> Tree:
        if self._git.head(_THEIRS) is None:
            return {}
        listed = self._git.run("ls-tree", "-r", "-z", "--long", _THEIRS, "--", *names)
        found = {}
        for line in listed.decode("utf-8", "surrogateescape").split("\0")[:-1]:
            about, _, name = line.partition("\t")
            mode, kind, blob, size = about.split()
            if kind == "blob" and mode != "120000":  # a link would lead out of the repository
                found[name] = (blob, int(size))
        return found

    def _fetch(self) -> None:
        self._choose_branch()
        there = self._git.fetch(f"+refs/heads/{self._branch}:{_THEIRS}")
        if not there and self._git.head(_THEIRS) is not None:
            self._git.run("update-ref", "-d", _THEIRS)

    def _choose_branch(self) -> None:
        if not self._branch:
            self._branch = self._git.default_branch() or _FIRST_BRANCH

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """With a branch of which the remote may have to be asked."""
        with self._locked():
            self._choose_branch()
            yield

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Alone among the threads and processes that share our repository."""
        with self._lock:
            try:
                self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                lock = os.open(self._directory / "aiproxy.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            except OSError as error:
                raise Unavailable(f"{self._directory} can't be written: {error.strerror}.") from error
            try:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not (self._directory / "HEAD").exists():
                    self._git.run("init", "--quiet", "--bare", ".")
                yield
            finally:
                os.close(lock)


def _commit_stream(name: str, body: bytes | None, change: Change, head: str | None) -> bytes:
    """One commit for `git fast-import`: no index, no working tree, one process."""
    author = "".join(each for each in change.author if each.isprintable() and each not in "<>")
    message = change.reason.encode()
    start = f"from {head}\n" if head else ""
    lines = (
        f"reset {_OURS}\n{start}\ncommit {_OURS}\n"
        f"author {author} <aiproxy@localhost> {int(time.time())} +0000\n"
        f"committer aiproxy <aiproxy@localhost> {int(time.time())} +0000\n"
        f"data {len(message)}\n"
    ).encode()
    if body is None:
        what = f"D {name}\n".encode()
    else:
        what = f"M 100644 inline {name}\ndata {len(body)}\n".encode() + body + b"\n"
    return lines + message + b"\n" + start.encode() + what
