"""Files in which other programs keep logins: read from the disk, whole, for `aiproxy.credentials.imports` to make sense of."""

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from aiproxy.credentials.imports import KIRO_CLI_TABLE, Siblings, read_import, read_kiro_cli
from aiproxy.credentials.login import Login
from aiproxy.credentials.record import Record, Unreadable
from aiproxy.credentials.ways.desk import Content

LARGEST_IMPORT = 256 * 1024
"""Bytes, as of a credential."""

_SQLITE = b"SQLite format 3\0"


def logins_in(file: Path, logins: Mapping[str, Login]) -> Iterator[tuple[Login, Content]]:
    """Raises `Unreadable` and `OSError`."""
    by_type = {kind: login for login in logins.values() for kind in login.types}
    with file.open("rb") as stream:
        body = stream.read(LARGEST_IMPORT + 1)
    if body.startswith(_SQLITE):
        found = read_kiro_cli(_rows(file))
    elif len(body) > LARGEST_IMPORT:
        raise Unreadable(f"is larger than {LARGEST_IMPORT} bytes")
    else:
        found = read_import(str(file.absolute()), body, logins, Siblings(_beside(file)))
    for content in found:
        login = by_type[str(content["type"]).lower()]
        login.tokens(Record(file.name, login.types[0], content))
        yield login, content


def _rows(file: Path) -> Mapping[str, str]:
    """Without writing there: its program may be running."""
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute(f"SELECT key, value FROM {KIRO_CLI_TABLE}").fetchall()  # noqa: S608 - our own word
    except sqlite3.Error as error:
        raise Unreadable(f"is no database of kiro-cli's ({error})") from None
    return {str(key): str(value) for key, value in rows}


def _beside(file: Path) -> dict[str, Any]:
    found = {}
    for sibling in file.absolute().parent.glob("*.json"):
        try:
            if sibling.name == file.name or sibling.stat().st_size > LARGEST_IMPORT:
                continue
            content = json.loads(sibling.read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(content, dict):
            found[sibling.name] = content
    return found
