"""The PostgreSQL that tests run against can be lost and comes back with what it had."""

import psycopg
import pytest

from tests.rig.postgres import Postgres


def test_a_server_crashes_and_comes_back(postgres: Postgres) -> None:
    url = postgres.new_database()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (n integer)")
        postgres.stop()
        try:
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT * FROM kept")
        finally:
            postgres.start()
    with psycopg.connect(url) as again:
        assert again.execute("SELECT count(*) FROM kept").fetchone() == (0,)
