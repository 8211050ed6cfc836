"""What is kept, where and how long: configuration and credentials, state, memories."""

from dataclasses import dataclass
from enum import StrEnum

from aiproxy.config.schema.setting import setting
from aiproxy.secrets import Secret


class StoreType(StrEnum):
    FILE = "file"
    POSTGRES = "postgres"
    GIT = "git"
    S3 = "s3"


@dataclass(frozen=True, slots=True)
class PostgresStore:
    dsn: Secret = setting(
        "Address and login, `postgresql://USER:PASSWORD@HOST/DATABASE`; `PGSTORE_DSN` sets it.",
        factory=lambda: Secret(""),
    )
    schema: str = setting(
        "Schema of its tables, made if missing; empty is the login's own; `PGSTORE_SCHEMA` sets it.", ""
    )


@dataclass(frozen=True, slots=True)
class GitStore:
    url: str = setting(
        "Address of the repository: https, ssh, or a directory; `GITSTORE_GIT_URL` sets it.",
        "",
        example="https://git.example/team/gateway.git",
    )
    branch: str = setting("Its branch; empty is the repository's default; `GITSTORE_GIT_BRANCH` sets it.", "")
    username: str = setting("Name to log in with over https; `GITSTORE_GIT_USERNAME` sets it.", "git")
    token: Secret = setting(
        "Password or token to log in with over https; `GITSTORE_GIT_TOKEN` sets it.", factory=lambda: Secret("")
    )


@dataclass(frozen=True, slots=True)
class S3Store:
    endpoint: str = setting(
        "Address of the server, https unless it says otherwise; `OBJECTSTORE_ENDPOINT` sets it.",
        "",
        example="https://s3.eu-central-1.amazonaws.com",
    )
    bucket: str = setting("The bucket, which must be there; `OBJECTSTORE_BUCKET` sets it.", "")
    region: str = setting("The region that requests are signed for; `OBJECTSTORE_REGION` sets it.", "us-east-1")
    access_key: str = setting("Id of the access key; `OBJECTSTORE_ACCESS_KEY` sets it.", "")
    secret_key: Secret = setting("Its secret; `OBJECTSTORE_SECRET_KEY` sets it.", factory=lambda: Secret(""))
    path_style: bool = setting("Name the bucket in the path, instead of before the host.", True)
    single_writer: bool = setting(
        "Write to a server that ignores conditional writes: only safe while nothing else writes to the bucket.", False
    )


@dataclass(frozen=True, slots=True)
class Store:
    """Where this configuration and the credentials live. A store of another type is named here or by variables, never in
    what the store itself holds."""

    type: StoreType = setting(
        "Where configuration and credentials live; a variable such as `PGSTORE_DSN` implies its type.", StoreType.FILE
    )
    local_path: str = setting(
        "Directory of the mirror that the gateway starts and serves from while a remote store is away; empty is "
        "`~/.aiproxy/store`.",
        "",
        example="/var/lib/aiproxy/store",
        path=True,
    )
    poll_seconds: float = setting(
        "How often a git or S3 store is looked at; PostgreSQL tells by itself.", 30, minimum=1, unit="seconds"
    )
    postgres: PostgresStore = setting("With `type: postgres`.", factory=PostgresStore)
    git: GitStore = setting("With `type: git`.", factory=GitStore)
    s3: S3Store = setting("With `type: s3`.", factory=S3Store)


MEMORY = "memory"
"""The `state` that is forgotten when the gateway stops."""


def is_memory(state: str) -> bool:
    """`:memory:` is SQLite's own word for it."""
    return state in (MEMORY, ":memory:")


def is_state_file(state: str) -> bool:
    """Whether it is the name of a SQLite file."""
    return not is_memory(state) and "://" not in state


@dataclass(frozen=True, slots=True)
class Retention:
    """How long usage and request records are kept; the oldest go first."""

    days: float = setting("Longest time they are kept.", 90, minimum=0.01, unit="days")
    max_size_mb: float = setting("Most room they may take together.", 1024, minimum=1, unit="MiB")


@dataclass(frozen=True, slots=True)
class Remembered:
    """What one of the gateway's memories may hold. It is gone when the gateway stops."""

    entries: int = setting("Most entries; 0 keeps none.", 10000, minimum=0)
    size_mb: float = setting(
        "Most memory that all entries take; then the client that holds the most loses its oldest.",
        32,
        minimum=0,
        unit="MiB",
    )
    lifetime: float = setting("How long an entry is kept that nobody asks for.", 86400, minimum=1, unit="seconds")
