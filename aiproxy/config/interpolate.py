"""`${NAME}` and `${NAME:-default}` in strings; `$${` is a literal `${`. Any other `$` is itself."""

import re
from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\$\{|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<default>:-[^}]*)?\})?")


class Unresolved(Exception):
    """A reference that has no value or isn't one. `name` is the variable's, "" when the reference is malformed."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def interpolate(text: str, environ: Mapping[str, str]) -> str:
    """The text with each reference replaced. As in a shell, an empty variable counts as unset where a default is given.

    Raises `Unresolved`."""

    def value(found: re.Match[str]) -> str:
        if found.group() == "$${":
            return "${"
        name, default = found["name"], found["default"]
        if name is None:
            raise Unresolved("")
        if default is not None:
            return environ.get(name) or default[2:]
        if name not in environ:
            raise Unresolved(name)
        return environ[name]

    return _REFERENCE.sub(value, text) if "${" in text else text
