"""The section `store`: other gateways' variables, and what a store can't do without."""

import pytest

from aiproxy.config.schema import StoreType
from tests.config.reading import codes, load

S3 = {"OBJECTSTORE_BUCKET": "bucket", "OBJECTSTORE_ACCESS_KEY": "id", "OBJECTSTORE_SECRET_KEY": "a-secret-key"}


@pytest.mark.parametrize(
    ("text", "environ", "kind", "local_path"),
    [
        ("", {}, StoreType.FILE, ""),
        ("", {"PGSTORE_DSN": "postgresql://h/d", "PGSTORE_LOCAL_PATH": "/var/m"}, StoreType.POSTGRES, "/var/m"),
        ("", {"pgstore_dsn": "postgresql://h/d", "pgstore_local_path": "/var/m"}, StoreType.POSTGRES, "/var/m"),
        ("", {"GITSTORE_GIT_URL": "https://h/r.git", "GITSTORE_LOCAL_PATH": "/m"}, StoreType.GIT, "/m"),
        ("", {"GITSTORE_REMOTE_URL": "git@h:r.git"}, StoreType.GIT, ""),
        ("", {"OBJECTSTORE_ENDPOINT": "h:9000", **S3}, StoreType.S3, ""),
        ("", {name.replace("OBJECT", "OBJ"): value for name, value in {"OBJECTSTORE_ENDPOINT": "h", **S3}.items()}, StoreType.S3, ""),
        ("", {"PGSTORE_DSN": "x=y", "OBJECTSTORE_ENDPOINT": "h", "GITSTORE_GIT_URL": "/r", **S3}, StoreType.POSTGRES, ""),
        ("", {"OBJECTSTORE_ENDPOINT": "h", "GITSTORE_GIT_URL": "/r", **S3}, StoreType.S3, ""),
        ("store: {type: git, git: {url: /r}}", {"PGSTORE_DSN": "postgresql://h/d"}, StoreType.GIT, ""),
        ("", {"PGSTORE_DSN": "postgresql://h/d", "AIPROXY__STORE__TYPE": "file"}, StoreType.FILE, ""),
        ("", {"PGSTORE_DSN": ""}, StoreType.FILE, ""),
    ],
)  # fmt: skip
def test_variables_name_a_store(text: str, environ: dict[str, str], kind: StoreType, local_path: str) -> None:
    store = load(text, environ).settings.store
    assert store.type is kind
    assert store.local_path.startswith(local_path)


def test_each_variable_sets_its_key() -> None:
    environ = {
        "GITSTORE_GIT_URL": "https://h/r.git", "GITSTORE_GIT_USERNAME": "me", "GITSTORE_GIT_TOKEN": "a-token-0123",
        "GITSTORE_GIT_BRANCH": "live", "PGSTORE_SCHEMA": "gateway", "OBJECTSTORE_REGION": "eu-west-1", **S3,
    }  # fmt: skip
    read = load("store: {git: {branch: other, username: other}}", environ)
    git, s3 = read.settings.store.git, read.settings.store.s3
    assert (git.url, git.username, git.token.reveal(), git.branch) == ("https://h/r.git", "me", "a-token-0123", "live")
    assert (s3.bucket, s3.access_key, s3.secret_key.reveal(), s3.region) == (
        "bucket",
        "id",
        "a-secret-key",
        "eu-west-1",
    )
    assert read.settings.store.postgres.schema == "gateway"
    assert read.origins["store.git.branch"] == "GITSTORE_GIT_BRANCH"
    assert {secret.reveal() for secret in read.secrets} >= {"a-token-0123", "a-secret-key"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("store: {type: postgres}", {"incomplete-store"}),
        ("store: {type: git}", {"incomplete-store"}),
        ("store: {type: s3, s3: {endpoint: h, bucket: bucket, access-key: id}}", {"incomplete-store"}),
        ("store: {type: git, git: {url: 'ext::sh -c id'}}", {"bad-store-address"}),
        ("store: {type: git, git: {url: '--upload-pack=id'}}", {"bad-store-address"}),
        ("store: {type: git, git: {url: 'https://me:secret@h/r.git'}}", {"bad-store-address"}),
        ("store: {type: git, git: {url: 'ssh://git@h/r.git'}}", set()),
        ("store: {type: git, git: {url: 'git@h:team/r.git'}}", set()),
        ("store: {type: git, git: {url: ../r.git}}", set()),
        ("store: {s3: {endpoint: 'https://h/path'}}", {"bad-store-address"}),
        ("store: {s3: {endpoint: 'ftp://h'}}", {"bad-store-address"}),
        ("store: {s3: {bucket: Has_Capitals}}", {"bad-store-address"}),
        ("store: {kind: s3}", {"unknown-key"}),
        ("store: {poll-seconds: 0}", {"out-of-range"}),
    ],
)
def test_rules(text: str, expected: set[str]) -> None:
    assert {code for code, _, _ in codes(text)} == expected
