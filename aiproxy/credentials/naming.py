"""What a new login's file is called, and what stands in it: as with CLIProxyAPI, and the same again for the same account."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from aiproxy.credentials.login import Login
from aiproxy.credentials.record import REFUSED, Record
from aiproxy.credentials.ways.desk import text_of
from aiproxy.storage.documents import CREDENTIALS

LONGEST_PART = 80
"""Characters. Addresses are shorter; a name has three parts at most."""


def file_name(login: Login, content: Mapping[str, Any]) -> str:
    kind = str(content.get("type") or login.types[0])
    account = text_of(content, "account_id")
    parts = [
        kind,
        sha256(account.encode()).hexdigest()[:8] if account else "",
        text_of(content, "email", "username") or _unnamed(login, content, account),
        text_of(content, "plan_type"),
    ]
    projects = text_of(content, "project_id") if kind == "gemini" else ""
    parts.append("all" if "," in projects else projects)
    named = "-".join(_safe(part) for part in parts if part)
    return f"{CREDENTIALS}{named}.json"


def new_record(login: Login, content: Mapping[str, Any], before: Mapping[str, Any] | None) -> Record:
    """`before` is what the file holds already: an account that is logged in anew keeps its operator's settings."""
    merged = {**(before or {}), **content}
    return Record(file_name(login, content), login.types[0], {name: merged[name] for name in merged if name != REFUSED})


def _unnamed(login: Login, content: Mapping[str, Any], account: str) -> str:
    """Of an account whose vendor doesn't say whose it is: by what stays, else by its first token."""
    stays = text_of(content, "device_id", "profileArn", "clientId", *login.refresh)
    return "" if account else sha256(stays.encode()).hexdigest()[:12]


def _safe(part: str) -> str:
    return re.sub(r"[^\w.@+-]", "_", part)[:LONGEST_PART].lstrip(".-") or "_"
