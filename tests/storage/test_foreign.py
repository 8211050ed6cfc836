"""What others have put into a remote, that can't be taken: it is named, nothing is touched, and the rest serves."""

import os
import subprocess
from collections.abc import Callable
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

import httpx2
import psycopg
import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from aiproxy.storage.documents import LARGEST_CREDENTIAL
from aiproxy.storage.store import Change
from tests.rig.git import git
from tests.rig.s3 import KEY_ID, SECRET
from tests.storage.places import PLACES, Place, Servers
from tests.storage.test_conformance import ONE, A, bodies

LARGE = b'{"a": "' + b"x" * LARGEST_CREDENTIAL + b'"}'
FOREIGN = {
    "auths/half.json": b'{"token": "',
    "auths/large.json": LARGE,
    'auths/quo"te.json': b"{}",
    "README.md": b"not ours",
    "auths/notes.txt": b"not ours",
}
REFUSED = {"auths/half.json", "auths/large.json", 'auths/quo"te.json'}


def into_postgres(place: Place, documents: dict[str, bytes]) -> None:
    place.open()
    dsn = place.settings(place.directory / "none").store.postgres.dsn.reveal()
    with psycopg.connect(dsn, autocommit=True) as admin:
        for name, body in documents.items():
            admin.execute(
                "INSERT INTO gateway.store_document (name, body, version, author, reason)"
                " VALUES (%s, %s, nextval('gateway.store_version'), '', '')",
                (name, body),
            )


def into_git(place: Place, documents: dict[str, bytes]) -> None:
    work = place.directory / "work"
    git(place.directory, "clone", "--quiet", str(place.directory / "remote.git"), str(work))
    for name, body in documents.items():
        if ".." in name:
            continue  # git makes no such tree
        (work / name).parent.mkdir(exist_ok=True)
        (work / name).write_bytes(body)
    (work / "auths" / "link.json").symlink_to("/etc/passwd")
    git(work, "add", "--all")
    subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--quiet", "--message", "by hand"],
        cwd=work,
        check=True,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull},
    )
    git(work, "push", "--quiet", "origin", "HEAD:main")


def into_s3(place: Place, documents: dict[str, bytes]) -> None:
    settings = place.settings(place.directory / "none").store.s3
    for name, body in documents.items():
        quoted = quote(name, safe="")
        url = f"{settings.endpoint}/{settings.bucket}/{quoted}"
        asked = AWSRequest("PUT", url, data=body)
        S3SigV4Auth(Credentials(KEY_ID, SECRET), "s3", "us-east-1").add_auth(asked)
        httpx2.put(url, content=body, headers=dict(asked.headers)).raise_for_status()


@pytest.mark.parametrize(
    ("kind", "put", "also"),
    [
        ("postgres", into_postgres, {"auths/../escape.json": b"{}"}),
        ("git", into_git, {}),
        ("s3-moto", into_s3, {"auths/a/../../escape.json": b"{}"}),
    ],
)
def test_it_is_named_and_the_rest_serves(
    servers: Servers,
    tmp_path: Path,
    kind: str,
    put: Callable[[Place, dict[str, bytes]], None],
    also: dict[str, bytes],
) -> None:
    with contextmanager(PLACES[kind])(tmp_path, servers) as place, closing(place):
        put(place, {A: ONE, **FOREIGN, **also})
        store = place.open()
        contents = store.load()
        assert {name: entry.body for name, entry in contents.entries.items()} == {A: ONE}
        assert set(contents.refused) == REFUSED | set(also)
        assert not store.sync()  # nothing new in it, however often it is looked at
        assert bodies(place.open()) == {A: ONE}
        assert not list(tmp_path.rglob("escape.json"))


def test_a_bucket_named_before_the_host(servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Amazon's own names, looked up on this machine."""
    import socket

    asked = []
    real = socket.getaddrinfo

    def here(host: str, *arguments: object, **named: object) -> object:
        asked.append(host)
        return real("127.0.0.1", *arguments, **named)  # type: ignore[arg-type]

    with contextmanager(PLACES["s3-moto"])(tmp_path, servers) as place, closing(place):
        monkeypatch.setattr(socket, "getaddrinfo", here)
        place.store = place.store.replace("http://127.0.0.1:", "http://s3.us-east-1.amazonaws.com:").replace(
            "{endpoint", "{path-style: false, endpoint"
        )
        ours, theirs = place.open(), place.open()
        ours.save(A, ONE, None, Change("Try it"))
        assert bodies(theirs) == {A: ONE}
        bucket = place.settings(tmp_path / "none").store.s3.bucket
        assert set(asked) == {f"{bucket}.s3.us-east-1.amazonaws.com"}
