"""Servers for all stores, and a place of each kind."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.rig.postgres import Postgres
from tests.rig.s3 import moto, rclone
from tests.storage.places import PLACES, Place, Servers


@pytest.fixture(scope="session")
def servers(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with moto() as moto_server, rclone(tmp_path_factory.mktemp("rclone")) as rclone_server:
        yield Servers(postgres, moto_server, rclone_server)


@pytest.fixture(params=list(PLACES))
def place(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Iterator[Place]:
    with contextmanager(PLACES[request.param])(tmp_path, servers) as made, closing(made):
        yield made


@pytest.fixture(params=["postgres", "git", "s3-moto"])
def remote(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Iterator[Place]:
    with contextmanager(PLACES[request.param])(tmp_path, servers) as made, closing(made):
        yield made
