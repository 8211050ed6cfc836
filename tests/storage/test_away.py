"""A store that is gone, slow, read-only, full, or doesn't know us: nothing is lost, and what is wrong is said by name."""

import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg
import pytest

from aiproxy.secrets import Secret
from aiproxy.storage import blocking_http, git_command, postgres
from aiproxy.storage.encryption import EncryptedStore
from aiproxy.storage.store import Change, Conflict, Store, Unavailable
from tests.rig.git import git
from tests.rig.s3 import KEY_ID, SECRET
from tests.storage.places import PLACES, Place, Servers
from tests.storage.test_conformance import CHANGE, ONE, TWO, A, B, bodies, version, watching

THREE = b'{"token": "three"}'


@contextmanager
def at(kind: str, directory: Path, servers: Servers) -> Iterator[Place]:
    with contextmanager(PLACES[kind])(directory, servers) as made, closing(made):
        yield made


@pytest.fixture(params=["postgres", "git-http", "s3-moto", "s3-rclone"])
def remote(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Iterator[Place]:
    with at(request.param, tmp_path, servers) as made:
        yield made


def cut(place: Place) -> None:
    assert place.line is not None
    place.line.cut()


def mend(place: Place) -> None:
    assert place.line is not None
    place.line.mend()


def test_changes_made_meanwhile_are_given_later(remote: Place) -> None:
    ours, theirs = remote.open(mirror="ours"), remote.open()
    ours.save(A, ONE, None, CHANGE)
    cut(remote)
    ours.save(A, TWO, version(ours, A), CHANGE)
    ours.save(B, ONE, None, CHANGE)
    ours.save(B, THREE, version(ours, B), CHANGE)
    assert ours.condition().unpushed == 2
    assert "can't be reached" in ours.condition().problem
    with pytest.raises(Unavailable):
        ours.sync()
    with pytest.raises(Conflict):
        ours.save(A, THREE, "another-version", CHANGE)
    mend(remote)
    # a gateway that was started anew finds them in its mirror
    again = remote.open(mirror="ours")
    again.sync()
    assert again.condition().unpushed == 0
    assert again.condition().problem == ""
    assert bodies(again) == bodies(theirs) == {A: TWO, B: THREE}


def test_a_watch_gives_what_is_unpushed_when_the_remote_is_back(remote: Place) -> None:
    ours, theirs = remote.open(), remote.open()
    with watching(ours) as changed:
        cut(remote)
        ours.save(A, ONE, None, CHANGE)
        mend(remote)
        with watching(theirs) as told:
            assert told.wait(20)
            assert bodies(theirs) == {A: ONE}
        theirs.save(A, TWO, version(theirs, A), CHANGE)
        assert changed.wait(20)


@pytest.mark.parametrize("take", ["here", "elsewhere"])
def test_a_real_conflict_keeps_both(remote: Place, take: str) -> None:
    ours, theirs = remote.open(), remote.open()
    ours.save(A, ONE, None, CHANGE)
    ours.save(B, ONE, None, CHANGE)
    theirs.sync()
    cut(remote)
    ours.save(A, TWO, version(ours, A), CHANGE)
    ours.delete(B, version(ours, B), CHANGE)
    mend(remote)
    theirs.save(A, THREE, version(theirs, A), CHANGE)
    theirs.save(B, THREE, version(theirs, B), CHANGE)
    ours.sync()
    assert bodies(ours) == bodies(theirs) == {A: THREE, B: THREE}
    found = ours.condition().conflicts
    assert {each.name: each.body for each in found} == {A: TWO, B: None}
    assert isinstance(ours, EncryptedStore)
    for each in found:
        ours.resolve(each.number, ours=take == "here")
    assert ours.condition().conflicts == ()
    assert bodies(ours) == bodies(theirs) == ({A: TWO} if take == "here" else {A: THREE, B: THREE})


def test_the_same_change_on_both_sides_is_none(remote: Place) -> None:
    ours, theirs = remote.open(), remote.open()
    ours.save(A, ONE, None, CHANGE)
    theirs.sync()
    cut(remote)
    ours.save(A, TWO, version(ours, A), CHANGE)
    mend(remote)
    theirs.save(A, TWO, version(theirs, A), CHANGE)
    ours.sync()
    assert ours.condition().conflicts == ()
    assert bodies(ours) == {A: TWO}


def test_one_that_says_nothing_is_given_up_on(remote: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = remote.open()
    ours.save(A, ONE, None, CHANGE)
    for module, name in (
        (blocking_http, "SILENCE_SECONDS"),
        (git_command, "COMMAND_SECONDS"),
        (postgres, "STATEMENT_SECONDS"),
        (postgres, "CONNECT_SECONDS"),
    ):
        monkeypatch.setattr(module, name, 1)
    hurried = remote.open()
    assert remote.line is not None
    remote.line.hold()
    hurried.save(A, TWO, version(hurried, A), CHANGE)
    assert hurried.condition().unpushed == 1
    assert hurried.condition().problem
    remote.line.mend()
    hurried.sync()
    assert bodies(ours) == {A: TWO}


def kept(store: Store, words: str) -> None:
    """A change that the remote refuses stays here, and the reason is shown."""
    store.save(A, ONE, None, CHANGE)
    assert words in store.condition().problem
    assert store.condition().unpushed == 1
    assert store.load().entries[A].body == ONE


def refused(place: Place, words: str) -> None:
    with pytest.raises(Unavailable, match=words) as failed:
        place.open()
    for secret in ("wrong-secret", SECRET):
        assert secret not in str(failed.value)


def test_postgres_that_refuses(tmp_path: Path, servers: Servers) -> None:
    with at("postgres", tmp_path, servers) as place:
        store = place.open()
        settings = place.settings(tmp_path / "none").store.postgres
        with psycopg.connect(settings.dsn.reveal(), autocommit=True) as admin:
            database = admin.info.dbname
            admin.execute(f'ALTER DATABASE "{database}" SET default_transaction_read_only = on'.encode())
            admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'aiproxy'")
            kept(store, "is read-only")
            admin.execute("SET default_transaction_read_only = off")
            admin.execute(f'ALTER DATABASE "{database}" RESET default_transaction_read_only'.encode())
            admin.execute("DO $$ BEGIN CREATE ROLE nobody_here NOLOGIN; EXCEPTION WHEN duplicate_object THEN END $$")
            admin.execute("DO $$ BEGIN CREATE ROLE poor_one LOGIN; EXCEPTION WHEN duplicate_object THEN END $$")
        place.store = place.store.replace("postgres@", "nobody_here:wrong-secret@")
        refused(place, "refused the user or the password")
        place.store = place.store.replace("nobody_here:wrong-secret@", "poor_one@")
        refused(place, "doesn't allow this user")
        place.store = place.store.replace("/test_", "/none_")
        refused(place, "no database of this name")


@pytest.mark.parametrize(
    ("says", "words"),
    [
        ("No space left on device", "is full"),
        ("You may not push here: hook declined", "is read-only"),
    ],
)
def test_git_that_refuses(tmp_path: Path, servers: Servers, says: str, words: str) -> None:
    with at("git", tmp_path, servers) as place:
        hook = tmp_path / "remote.git" / "hooks" / "pre-receive"
        hook.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit 1\n")
        hook.chmod(0o755)
        store = place.open()
        kept(store, words)
        hook.unlink()
        store.sync()
        assert store.condition().unpushed == 0


def test_git_that_knows_us_not(tmp_path: Path, servers: Servers) -> None:
    with at("git-http", tmp_path, servers) as place:
        place.store = place.store.replace("token: git", "token: wrong-secret")
        refused(place, "refused the credentials")
    missing = Place("git", tmp_path, f"  type: git\n  git: {{url: '{tmp_path}/none.git'}}\n")
    refused(missing, "is no git repository")


@pytest.mark.parametrize("name", ["404.git", "quota-403.git", "read-only.git"])
def test_an_address_is_no_reason(tmp_path: Path, name: str) -> None:
    git = git_command.Git(tmp_path, f"http://127.0.0.1:1/{name}", "", Secret(""))
    with pytest.raises(Unavailable, match=r"can't be reached\.$"):
        git.default_branch()


def test_git_history_is_one_commit_a_change_and_only_grows(tmp_path: Path, servers: Servers) -> None:
    with at("git", tmp_path, servers) as place:
        ours, theirs = place.open(), place.open()
        saved = ours.save(A, ONE, None, Change("Add an account", "Ada <script>"))
        theirs.sync()
        theirs.save(B, ONE, None, Change("Add another\n\nfor tests", "Grace"))
        ours.save(A, TWO, saved, Change("Renew it", "Ada"))
        theirs.sync()
        theirs.delete(B, version(theirs, B), Change("Drop it", "Grace"))
        log = git(tmp_path / "remote.git", "log", "--format=%an: %s", "--reverse", "main").splitlines()
        assert log == ["Ada script: Add an account", "Grace: Add another", "Ada: Renew it", "Grace: Drop it"]
        git(tmp_path / "remote.git", "fsck", "--strict")


def test_git_over_ssh(tmp_path: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    """Git's own SSH transport, with a shell in the place of ssh: it is handed the command that the host would run."""
    with at("git", tmp_path, servers):
        shell = tmp_path / "ssh"
        shell.write_text('#!/bin/sh\nfor last; do :; done\nexec sh -c "$last"\n')
        shell.chmod(0o755)
        monkeypatch.setenv("GIT_SSH_COMMAND", str(shell))
        place = Place("git", tmp_path, f"  type: git\n  git: {{url: 'git@host.example:{tmp_path}/remote.git'}}\n")
        with closing(place):
            ours, theirs = place.open(), place.open()
            ours.save(A, ONE, None, CHANGE)
            assert bodies(theirs) == {A: ONE}


@pytest.mark.parametrize("kind", ["s3-rclone", "s3-moto"])
def test_s3_that_refuses(tmp_path: Path, servers: Servers, kind: str) -> None:
    with at(kind, tmp_path, servers) as place:
        whole = place.store
        place.store = whole.replace("bucket: bucket-", "bucket: none-")
        refused(place, "has no such bucket")
        if kind == "s3-rclone":
            place.store = whole.replace(SECRET, "wrong-secret")
            refused(place, "refused the secret key")
            place.store = whole.replace(KEY_ID, "AKIDWRONG")
            refused(place, "doesn't know the access key|refused the access key")
            place.store = whole.replace("single-writer: true", "single-writer: false")
            kept(place.open(), "ignores conditional writes")


def test_no_git_at_all(tmp_path: Path, servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    with at("git", tmp_path, servers) as place:
        monkeypatch.setenv("PATH", str(tmp_path))
        refused(place, "needs the program git")


def test_a_remote_of_a_newer_version_is_not_touched(tmp_path: Path, servers: Servers) -> None:
    with at("postgres", tmp_path, servers) as place:
        store = place.open()
        store.save(A, ONE, None, CHANGE)
        dsn = place.settings(tmp_path / "none").store.postgres.dsn.reveal()
        with psycopg.connect(dsn, autocommit=True) as admin:
            admin.execute("UPDATE gateway.store_schema SET version = 99")
            refused(place, "schema 99 of a newer aiproxy")
            assert admin.execute("SELECT version FROM gateway.store_schema").fetchone() == (99,)


def test_a_mirror_of_a_newer_version_is_not_touched(tmp_path: Path, servers: Servers) -> None:
    with at("git", tmp_path, servers) as place:
        place.open(mirror="mine")
        (mirror,) = (tmp_path / "mine").glob("*.db")
        subprocess.run(
            ["python3", "-c", f"import sqlite3; sqlite3.connect('{mirror}').execute('PRAGMA user_version = 9')"],
            check=True,
        )
        with pytest.raises(Unavailable, match="newer aiproxy"):
            place.open(mirror="mine")
