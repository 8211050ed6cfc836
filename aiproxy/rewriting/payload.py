"""Payload rules: an operator's `default`, `override` and `filter` of fields in the bodies that go to upstreams.

Conditions look at the body as it is before any rule has changed it. Then, in this order: of the defaults the first rule for a
path sets it where the body has nothing there, of the overrides the last one stands, filters take out what is left.
"""

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal

from aiproxy.catalogue.globs import matches
from aiproxy.codecs.json_bytes import dump
from aiproxy.codecs.splice import read_object
from aiproxy.neutral.carried import Json
from aiproxy.neutral.errors import InvalidRequest
from aiproxy.rewriting.paths import Path, put, remove, same, values


@dataclass(frozen=True, slots=True)
class Sending:
    """A request that is about to be sent. `models` are its model's names, the upstream's and the client's; protocols are
    named as wires are, header names are in lower case. `member` is where its body stands in an envelope, if it has one."""

    models: tuple[str, ...]
    protocol: str
    from_protocol: str
    headers: Mapping[str, str]
    member: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """All of it must hold. `models` is a glob; empty protocols are any."""

    models: str
    protocol: str = ""
    from_protocol: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    match: tuple[tuple[Path, Json], ...] = ()
    not_match: tuple[tuple[Path, Json], ...] = ()
    exist: tuple[Path, ...] = ()
    not_exist: tuple[Path, ...] = ()

    def may_hold(self, sending: Sending) -> bool:
        """Whether it holds as far as one can tell without reading the body."""
        return (
            any(matches(model, (self.models,)) for model in sending.models)
            and self.protocol in ("", sending.protocol)
            and self.from_protocol in ("", sending.from_protocol)
            and all(matches(sending.headers.get(name, ""), (glob,)) for name, glob in self.headers)
        )

    def holds(self, body: Json) -> bool:
        """Whether it holds as far as the body goes."""
        return (
            all(_is(body, path, wanted) for path, wanted in self.match)
            and not any(_is(body, path, unwanted) for path, unwanted in self.not_match)
            and all(_something(body, path) for path in self.exist)
            and not any(_something(body, path) for path in self.not_exist)
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """Applies when one of its conditions holds. `params` are paths, and what to set there."""

    action: Literal["default", "override", "filter"]
    conditions: tuple[Condition, ...]
    params: tuple[tuple[Path, Json], ...]


@dataclass(frozen=True, slots=True)
class PayloadRules:
    """`rules` are sorted: defaults, overrides, filters."""

    rules: Sequence[Rule] = ()

    def apply(self, body: bytes, sending: Sending) -> bytes:
        """The body to send; the very same where no rule changes it. Raises `InvalidRequest` for one that nests too deep."""
        if not any(condition.may_hold(sending) for rule in self.rules for condition in rule.conditions):
            return body
        whole = read_object(body)
        content: Json = whole.get(sending.member) if sending.member else whole
        try:
            applicable = [rule for rule in self.rules if _applies(rule, sending, content)]
            return dump(whole) if _apply(applicable, content) else body
        except RecursionError as error:
            raise InvalidRequest("The request body nests too deep.") from error


def _applies(rule: Rule, sending: Sending, content: Json) -> bool:
    return any(condition.may_hold(sending) and condition.holds(content) for condition in rule.conditions)


def _apply(rules: Iterable[Rule], content: Json) -> bool:
    """Changes the content; whether it did."""
    changed = False
    for rule in rules:
        for path, value in rule.params:
            match rule.action:
                case "filter":
                    changed |= remove(content, path)
                case "override":
                    changed |= put(content, path, deepcopy(value))
                case "default" if not values(content, path):  # a default that was set before is something, too
                    changed |= put(content, path, deepcopy(value))
    return changed


def _is(body: Json, path: Path, wanted: Json) -> bool:
    return any(same(value, wanted) for value in values(body, path))


def _something(body: Json, path: Path) -> bool:
    return any(value is not None for value in values(body, path))
