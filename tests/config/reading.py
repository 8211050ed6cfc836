"""Configurations from a text, for the tests of this directory."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from aiproxy.config.load import Configuration, Document, configuration
from aiproxy.config.problems import ConfigurationInvalid, Problem

KEY = "a-client-key-of-some-length"
NOTHING: Mapping[str, str] = {}


def load(
    text: str,
    environ: Mapping[str, str] = NOTHING,
    overrides: Sequence[str] = (),
    directory: Path = Path("/nonexistent"),
) -> Configuration:
    return configuration(Document(text, "f.yaml", directory), environ=environ, overrides=overrides)


def problems(
    text: str,
    environ: Mapping[str, str] = NOTHING,
    overrides: Sequence[str] = (),
    directory: Path = Path("/nonexistent"),
) -> tuple[Problem, ...]:
    """All findings, whether or not they refuse the configuration."""
    try:
        return load(text, environ, overrides, directory).warnings
    except ConfigurationInvalid as invalid:
        return invalid.problems


def codes(text: str, environ: Mapping[str, str] = NOTHING, overrides: Sequence[str] = ()) -> list[tuple[str, int, int]]:
    """Code, line and column of each finding."""
    return [(problem.code, problem.line, problem.column) for problem in problems(text, environ, overrides)]
