"""From a path, an environment and overrides to settings, or to every problem at once. The daemon and the tool share it."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from aiproxy.config.checks import check
from aiproxy.config.implied import with_implied
from aiproxy.config.layers import with_environment, with_overrides
from aiproxy.config.names import kebab
from aiproxy.config.problems import ConfigurationInvalid, Place, Problem, Severity, has_errors, in_order, problem_at
from aiproxy.config.read import Reading, reason
from aiproxy.config.schema import Settings
from aiproxy.config.store_variables import with_store
from aiproxy.config.tree import Entries, Node, Unparsable, parse
from aiproxy.config.vertex import secrets_within
from aiproxy.secrets import Secret

BUILT_IN = "built-in"

SEARCHED = ("./aiproxy.yaml", "./config.yaml", "/etc/aiproxy/aiproxy.yaml")
"""Where a configuration is looked for when neither an option nor `AIPROXY_CONFIG` names one."""

LARGEST_FILE = 8 * 1024 * 1024
"""Bytes. Two thousand accounts take about 1 MiB; more is not a configuration."""


@dataclass(frozen=True, slots=True)
class Document:
    """A configuration's text, the name that problems call it, and where its relative file names start."""

    text: str
    name: str
    directory: Path
    file: Path | None = None
    """Where it was read from; None for standard input."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings, and all that is known about how they came to be."""

    settings: Settings
    source: str
    """The file's path, or `built-in`."""
    warnings: tuple[Problem, ...] = ()
    secrets: tuple[Secret, ...] = ()
    """Every secret in it, for the log's scrubber."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Key path → `built-in`, `FILE:LINE:COL`, a variable's name, or `--set …`."""
    places: Mapping[str, Place] = field(default_factory=dict)
    """Key path → where its value stands, for everything that was set."""
    files: tuple[Path, ...] = ()
    """What a reload should watch: the configuration, certificates, files of secrets, the system prompt."""
    file: Path | None = None
    """Where it was read from; None for the built-in one, and for one that is in a store."""


def load_config(path: str | None, *, environ: Mapping[str, str], overrides: Sequence[str] = ()) -> Configuration:
    """The configuration at `path`, or the first one found, or the built-in one. Raises `ConfigurationInvalid`."""
    return configuration(find(path, environ), environ=environ, overrides=overrides)


def find(path: str | None, environ: Mapping[str, str]) -> Document | None:
    """The document to read; None when there is none and the built-in configuration holds.

    A file that was named (by argument or `AIPROXY_CONFIG`) must be there. Raises `ConfigurationInvalid`."""
    named = path or environ.get("AIPROXY_CONFIG", "")
    if named:
        return read_document(Path(os.path.expanduser(named)))
    for candidate in SEARCHED:
        if os.path.lexists(candidate):
            return read_document(Path(candidate))
    return None


def read_document(path: Path) -> Document:
    """Raises `ConfigurationInvalid`."""
    name = str(path)
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise _refused(Place(name), "unreadable-file", f"this configuration can't be read: {reason(error)}") from None
    if len(content) > LARGEST_FILE:
        raise _refused(Place(name), "unreadable-file", f"this is larger than {LARGEST_FILE // 1024**2} MiB")
    return Document(decoded(content, name), name, path.absolute().parent, path.absolute())


def decoded(content: bytes, name: str) -> str:
    """Raises `ConfigurationInvalid` at the first byte that isn't UTF-8."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        place = Place(name, before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise _refused(place, "yaml-syntax", "this byte is not UTF-8") from None


def configuration(
    document: Document | None, *, environ: Mapping[str, str], overrides: Sequence[str] = ()
) -> Configuration:
    """What a document says under an environment and overrides. Raises `ConfigurationInvalid`."""
    source = document.name if document else BUILT_IN
    root: Node = Entries((), Place(source))
    problems: list[Problem] = []
    if document:
        try:
            root, problems = parse(document.text, source)
        except Unparsable as unparsable:
            raise ConfigurationInvalid([unparsable.problem]) from None
    laid = with_environment(with_store(root, environ), environ)
    overridden = with_overrides(laid.root, overrides)
    reading = Reading(environ, document.directory if document else Path.cwd())
    settings = reading.settings(with_implied(overridden.root, environ))
    reading.problems += [*laid.problems, *overridden.problems]
    reading.problems += check(settings, reading, document.file if document else None)
    # What isn't even YAML of ours (a tag, an alias of nothing) is not judged as a value as well.
    known = {(problem.line, problem.column) for problem in problems}
    reading.problems = [p for p in reading.problems if not p.line or (p.line, p.column) not in known] + problems
    if has_errors(reading.problems):
        raise ConfigurationInvalid(reading.problems)
    files = [Path(settings.tls.cert), Path(settings.tls.key)] if settings.tls.enable else []
    files += [Path(settings.system_prompt.file)] if settings.system_prompt.file else []
    return Configuration(
        settings,
        source,
        in_order(reading.problems),
        tuple({secret.reveal(): secret for secret in (*reading.secrets, *secrets_within(settings))}.values()),
        origins(settings, reading.places),
        reading.places,
        (*([document.file] if document and document.file else []), *files, *reading.files, *laid.files),
        document.file if document else None,
    )


def origins(settings: Settings, places: Mapping[str, Place]) -> Mapping[str, str]:
    """Which layer set each value."""
    found = {}
    for path, _ in leaves(settings):
        found[path] = str(places[path]) if path in places else BUILT_IN
    return found


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of some settings by its path; a mapping whose keys are anybody's names is one."""
    if is_dataclass(value):
        for each in fields(value):
            name = kebab(each.name)
            yield from leaves(getattr(value, each.name), f"{path}.{name}" if path else name)
    elif isinstance(value, tuple) and value:
        for index, element in enumerate(value):
            yield from leaves(element, f"{path}[{index}]")
    else:
        yield path, value


def _refused(place: Place, code: str, message: str) -> ConfigurationInvalid:
    return ConfigurationInvalid([problem_at(place, Severity.ERROR, code, message)])
