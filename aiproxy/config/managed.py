"""The settings of a client key that is no part of the configuration, read as if it were."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from aiproxy.config.client_rules import expiry_problems
from aiproxy.config.problems import ConfigurationInvalid, Severity, has_errors, problem_at
from aiproxy.config.read import Reading
from aiproxy.config.schema import ClientKey
from aiproxy.config.tree import Unparsable, parse

NOT_SETTINGS = frozenset({"key", "name", "disabled"})
"""Of an entry of `api-keys`: what a managed key has in another way."""


def key_settings(name: str, settings: Mapping[str, Any]) -> ClientKey:
    """`settings` are the keys of an entry of `api-keys` but `key`, `name` and `disabled`. Raises `ConfigurationInvalid` that
    says what is wrong with them, and `ValueError` for what can't be said in JSON."""
    refused = sorted(NOT_SETTINGS & settings.keys())
    if refused:
        raise ValueError(f"{', '.join(refused)}: not a setting of a managed key")
    entry = {**settings, "name": name, "key": "managed-elsewhere-0123456789"}
    try:
        text = orjson.dumps({"api-keys": [entry]}).decode()
    except TypeError as error:
        raise ValueError(str(error)) from None
    try:
        root, problems = parse(text, "the key's settings", one_place=True)
    except Unparsable as unparsable:
        raise ConfigurationInvalid([unparsable.problem]) from None
    reading = Reading(environ={}, directory=Path())
    read = reading.settings(root)
    found = [*problems, *reading.problems]
    for key in read.api_keys:
        for severity, code, message, path in expiry_problems(key.expires, "expires"):
            if severity is Severity.ERROR:
                found.append(problem_at(reading.place(path), severity, code, message, path=path))
    if has_errors(found):
        raise ConfigurationInvalid(found)
    return read.api_keys[0]
