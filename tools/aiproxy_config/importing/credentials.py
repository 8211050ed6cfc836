"""The logins that another gateway keeps, as credential files of ours."""

import json
from pathlib import Path

from aiproxy.credentials.naming import file_name
from aiproxy.credentials.record import Unreadable
from aiproxy.registry import load_registry
from aiproxy_config.foreign_logins import logins_in
from aiproxy_config.importing.taking import Found
from aiproxy_config.starter import write_private


def take_over(found: Found, directory: Path) -> int:
    """Write every credential that can be read into the directory, which is made; how many. Others are named."""
    logins = load_registry().logins
    count = 0
    for file, source, key, more in found.credentials:
        try:
            for login, content in logins_in(file, logins):
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                name = Path(file_name(login, {**content, **more})).name
                write_private(directory / name, json.dumps({**content, **more}, indent=2) + "\n", replace=True)
                count += 1
        except (Unreadable, OSError) as error:
            said = error.strerror if isinstance(error, OSError) else str(error)
            source.drop(key, f"the login {file.name}: {said}")
    return count
