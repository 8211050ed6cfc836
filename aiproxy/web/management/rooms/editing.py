"""What rooms need of the configuration, and how a text that would not do is refused: with every finding, as `validate` has them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Protocol

from aiproxy.config import Configuration
from aiproxy.config.problems import ConfigurationInvalid, Problem, Severity
from aiproxy.config.steps import NotEdited
from aiproxy.config.tree import Unparsable
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.web.management.rooms.refusing import refusing
from aiproxy.web.management.routes import Refused


class Kept(Protocol):
    @property
    def text(self) -> str: ...
    @property
    def version(self) -> str: ...


class Configuring(Protocol):
    """As `aiproxy.configuring` does it."""

    async def text(self) -> Kept | None: ...
    async def judge(self, text: str) -> Configuration: ...
    async def replace(self, text: str, expected: str | None, reason: str) -> Kept: ...
    async def edit(self, change: Callable[[str], str], reason: str, expected: str = "") -> Kept: ...
    async def put(self, values: Mapping[str, Any], reason: str, expected: str = "") -> Kept: ...


def findings(problems: Sequence[Problem]) -> list[Mapping[str, Any]]:
    return [asdict(problem) for problem in problems]


def not_valid(problems: Sequence[Problem]) -> Refused:
    first = next((f": {problem.message}" for problem in problems if problem.severity is Severity.ERROR), "")
    message = f"Nothing was changed, for this would not be valid{first}."
    return Refused(422, "invalid_config", message, {"findings": findings(problems)})


@contextmanager
def editing() -> Iterator[None]:
    """Raises `GatewayError`s for what edits raise."""
    try:
        with refusing():
            yield
    except ConfigurationInvalid as invalid:
        raise not_valid(invalid.problems) from None
    except Unparsable as unparsable:
        raise not_valid([unparsable.problem]) from None
    except NotEdited as refused:
        raise InvalidRequest(f"Nothing was changed: {refused}.") from None
