"""What a management route is: a line of the table, what it is handed, and who asks. Values only."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from aiproxy.codecs.base import Answer
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.storage.store import Change
from aiproxy.web.keys import header
from aiproxy.web.request import HttpRequest

LARGEST_COUNT = 10_000
"""Of anything that is listed in one answer: about 10 MB."""


@dataclass(frozen=True, slots=True)
class Who:
    """`by` is how they showed who they are: `key`, `session`, or `nobody` at an open route."""

    by: str
    address: str


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: `path` are the variable parts of its path, `query` the last value of each argument."""

    request: HttpRequest
    path: Mapping[str, str]
    query: Mapping[str, str]
    who: Who
    note: Callable[[], object] = lambda: None
    """Tell the audit log of an answer that isn't a change."""

    def change(self, reason: str) -> Change:
        """For the histories of what is changed."""
        return Change(reason, f"{'console' if self.who.by == 'session' else 'management API'} from {self.who.address}")

    @property
    def body(self) -> bytes:
        return self.request.content.getvalue()

    def json(self) -> Any:
        """The body. Raises `InvalidRequest`."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise InvalidRequest(f"The body is not JSON: {error}.") from None

    def object(self) -> dict[str, Any]:
        found = self.json()
        if not isinstance(found, dict):
            raise InvalidRequest("The body must be a JSON object.")
        return found

    def text(self, name: str, *, default: str | None = None) -> str:
        """A field of the body. Raises `InvalidRequest`."""
        found = self.object().get(name, default)
        if not isinstance(found, str):
            raise InvalidRequest(f"The field '{name}' must be a text.", param=name)
        return found

    def header(self, name: str) -> str:
        return header(self.request, name.encode("ascii"))

    def optional(self, name: str) -> Any:
        """A field of a body that may be left out altogether; None where it isn't there."""
        return self.object().get(name) if self.body else None

    def number(self, name: str, default: float) -> float:
        """An argument of the query. Raises `InvalidRequest`."""
        text = self.query.get(name, "")
        if not text:
            return default
        try:
            return float(text)
        except ValueError:
            raise InvalidRequest(f"The argument '{name}' must be a number.", param=name) from None

    def count(self, name: str, default: int) -> int:
        found = self.number(name, default)
        if not 1 <= found <= LARGEST_COUNT:
            raise InvalidRequest(f"The argument '{name}' must be from 1 to {LARGEST_COUNT}.", param=name)
        return int(found)


class Refused(Exception):
    """An answer that only this API gives. `told` stands beside the sentence."""

    def __init__(self, status: int, code: str, message: str, told: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.told = told or {}


@dataclass(frozen=True, slots=True)
class Route:
    """`path` in Werkzeug's way (`/requests/<request_id>`), below `/v0/management`. `query` are its arguments, `takes` the fields of a
    body, each with its words, which is JSON unless `reads` says otherwise. `open` routes judge by themselves who may."""

    method: str
    path: str
    words: str
    serve: Callable[[Asked], Awaitable[Any]]
    query: Mapping[str, str] = field(default_factory=dict)
    takes: Mapping[str, str] = field(default_factory=dict)
    reads: str = "application/json"
    gives: str = "application/json"
    open: bool = False
    asks: bool = False
    """Whether it changes nothing, whatever its method says: what is asked is too long for an address."""
    theirs: bool = False
    """Whether it is CLIProxyAPI's, by its path, method and shapes."""


def theirs(routes: Iterable[Route]) -> Sequence[Route]:
    """CLIProxyAPI's."""
    return tuple(replace(route, theirs=True) for route in routes)


Served = Answer | Mapping[str, Any]
"""What routes give: JSON, or an answer of their own kind. None where they wrote it themselves."""


def answer(told: Mapping[str, Any], headers: Mapping[str, str], status: int = 200) -> Answer:
    """JSON with headers."""
    return Answer(status, orjson.dumps(told), "application/json", headers)


def download(body: bytes, content_type: str, name: str) -> Answer:
    """A file for whoever asks by browser."""
    return Answer(200, body, content_type, {"content-disposition": f'attachment; filename="{name}"'})
