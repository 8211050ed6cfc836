"""The variables by which other gateways name a store: CLIProxyAPI's, and the spellings of its documentation that nothing reads.

They lie over the file and under `AIPROXY__STORE__…`, and a store that is named so is the one in use unless `type` says otherwise.
"""

from collections.abc import Mapping

from aiproxy.config.layers import lay
from aiproxy.config.problems import Place
from aiproxy.config.schema import Settings, StoreType
from aiproxy.config.tree import Entries, Form, Node, Scalar

VARIABLES: Mapping[str, tuple[str, ...]] = {
    "postgres.dsn": ("PGSTORE_DSN",),
    "postgres.schema": ("PGSTORE_SCHEMA",),
    "s3.endpoint": ("OBJECTSTORE_ENDPOINT", "OBJSTORE_ENDPOINT"),
    "s3.bucket": ("OBJECTSTORE_BUCKET", "OBJSTORE_BUCKET"),
    "s3.region": ("OBJECTSTORE_REGION", "OBJSTORE_REGION"),
    "s3.access-key": ("OBJECTSTORE_ACCESS_KEY", "OBJSTORE_ACCESS_KEY"),
    "s3.secret-key": ("OBJECTSTORE_SECRET_KEY", "OBJSTORE_SECRET_KEY"),
    "git.url": ("GITSTORE_GIT_URL", "GITSTORE_REMOTE_URL"),
    "git.branch": ("GITSTORE_GIT_BRANCH", "GITSTORE_BRANCH"),
    "git.username": ("GITSTORE_GIT_USERNAME", "GITSTORE_USERNAME"),
    "git.token": ("GITSTORE_GIT_TOKEN", "GITSTORE_TOKEN"),
}
"""Key under `store` → the variables that set it; the first that is set counts. Lower case will do."""

LOCAL_PATHS: Mapping[StoreType, str] = {
    StoreType.POSTGRES: "PGSTORE_LOCAL_PATH",
    StoreType.S3: "OBJECTSTORE_LOCAL_PATH",
    StoreType.GIT: "GITSTORE_LOCAL_PATH",
}

IMPLYING: Mapping[StoreType, str] = {
    StoreType.POSTGRES: "postgres.dsn",
    StoreType.S3: "s3.endpoint",
    StoreType.GIT: "git.url",
}
"""What being set implies a type; the first of the list wins, as it does in CLIProxyAPI."""


def with_store(root: Node, environ: Mapping[str, str]) -> Node:
    """The tree with the store that variables name; its type only where the file names none."""
    named = root.get("store") if isinstance(root, Entries) else None
    typed = isinstance(named, Entries) and named.get("type") is not None
    for key, (variable, value) in store_variables(environ).items():
        if not (key == "type" and typed):
            root = lay(root, Settings, ("store", *key.split(".")), Scalar(value, Form.GIVEN, Place(variable)))
    return root


def store_variables(environ: Mapping[str, str]) -> Mapping[str, tuple[str, str]]:
    """Key under `store` → the variable that sets it and its value; the implied `type` is among them."""
    found = {}
    for key, names in VARIABLES.items():
        for name in names:
            spelt = next((each for each in (name, name.lower()) if environ.get(each)), None)
            if spelt is not None:
                found[key] = (spelt, environ[spelt])
                break
    for kind, key in IMPLYING.items():
        if key in found:
            found["type"] = (found[key][0], kind.value)
            path = LOCAL_PATHS[kind]
            spelt = path if environ.get(path) else path.lower()
            if environ.get(spelt):
                found["local-path"] = (spelt, environ[spelt])
            break
    return found
