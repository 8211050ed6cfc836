"""What is wrong with a configuration: one value a finding, and the text that the daemon and the tool both print.

A problem never carries a value from the file: messages name keys, places and what is wanted, so that no secret that was
put in the wrong place comes out here.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from aiproxy.config.codes import EXPLANATIONS


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands. Lines and columns count from 1; line 0 is a place that has none (a variable, an option)."""

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `path` names the key (`openai-api-key[0].base-url`), `suggestion` what could stand there instead.

    `excerpt` holds the lines shown under a syntax error, already free of values."""

    file: str
    line: int
    column: int
    severity: Severity
    code: str
    message: str
    path: str = ""
    suggestion: str = ""
    excerpt: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert self.code in EXPLANATIONS, self.code


Finding = tuple[Severity, str, str, str]
"""What a rule finds: severity, code, message, and the path of the key that is to blame."""


class ConfigurationInvalid(Exception):
    """No settings come from this configuration. `problems` is all of them, warnings included, sorted."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"{len(problems)} problems in the configuration")
        self.problems = in_order(problems)

    def __str__(self) -> str:
        return render_problems(self.problems).rstrip()


def problem_at(
    place: Place, severity: Severity, code: str, message: str, *, path: str = "", suggestion: str = ""
) -> Problem:
    return Problem(place.source, place.line, place.column, severity, code, message, path, suggestion)


def in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """By place, each finding once: an anchor that five entries of a list use is wrong in one place."""
    once = {(p.file, p.line, p.column, p.code, _ENTRY.sub("", p.message) if p.line else p.message): p for p in problems}
    return tuple(sorted(once.values(), key=lambda p: (p.file, p.line, p.column, p.code, p.message)))


_ENTRY = re.compile(r"\[\d+\]")


def has_errors(problems: Iterable[Problem]) -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems)


_COLOURS = {Severity.ERROR: "31;1", Severity.WARNING: "33;1"}


def render_problem(problem: Problem, *, colour: bool = False) -> str:
    """`FILE:LINE:COL: error[CODE]: message`, which editors and people parse alike; an excerpt follows indented."""
    place = str(Place(problem.file, problem.line, problem.column))
    label = f"{problem.severity}[{problem.code}]"
    if colour:
        place = f"\x1b[1m{place}\x1b[0m"
        label = f"\x1b[{_COLOURS[problem.severity]}m{label}\x1b[0m"
    return "\n".join([f"{place}: {label}: {problem.message}", *problem.excerpt])


def render_problems(problems: Iterable[Problem], *, colour: bool = False) -> str:
    """The report: a line each, the last one ended too."""
    return "".join(f"{render_problem(problem, colour=colour)}\n" for problem in problems)
