"""`aiproxy-config state`: what is exported comes back, elsewhere too, once; what is no export changes nothing."""

import json
import stat
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from aiproxy.storage.state.batch import Batch, write
from aiproxy.storage.state.database import Database
from aiproxy.storage.state.migrations import VERSION
from aiproxy.storage.state.rows import COUNTERS, TABLES, USAGE
from aiproxy.storage.state.sqlite import PAGE_BYTES, SqliteDatabase
from aiproxy_config.cli import main
from tests.rig.daemon import BIN
from tests.rig.postgres import Postgres
from tests.storage.state.rows import cooldown, counter, log, request, usage
from tests.storage.state.test_databases import stored


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["state", *arguments])


@pytest.fixture
def filled(tmp_path: Path) -> str:
    path = tmp_path / "full.db"
    database = SqliteDatabase(path)
    batch = Batch()
    for number in range(2500):
        batch.append(log(usage(f"req_{number}")))
    batch.append(log(request()))
    batch.put(cooldown())
    batch.add(counter(9))
    with database.transaction() as session:
        write(session, batch, "w", 1, 1000.0)
    database.close()
    return str(path)


def all_rows(database: Database) -> list[object]:
    return [row for table in TABLES for row in stored(database, table)]


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_export_comes_back_once(kind: str, filled: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    from aiproxy.storage.state_address import database_of

    out = tmp_path / "export.jsonl"
    done = run("export", str(out), "--state", filled)
    assert (done.exit_code, done.output) == (0, "2503 rows exported.\n")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert run("export", str(out), "--state", filled).output == f"Error: {out} is there already: choose another name.\n"
    if kind == "sqlite":
        where = str(tmp_path / "new.db")
        SqliteDatabase(Path(where)).open()
    else:
        server: Postgres = request.getfixturevalue("postgres")
        where = server.new_database()
    assert run("import", str(out), "--state", where).output == "2503 rows imported.\n"
    assert run("import", str(out), "--state", where).output == "This export had been imported before.\n"
    here, there = database_of(filled), database_of(where)
    assert all_rows(there) == all_rows(here)
    # Another export of the same is another one: logs are added, counters summed up, and what is so stays so.
    again = tmp_path / "again.jsonl"
    run("export", str(again), "--state", filled, "--table", "counters", "--table", "cooldowns")
    assert run("import", str(again), "--state", where).output == "2 rows imported.\n"
    assert stored(there, COUNTERS) == [counter(18)]
    assert len(stored(there, USAGE)) == 2500
    here.close()
    there.close()


HEAD = json.dumps({"aiproxy-state": VERSION, "export": "x"})
GOOD = json.dumps({"table": "counters", "client": "a", "meter": "b", "period": "c", "amount": 1, "changed": 1})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: this is no export"),
        ("{}", "line 1: this is no export"),
        ("nonsense\n", "line 1: this is no export"),
        (json.dumps({"aiproxy-state": VERSION + 1, "export": "x"}), "line 1: exported by a newer aiproxy"),
        (f"{HEAD}\n{GOOD}\n{{\n", "line 3: not JSON"),
        (f"{HEAD}\n{GOOD}\n[]\n", "line 3: `table` is not one of usage, requests"),
        (f"{HEAD}\n{GOOD}\n{GOOD.replace('counters', 'locks')}\n", "line 3: `table` is not one of"),
        (f"{HEAD}\n{GOOD}\n{GOOD.replace('amount', 'sum')}\n", "line 3: `amount` is missing"),
        (f"{HEAD}\n{GOOD}\n{GOOD.replace(': 1', ': true')}\n", "line 3: `amount` is of a wrong type"),
        (f"{HEAD}\n{GOOD}\n{GOOD.replace(chr(34) + 'b' + chr(34), '7')}\n", "line 3: `meter` is of a wrong type"),
    ],
)
def test_what_is_no_export_changes_nothing(text: str, said: str, filled: str, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    bad.write_text(text)
    before = all_rows(SqliteDatabase(Path(filled)))
    done = run("import", str(bad), "--state", filled)
    assert done.exit_code == 1
    assert said in done.output
    assert all_rows(SqliteDatabase(Path(filled))) == before


def test_an_older_export_is_filled_up_with_defaults(filled: str, tmp_path: Path) -> None:
    old = tmp_path / "old.jsonl"
    row = usage("req_old")._asdict()
    del row["server_tools"]
    old.write_text(f"{HEAD}\n{json.dumps({'table': 'usage', **row})}\n")
    assert run("import", str(old), "--state", filled).output == "1 row imported.\n"


def test_a_vacuum_lets_go_and_makes_the_file_small(filled: str, tmp_path: Path) -> None:
    configuration = tmp_path / "aiproxy.yaml"
    configuration.write_text(f"state: {filled}\n")
    before = Path(filled).stat().st_size
    done = run("vacuum", "--config", str(configuration))
    assert done.exit_code == 0, done.output
    assert "MiB now" in done.output
    assert Path(filled).stat().st_size < before - 20 * PAGE_BYTES
    assert stored(SqliteDatabase(Path(filled)), USAGE) == []


@pytest.mark.parametrize("command", ["export", "vacuum"])
def test_there_must_be_something_to_look_after(command: str, tmp_path: Path) -> None:
    demo = tmp_path / "demo.yaml"
    demo.write_text("port: 8317\n")
    done = run(command, "--config", str(demo))
    assert done.exit_code == 1
    assert "in memory" in done.output
    done = run(command, "--config", str(demo), "--state", str(tmp_path / "none.db"))
    assert done.exit_code == 1
    assert "does not exist" in done.output
    assert not (tmp_path / "none.db").exists()


def test_a_file_in_the_way_is_not_replaced(filled: str, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    done = run("export", str(tmp_path / "there"), "--state", filled)
    assert done.exit_code == 1
    assert (tmp_path / "there").read_text() == "mine"


def test_a_database_of_others_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine\n")
    done = run("vacuum", "--state", str(tmp_path / "notes.txt"))
    assert done.exit_code == 1
    assert "text file" in done.output


def test_a_reader_that_has_had_enough_is_no_error(filled: str) -> None:
    command = [str(BIN / "aiproxy-config"), "state", "export", "--state", filled]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as export:
        assert export.stdout is not None
        assert export.stderr is not None
        assert export.stdout.readline().startswith(b'{"aiproxy-state"')
        export.stdout.close()
        assert export.stderr.read() == b""
