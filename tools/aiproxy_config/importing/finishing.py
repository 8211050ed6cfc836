"""What was taken over, made into a file that is valid: what would not be is left out, and named."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aiproxy.config.load import Document, configuration
from aiproxy.config.problems import ConfigurationInvalid, Place, Problem, Severity
from aiproxy.config.steps import shown, steps_of
from aiproxy.config.yaml_text import block
from aiproxy_config.importing.taking import Data, Found

PLACEHOLDER = "a-variable-of-some-length"

_VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)\}")


def settled(found: Found, source: str, directory: Path) -> None:
    """Leave out of the settings whatever is refused."""
    while True:
        found.settings = _without_nothing(found.settings)
        text = block(found.settings)
        try:
            document = Document(text, source, directory)
            configuration(document, environ=dict.fromkeys(variables(text), PLACEHOLDER))
        except ConfigurationInvalid as invalid:
            refused = next(each for each in invalid.problems if each.severity is Severity.ERROR)
            path = _left_out(found.settings, refused)
            found.note(Place(source), "not-taken-over", f"`{path}` was left out: {refused.message}", path)
        else:
            return


def variables(text: str) -> list[str]:
    """The environment variables that a file wants."""
    return list(dict.fromkeys(_VARIABLE.findall(text)))


def written(found: Found, heading: str) -> str:
    """The file; what has no equal stands at its end."""
    lines = [
        f"# {heading}",
        "# `aiproxy-config validate` checks it; configs/README.md of aiproxy explains every key.",
        "",
    ]
    text = "\n".join(lines) + "\n" + block(found.settings)
    if found.problems:
        text += "\n# Not taken over, or a little different here:\n"
    for problem in found.problems:
        place = Place(Path(problem.file).name, problem.line, problem.column)
        text += f"#   {place}: {' '.join(problem.message.split())}\n"
    return text


def _left_out(settings: Data, refused: Problem) -> str:
    """Take the refused value out, or the smallest thing around it that is there; the path of what was taken."""
    steps: list[str | int] = list(steps_of(refused.path))
    if refused.code == "missing-key" and len(steps) > 1:
        steps.pop()
    while steps:
        last: Any = None
        holder: Any = settings
        for at, step in enumerate(steps):
            steps[at] = _name(holder, step)
            last, holder = holder, _within(holder, steps[at])
        if holder is not None:
            del last[steps[-1]]
            return shown(tuple(steps))
        steps.pop()
    raise AssertionError(refused)


def _name(holder: Any, step: str | int) -> str | int:
    """Entries of mappings whose keys are anybody's names are known by their number, too."""
    if isinstance(holder, dict) and isinstance(step, int) and step < len(holder):
        return str(list(holder)[step])
    return step


def _within(holder: Any, step: str | int) -> Any:
    if isinstance(holder, list):
        return holder[step] if isinstance(step, int) and step < len(holder) else None
    return holder.get(step) if isinstance(holder, Mapping) else None


def _without_nothing(value: Any) -> Any:
    """Mappings and lists without what holds nothing."""
    match value:
        case dict():
            kept = {key: _without_nothing(inner) for key, inner in value.items()}
            return {key: inner for key, inner in kept.items() if inner is not None and inner != {} and inner != []}
        case list():
            return [inner for each in value if (inner := _without_nothing(each)) not in (None, {}, [])]
    return value
