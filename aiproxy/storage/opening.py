"""From settings to a store: the only place that knows all four types. Opening reaches no network and changes nothing."""

import os
from collections.abc import Mapping
from pathlib import Path

from aiproxy.config.schema import Settings, StoreType
from aiproxy.config.schema import Store as StoreSettings
from aiproxy.storage.documents import digest
from aiproxy.storage.encryption import EncryptedStore, keys_of
from aiproxy.storage.file import FileStore
from aiproxy.storage.git import GitRemote
from aiproxy.storage.git_command import Git
from aiproxy.storage.mirror import MirroredStore
from aiproxy.storage.s3 import Bucket, S3Remote
from aiproxy.storage.sigv4 import AwsKey
from aiproxy.storage.store import Remote, Unavailable

DEFAULT_MIRRORS = "~/.aiproxy/store"


def open_store(settings: Settings, configuration: Path | None, environ: Mapping[str, str]) -> EncryptedStore:
    """The store that is in use. `configuration` is the file that a store of type `file` keeps it in.

    Raises `WrongKey` for an encryption key that is none, and `Unavailable`."""
    keys = keys_of(environ)
    if settings.store.type is StoreType.FILE:
        return EncryptedStore(FileStore(configuration, credentials_directory(settings)), keys)
    local = Path(settings.store.local_path or os.path.expanduser(DEFAULT_MIRRORS))
    remote, identity = _remote(settings.store, local)
    # A mirror belongs to one place: what is unpushed must not end up in another one.
    return EncryptedStore(MirroredStore(remote, local / f"{settings.store.type}-{identity}.db"), keys)


def credentials_directory(settings: Settings) -> Path:
    return Path(settings.auth_dir_in_effect)


def _remote(store: StoreSettings, local: Path) -> tuple[Remote, str]:
    match store.type:
        case StoreType.POSTGRES:
            try:
                from aiproxy.storage.postgres import PostgresRemote
            except ImportError:
                raise Unavailable("The store `postgres` needs psycopg: pip install 'aiproxy[postgres]'.") from None
            postgres = PostgresRemote(store.postgres.dsn.reveal(), store.postgres.schema)
            return postgres, _identity(postgres.place)
        case StoreType.GIT:
            identity = _identity(store.git.url, store.git.branch)
            directory = local / f"git-{identity}.git"
            git = Git(directory, store.git.url, store.git.username, store.git.token)
            return GitRemote(git, directory, store.git.branch, store.poll_seconds), identity
        case _:
            endpoint = store.s3.endpoint.rstrip("/")
            endpoint = endpoint if "://" in endpoint else f"https://{endpoint}"
            place = Bucket(endpoint, store.s3.bucket, store.s3.region, store.s3.path_style, store.s3.single_writer)
            key = AwsKey(store.s3.access_key, store.s3.secret_key)
            return S3Remote(place, key, store.poll_seconds), _identity(endpoint, store.s3.bucket)


def _identity(*parts: str) -> str:
    return digest("\0".join(parts).encode())[:8]
