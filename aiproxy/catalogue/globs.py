"""Globs of model names: `*` and `?`, upper and lower case alike."""

from collections.abc import Sequence
from fnmatch import fnmatchcase


def matches(name: str, globs: Sequence[str]) -> bool:
    """Whether any of the globs matches the whole name."""
    if "*" in globs:
        return True  # the usual one
    name = name.lower()
    return any(fnmatchcase(name, glob.lower()) for glob in globs)
