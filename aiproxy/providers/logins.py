"""Accounts of logins: what a credential file may say of any of them, whichever provider it is of. Source: CLIProxyAPI's files."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from aiproxy.catalogue import Alias, named
from aiproxy.config.schema import ErrorAction, RequestScopedError
from aiproxy.neutral.carried import Json
from aiproxy.pools.verdict import FaultRule
from aiproxy.providers.base import LoggedIn, Provider, Upstream, rules_of

T = TypeVar("T")

FIRST = 100
"""What priorities in files count down from: CLIProxyAPI's accounts with the largest number come first, and 0 says nothing;
ours with the smallest."""


def account_of(provider: Provider, login: LoggedIn, accepts: Sequence[str], models: Sequence[str] = ()) -> Upstream:
    """`models` are those it is known to have, the provider's where none are named; `accepts` globs of others that are passed
    on. Raises `ValueError` that names the field of the file that can't be right."""
    said = login.record
    return Upstream(
        id=login.name,
        provider=provider,
        credential=login.credential,
        base_url=(text(said, "base_url") or login.base_url or provider.base_url).rstrip("/"),
        models=named((*(Alias(model) for model in models or provider.models), *_aliases(said))),
        accepts=tuple(accepts),
        proxy_url=text(said, "proxy_url"),
        prefix=text(said, "prefix"),
        priority=FIRST - _one(said, "priority", int, 0),
        weight=_one(said, "weight", int, 1),
        excluded_models=_texts(said, "excluded_models"),
        rules=_rules(said),
        headers=_headers(said),
        cools=None if _said(said, "disable_cooling") is None else not _one(said, "disable_cooling", bool, False),
        concurrency=_one(said, "concurrency", int, 0),
        per_minute=_one(said, "per_minute", int, 0),
        socket=_one(said, "websockets", bool, False),
    )


def text(said: Mapping[str, Json], *names: str) -> str:
    """The first of the fields that says something; "" when none does. Files of others spell a name in two ways."""
    return next((found for name in names if (found := _one(said, name, str, ""))), "")


def _said(said: Mapping[str, Json], name: str) -> Json:
    """Names may be spelt with dashes, too."""
    return said.get(name, said.get(name.replace("_", "-")))


def _one(said: Mapping[str, Json], name: str, kind: type[T], otherwise: T) -> T:
    found: Any = _said(said, name)
    if found is None:
        return otherwise
    if not isinstance(found, kind) or (kind is int and isinstance(found, bool)):
        raise ValueError(f"`{name}` must be of type {kind.__name__}")
    return found


def _aliases(said: Mapping[str, Json]) -> Iterator[Alias]:
    for each in _said(said, "model_aliases") or ():
        if not isinstance(each, dict) or not text(each, "name") or not text(each, "alias"):
            raise ValueError("`model_aliases` must be a list of objects with a `name` and an `alias`")
        yield Alias(text(each, "name"), text(each, "alias"), _one(each, "fork", bool, False))


def _texts(said: Mapping[str, Json], name: str) -> tuple[str, ...]:
    found = _said(said, name) or ()
    if not isinstance(found, list | tuple) or not all(isinstance(each, str) for each in found):
        raise ValueError(f"`{name}` must be a list of texts")
    return tuple(found)


def _rules(said: Mapping[str, Json]) -> tuple[FaultRule, ...]:
    found = _said(said, "request_scoped_errors") or ()
    if not isinstance(found, list | tuple) or not all(isinstance(each, dict) for each in found):
        raise ValueError("`request_scoped_errors` must be a list of objects")
    try:
        return rules_of(
            [
                RequestScopedError(
                    _one(each, "status", int, 0),
                    _texts(each, "match"),
                    _texts(each, "match_regexr"),
                    ErrorAction(text(each, "action") or ErrorAction.STOP),
                )
                for each in found
            ]
        )
    except (ValueError, re.error) as error:
        raise ValueError(f"`request_scoped_errors` has a rule that can't be used: {error}") from None


def _headers(said: Mapping[str, Json]) -> Mapping[str, str]:
    found = said.get("headers") or {}
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise ValueError("`headers` must be texts by name")
    return found
