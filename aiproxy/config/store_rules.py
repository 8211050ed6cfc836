"""Rules of the section `store`: a store that is named is named completely, and its address hides no password."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from aiproxy.config.problems import Finding, Severity
from aiproxy.config.read import Reading
from aiproxy.config.schema import Store, StoreType

NEEDED: Mapping[StoreType, tuple[str, ...]] = {
    StoreType.FILE: (),
    StoreType.POSTGRES: ("postgres.dsn",),
    StoreType.GIT: ("git.url",),
    StoreType.S3: ("s3.endpoint", "s3.bucket", "s3.access-key", "s3.secret-key"),
}
"""What a store of a type can't do without."""

_SSH_SHORT = re.compile(r"[\w.-]+@[\w.-]+:\S+")
"""`git@host:path`, as people write it."""


def store_problems(store: Store, reading: Reading) -> Iterator[Finding]:
    values = {
        "postgres.dsn": bool(store.postgres.dsn),
        "git.url": bool(store.git.url),
        "s3.endpoint": bool(store.s3.endpoint),
        "s3.bucket": bool(store.s3.bucket),
        "s3.access-key": bool(store.s3.access_key),
        "s3.secret-key": bool(store.s3.secret_key),
    }
    for key in NEEDED[store.type]:
        if not values[key] and not reading.failed(f"store.{key}"):
            message = f"a store of type {store.type} needs `store.{key}`"
            yield Severity.ERROR, "incomplete-store", message, f"store.{key}"
    yield from _git(store.git.url)
    yield from _s3(store)


def _git(url: str) -> Iterator[Finding]:
    if not url or _SSH_SHORT.fullmatch(url):
        return
    parts = urlsplit(url)
    known = parts.scheme in ("https", "http", "ssh", "file") or (not parts.scheme and not url.startswith("-"))
    if not known:
        yield _bad("git.url", "is neither https, ssh, nor a directory")
    elif parts.password is not None or (parts.scheme in ("http", "https") and parts.username is not None):
        yield _bad("git.url", "holds a login: put it into `username` and `token`")


def _s3(store: Store) -> Iterator[Finding]:
    endpoint, bucket = store.s3.endpoint, store.s3.bucket
    if endpoint:
        parts = urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}")
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            yield _bad("s3.endpoint", "is not the address of a server: scheme, host and port")
    if bucket and not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        yield _bad("s3.bucket", "is not a bucket's name: 3 to 63 of a-z, 0-9, `.` and `-`")


def _bad(key: str, words: str) -> Finding:
    return Severity.ERROR, "bad-store-address", f"`{key.partition('.')[2]}` {words}", f"store.{key}"
