"""The logins that another gateway keeps, as credential files of ours."""

import json
from pathlib import Path

from aiproxy.credentials.imports import Siblings, read_import
from aiproxy.credentials.naming import file_name
from aiproxy.credentials.record import Record, Unreadable
from aiproxy.registry import load_registry
from aiproxy_config.accounts import LARGEST_IMPORT, beside
from aiproxy_config.importing.taking import Found
from aiproxy_config.starter import write_private


def take_over(found: Found, directory: Path) -> int:
    """Write every credential that can be read into the directory, which is made; how many. Others are named."""
    logins = load_registry().logins
    by_type = {kind: login for login in logins.values() for kind in login.types}
    count = 0
    for file, source, key, more in found.credentials:
        try:
            with file.open("rb") as stream:
                body = stream.read(LARGEST_IMPORT)
            for content in read_import(str(file.absolute()), body, logins, Siblings(beside(file))):
                login = by_type[str(content["type"]).lower()]
                login.tokens(Record(file.name, login.types[0], content))
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                name = Path(file_name(login, {**content, **more})).name
                write_private(directory / name, json.dumps({**content, **more}, indent=2) + "\n", replace=True)
                count += 1
        except (Unreadable, OSError) as error:
            said = error.strerror if isinstance(error, OSError) else str(error)
            source.drop(key, f"the login {file.name}: {said}")
    return count
