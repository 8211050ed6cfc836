"""`python -m tests.storage.state.make_version` writes a database of the present version into `versions/`, as each engine
dumps it. Run once, before a new migration is released; what is there is never written anew."""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from aiproxy.storage.state.database import Database
from aiproxy.storage.state.migrations import MIGRATIONS, VERSION
from aiproxy.storage.state.postgres import PostgresDatabase
from aiproxy.storage.state.rows import AffinityRow, QuotaRow, Table
from aiproxy.storage.state.sqlite import APPLICATION, SqliteDatabase
from tests.rig import postgres
from tests.storage.state.rows import cooldown, counter, request, usage

VERSIONS = Path(__file__).parent / "versions"

ROWS = (
    usage(),
    usage("req_2", attempt=2),
    request(),
    cooldown(),
    QuotaRow("digest-1", "5h", 100.0, 40.0, 2000.0, 1000.0),
    AffinityRow("session-1", "digest-1", 5000.0, 1000.0),
    counter(7),
)
"""What the databases of all versions hold; a row that a later version adds belongs at the end."""


def fill(database: Database, columns_of: dict[str, list[str]]) -> None:
    """Write the rows as far as this version has columns for them."""
    with database.transaction() as session:
        for row in ROWS:
            table = Table.OF[type(row)]
            there = [name for name in table.columns if name in columns_of[table.name]]
            marks = ", ".join("?" * len(there))
            sql = f"INSERT INTO {table.name} ({', '.join(there)}) VALUES ({marks})"
            session.run(sql, [getattr(row, name) for name in there])


def main(version: int = VERSION) -> None:
    migrations = MIGRATIONS[:version]
    with TemporaryDirectory() as directory:
        sqlite = SqliteDatabase(Path(directory) / "state.db", migrations=migrations)
        with sqlite.transaction() as session:
            names = [row[0] for row in session.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
            columns_of = {name: [row[1] for row in session.rows(f"PRAGMA table_info({name})")] for name in names}
        fill(sqlite, columns_of)
        assert sqlite._connection is not None
        pragmas = [f"PRAGMA application_id = {APPLICATION};", f"PRAGMA user_version = {version};"]
        dump = "\n".join([*pragmas, *sqlite._connection.iterdump()])
        (VERSIONS / f"{version}.sqlite.sql").write_text(dump + "\n")
        sqlite.close()
    with postgres.running() as server:
        url = server.new_database()
        database = PostgresDatabase(url, migrations=migrations)
        fill(database, columns_of)
        database.close()
        command = [str(server.bin / "pg_dump"), "--no-owner", "--inserts", url]
        text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        lines = [line for line in text.splitlines() if line and not line.startswith(("--", "\\"))]
        (VERSIONS / f"{version}.postgresql.sql").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
