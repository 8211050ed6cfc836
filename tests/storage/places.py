"""Every kind of place a store may be at, each a real one, opened any number of times as by so many gateways."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from aiproxy.config import Settings
from aiproxy.config.load import Document, configuration
from aiproxy.storage.opening import open_store
from aiproxy.storage.store import Store
from tests.rig.git import TOKEN, USERNAME, bare, over_http
from tests.rig.line import Line, line
from tests.rig.postgres import Postgres
from tests.rig.s3 import KEY_ID, SECRET, S3Server

ENCRYPTED = {"AIPROXY_ENCRYPTION_KEY": "c2l4dGVlbiBieXRlcyBhbmQgc2l4dGVlbiBtb3JlISE="}


@dataclass
class Place:
    """A place of one kind. `store` is YAML of the section `store`; `line` leads to it, where there is one to cut."""

    kind: str
    directory: Path
    store: str
    line: Line | None = None
    environ: Mapping[str, str] | None = None
    together: bool = True
    """Whether several may write at once."""

    def __post_init__(self) -> None:
        self._opened: list[Store] = []
        self._numbers = count()

    def settings(self, local: Path) -> Settings:
        text = f"auth-dir: {self.directory}/auths\nstore:\n  local-path: {local}\n{self.store}"
        return configuration(Document(text, "t.yaml", self.directory), environ={}).settings

    def open(self, *, mirror: str = "", environ: Mapping[str, str] | None = None) -> Store:
        """As one more gateway, with a mirror of its own, or with the mirror of this name."""
        local = self.directory / (mirror or f"mirror-{next(self._numbers)}")
        environ = environ if environ is not None else self.environ or {}
        store = open_store(self.settings(local), self.directory / "aiproxy.yaml", environ)
        self._opened.append(store)
        store.sync()
        return store

    def close(self) -> None:
        for store in self._opened:
            store.close()


Maker = Callable[[Path, "Servers"], Iterator[Place]]


@dataclass(frozen=True)
class Servers:
    """What is started once for all."""

    postgres: Postgres
    moto: S3Server
    rclone: S3Server


def _file(directory: Path, _: Servers) -> Iterator[Place]:
    yield Place("file", directory, "")


def _encrypted(directory: Path, _: Servers) -> Iterator[Place]:
    yield Place("file, encrypted", directory, "", environ=ENCRYPTED)


def _postgres(directory: Path, servers: Servers) -> Iterator[Place]:
    url = servers.postgres.new_database()
    socket, database = url.partition("?host=")[2], url.split("/")[3].partition("?")[0]
    with line(f"{socket}/.s.PGSQL.5432") as cut:
        dsn = f"postgresql://postgres@127.0.0.1:{cut.port}/{database}"
        yield Place("postgres", directory, f"  type: postgres\n  postgres: {{dsn: '{dsn}', schema: gateway}}\n", cut)


def _git(directory: Path, _: Servers) -> Iterator[Place]:
    remote = bare(directory / "remote.git")
    yield Place("git", directory, f"  type: git\n  poll-seconds: 1\n  git: {{url: '{remote}'}}\n")


def _git_over_http(directory: Path, _: Servers) -> Iterator[Place]:
    (directory / "served").mkdir()
    bare(directory / "served" / "remote.git")
    with over_http(directory / "served") as port, line(("127.0.0.1", port)) as cut:
        about = f"url: 'http://127.0.0.1:{cut.port}/remote.git', username: {USERNAME}, token: {TOKEN}"
        yield Place("git over http", directory, f"  type: git\n  poll-seconds: 1\n  git: {{{about}}}\n", cut)


def _s3(kind: str, server: Callable[[Servers], S3Server], more: str, *, together: bool) -> Maker:
    def make(directory: Path, servers: Servers) -> Iterator[Place]:
        with line(("127.0.0.1", server(servers).port)) as cut:
            about = (
                f"endpoint: 'http://127.0.0.1:{cut.port}', bucket: {server(servers).new_bucket()},"
                f" access-key: {KEY_ID}, secret-key: {SECRET}{more}"
            )
            yield Place(kind, directory, f"  type: s3\n  poll-seconds: 1\n  s3: {{{about}}}\n", cut, together=together)

    return make


PLACES: Mapping[str, Maker] = {
    "file": _file,
    "encrypted": _encrypted,
    "postgres": _postgres,
    "git": _git,
    "git-http": _git_over_http,
    "s3-moto": _s3("s3 (moto)", lambda servers: servers.moto, "", together=True),
    "s3-rclone": _s3("s3 (rclone)", lambda servers: servers.rclone, ", single-writer: true", together=False),
}
