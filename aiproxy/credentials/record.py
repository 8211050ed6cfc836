"""A credential file: what it says of its login, and what of the operator's wishes. Values; read tolerantly, written sparingly:
what we don't know stays as it is.

The form is CLIProxyAPI's (one JSON object with a `type`), and of files without one Kiro's own."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import orjson

from aiproxy.credentials.exchange import is_token, secret_of
from aiproxy.credentials.times import moment
from aiproxy.secrets import Secret, digest
from aiproxy.storage.documents import CREDENTIALS

REFUSED = "aiproxy_refused"
"""Where a file says that its vendor will have its login no more: `{"reason", "at", "login"}`. A new refresh token makes it void."""

SECRET_FIELDS = frozenset(
    {
        "access_token", "refresh_token", "id_token", "api_key", "cookie", "client_secret", "github_token",
        "copilot_token", "accessToken", "refreshToken", "clientSecret", "idToken", "apiKey", "private_key",
    }
)  # fmt: skip

CLIPROXY_PRIORITY = 100
"""Their accounts with the largest number come first, 0 where nothing is said; ours with the smallest, 100 likewise."""


class Unreadable(ValueError):
    """The sentence says what is wrong, after the file's name; never with what stands there."""


@dataclass(frozen=True, slots=True)
class Record:
    """`name` is the document's; `version` the store's, "" for one that isn't stored yet."""

    name: str
    type: str
    content: Mapping[str, Any] = field(repr=False)
    version: str = field(default="", compare=False)

    @property
    def id(self) -> str:
        """What the account is called in logs and commands: the file's name without the rest."""
        return self.name.removeprefix(CREDENTIALS).removesuffix(".json")

    def get(self, path: str) -> Any:
        """`token.expiry` is the expiry in the token; None where there is nothing."""
        found: Any = self.content
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
        return found

    def text(self, *paths: str) -> str:
        """The first that holds text; "" when none does."""
        for path in paths:
            found = self.get(path)
            if isinstance(found, str) and found:
                return found
        return ""

    def setting(self, name: str) -> Any:
        """One of the operator's keys, which may be spelt with dashes."""
        return self.content.get(name, self.content.get(name.replace("_", "-")))

    @property
    def disabled(self) -> bool:
        return self.setting("disabled") is True

    @property
    def label(self) -> str:
        """Whom it belongs to, as far as the vendor says."""
        return self.text("email", "username", "account", "label", "alias") or self.id

    @property
    def secrets(self) -> Iterable[Secret]:
        return tuple(_secrets(self.content))

    def with_changes(self, changes: Mapping[str, Any]) -> "Record":
        """Paths as in `get`; None takes a field away. Everything else stays."""
        content: dict[str, Any] = deepcopy(dict(self.content))
        for path, value in changes.items():
            *above, last = path.split(".")
            inside = content
            for part in above:
                found = inside.get(part)
                inside[part] = inside = dict(found) if isinstance(found, dict) else {}
            if value is None:
                inside.pop(last, None)
            else:
                inside[last] = value
        return Record(self.name, self.type, content, self.version)

    def body(self) -> bytes:
        return orjson.dumps(self.content, option=orjson.OPT_INDENT_2) + b"\n"


def read_record(name: str, body: bytes, version: str = "") -> Record:
    """Raises `Unreadable`."""
    try:
        content = orjson.loads(body.removeprefix(b"\xef\xbb\xbf"))
    except ValueError:
        raise Unreadable("is not valid JSON") from None
    if not isinstance(content, dict):
        raise Unreadable("is not a JSON object")
    kind = content.get("type")
    if kind is None and "accessToken" in content and "refreshToken" in content:
        kind = "kiro"
    if kind is None:
        raise Unreadable("is no credential: it has no `type`")
    if not isinstance(kind, str) or not kind:
        raise Unreadable("has a `type` that is no text")
    return Record(name, kind.strip().lower(), content, version)


def first_token(record: Record, paths: Iterable[str]) -> str:
    """Raises `Unreadable` for one that can't be sent."""
    found = record.text(*paths)
    if found and not is_token(found):
        raise Unreadable("holds a token with blanks or other characters that can't be sent")
    return found


def first_moment(record: Record, paths: Iterable[str]) -> float | None:
    return next((at for path in paths if (at := moment(record.get(path))) is not None), None)


def login_mark(refresh: str) -> str:
    """What a file is marked by, that tells nothing of the login."""
    return digest("refused", refresh)[:16]


def _secrets(content: Any) -> Iterable[Secret]:
    if not isinstance(content, dict):
        return
    for name, value in content.items():
        if isinstance(value, dict):
            yield from _secrets(value)
        elif name == "private_key" and isinstance(value, str):
            yield from map(Secret, value.split("\n")[1:-2])  # its lines: a part of one is as secret as the whole
        elif name in SECRET_FIELDS and value:
            yield secret_of(value)
