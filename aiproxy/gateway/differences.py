"""What a reload changes for clients: between two snapshots, in sentences. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from aiproxy.clients import ANYONE
from aiproxy.config.effective import plain
from aiproxy.config.load import leaves
from aiproxy.config.schema import ClientKey, Settings
from aiproxy.config.yaml_text import one_line
from aiproxy.gateway.planning import routes
from aiproxy.gateway.snapshot import Snapshot
from aiproxy.pools.selection import Account

T = TypeVar("T")


class About(StrEnum):
    KEY = "key"
    MODEL = "model"
    ROUTE = "route"
    ACCOUNT = "account"
    SETTING = "setting"


@dataclass(frozen=True, slots=True)
class Difference:
    """`what` is the name of a key, a model, an account, or the path of a setting."""

    about: About
    what: str
    words: str


_TOLD_OTHERWISE = (
    "api-keys", "openai-api-key", "claude-api-key", "gemini-api-key", "vertex-api-key", "codex-api-key", "xai-api-key", "ollama",
    "openai-compatibility", "model-alias", "oauth-excluded-models",
)  # fmt: skip
"""Settings whose changes show in keys, models and accounts."""


def differences(old: Snapshot, new: Snapshot) -> Iterator[Difference]:
    yield from _keys(old.settings, new.settings, new)
    yield from _models(old, new)
    before, after = ({each.id: each for each in snapshot.accounts} for snapshot in (old, new))
    yield from _compared(About.ACCOUNT, before, after, _account)
    stay = before.keys() & after.keys()
    was, is_now = (
        {offer.account: bool(offer.accepts) for offer in each.catalogue.offers if offer.account in stay}
        for each in (old, new)
    )
    yield from _compared(About.ACCOUNT, was, is_now, _passes)
    yield from _settings(old, new)


def _compared(
    about: About, old: Mapping[str, T], new: Mapping[str, T], changed: Callable[[T, T], str]
) -> Iterator[Difference]:
    for name in old.keys() - new.keys():
        yield Difference(about, name, "is gone")
    for name in new.keys() - old.keys():
        yield Difference(about, name, "is new")
    for name, value in old.items():
        if name in new and (words := changed(value, new[name])):
            yield Difference(about, name, words)


def _keys(old: Settings, new: Settings, snapshot: Snapshot) -> Iterator[Difference]:
    """By name; a key without one by its place, as logs have it."""
    if bool(old.api_keys) != bool(new.api_keys):
        yield Difference(About.KEY, "api-keys", "are asked for" if new.api_keys else "are not asked for any more")
    before, after = (
        {key.name or f"key-{number}": key for number, key in enumerate(settings.api_keys, 1)} for settings in (old, new)
    )
    yield from _compared(About.KEY, before, after, lambda one, other: _key(one, other, snapshot))


def _key(one: ClientKey, other: ClientKey, snapshot: Snapshot) -> str:
    said = ["is another one: clients that show the old one are refused"] if one.key != other.key else []
    said += [
        f"{path} {one_line(plain(before, snapshot.scrub))} → {one_line(plain(after, snapshot.scrub))}"
        for (path, before), (_, after) in zip(_of_key(one), _of_key(other), strict=True)
        if before != after
    ]
    return "; ".join(said)


def _of_key(key: ClientKey) -> Iterator[tuple[str, object]]:
    """Its lists each as one."""
    for path, value in leaves(key):
        name = path.partition("[")[0]
        if name != "key" and (name == path or path.endswith("[0]")):
            yield name, getattr(key, name.replace("-", "_"), value) if name != path else value


def _models(old: Snapshot, new: Snapshot) -> Iterator[Difference]:
    before, after = ({model.name for model in each.catalogue.listing({})} for each in (old, new))
    for name in sorted(before - after):
        passed = " from the list; its name is still passed on" if routes(name, ANYONE, new) else ""
        yield Difference(About.MODEL, name, f"is gone{passed}")
    for name in sorted(after - before):
        yield Difference(About.MODEL, name, "is new")
    for name in sorted(before & after):
        was, is_now = routes(name, ANYONE, old), routes(name, ANYONE, new)
        if was != is_now:
            yield Difference(About.ROUTE, name, f"{_route(was)} → {_route(is_now)}")


def _route(stages: tuple[tuple[str, ...], ...]) -> str:
    return ", then ".join(" or ".join(stage) for stage in stages) or "nobody"


def _account(one: Account, other: Account) -> str:
    said = ["is another one now (key, address or proxy)"] if one.identity != other.identity else []
    said += [
        f"{name} {getattr(one, name)} → {getattr(other, name)}"
        for name in ("priority", "weight", "concurrency")
        if getattr(one, name) != getattr(other, name)
    ]
    return "; ".join(said)


def _passes(one: bool, other: bool) -> str:
    if one is other:
        return ""
    return "passes names on that are not in its list" if other else "passes no other names on any more"


def _settings(old: Snapshot, new: Snapshot) -> Iterator[Difference]:
    before, after = (dict(leaves(each.settings)) for each in (old, new))
    for path in dict.fromkeys((*before, *after)):
        if path.startswith(_TOLD_OTHERWISE) or before.get(path) == after.get(path):
            continue
        was, is_now = (
            plain(each[path], snapshot.scrub) if path in each else _NOTHING
            for each, snapshot in ((before, old), (after, new))
        )
        if was == is_now:
            yield Difference(About.SETTING, path, "is another secret")
        for place, one, other in _inside(path, was, is_now):
            yield Difference(About.SETTING, place, f"{one_line(one)} → {one_line(other)}")


_NOTHING = "nothing"


def _inside(path: str, was: object, is_now: object) -> Iterator[tuple[str, object, object]]:
    """What is different, as deep as it lies in mappings."""
    if was == is_now:
        return
    if isinstance(was, Mapping) and isinstance(is_now, Mapping):
        for key in dict.fromkeys((*was, *is_now)):
            yield from _inside(f"{path}.{key}", was.get(key, _NOTHING), is_now.get(key, _NOTHING))
    else:
        yield path, was, is_now
