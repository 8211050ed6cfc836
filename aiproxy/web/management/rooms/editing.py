"""What rooms need of the configuration, and how a text that would not do is refused: with every finding, as `validate` has them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Protocol

from aiproxy.codecs.base import Answer
from aiproxy.config import Configuration
from aiproxy.config.problems import ConfigurationInvalid, Problem, Severity
from aiproxy.config.steps import NotEdited
from aiproxy.config.tree import Unparsable
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.storage.store import Change
from aiproxy.web.management.rooms.refusing import refusing
from aiproxy.web.management.routes import Asked, Refused, answer

ONE_VALUE = 400
"""The status by which CLIProxyAPI refuses a value that was sent by itself; a whole text that would not do is 422."""

NO_YAML = ("yaml-syntax", "yaml-depth")
"""The codes of texts that no tree can be made of."""

IF_MATCH = "An `If-Match` header with an ETag refuses a change of another version."


class Kept(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def version(self) -> str: ...


class Configuring(Protocol):
    """As `aiproxy.configuring` does it."""

    async def text(self) -> Kept | None: ...
    async def judge(self, text: str) -> Configuration: ...
    async def replace(self, text: str, expected: str | None, change: Change) -> Kept: ...
    async def edit(self, edit: Callable[[str], str], change: Change, expected: str = "") -> Kept: ...
    async def put(self, values: Mapping[str, Any], change: Change, expected: str = "") -> Kept: ...


def findings(problems: Sequence[Problem]) -> list[Mapping[str, Any]]:
    return [asdict(problem) for problem in problems]


def not_valid(problems: Sequence[Problem], status: int = 422) -> Refused:
    first = next((f": {problem.message}" for problem in problems if problem.severity is Severity.ERROR), "")
    message = f"Nothing was changed, for this would not be valid{first}."
    if any(problem.code in NO_YAML for problem in problems):
        return Refused(400, "invalid_yaml", message, {"findings": findings(problems)})
    return Refused(status, "invalid_config", message, {"findings": findings(problems)})


@contextmanager
def editing(not_valid_status: int = 422) -> Iterator[None]:
    """Raises `GatewayError`s for what edits raise."""
    try:
        with refusing():
            yield
    except ConfigurationInvalid as invalid:
        raise not_valid(invalid.problems, not_valid_status) from None
    except Unparsable as unparsable:
        raise not_valid([unparsable.problem]) from None
    except NotEdited as refused:
        raise InvalidRequest(f"Nothing was changed: {refused}.") from None


def etag(kept: Kept) -> str:
    return f'"{kept.version}"'


def if_match(asked: Asked) -> str:
    """The version that is meant; "" for any."""
    said = asked.header("if-match").removeprefix("W/").strip('"')
    return "" if said == "*" else said


def stale() -> Refused:
    return Refused(412, "changed", "The configuration was changed by someone else meanwhile: read it again.")


def done(kept: Kept, told: Mapping[str, Any]) -> Answer:
    return answer(told, {"etag": etag(kept)})
