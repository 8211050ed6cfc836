"""What one account offers: the names clients use, and what its upstream calls those models."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from aiproxy.catalogue.globs import matches


@dataclass(frozen=True, slots=True)
class Served:
    """A model as an upstream calls it. `forced`: its answers shall name it as the client did."""

    name: str
    forced: bool = False


@dataclass(frozen=True, slots=True)
class Alias:
    """A name for clients. It hides the upstream's own, unless `fork` keeps that one offered beside it."""

    name: str
    alias: str = ""
    fork: bool = False
    forced: bool = False


PREVIEW = "-preview"
"""What vendors put behind a model's name for what will be its next version; a date or another word may follow."""

Names = Mapping[str, tuple[Served, ...]]
"""By the name clients use; several models under one name stand in for one another."""


@dataclass(frozen=True, slots=True)
class Offer:
    """`models` is the account's list. A name that is not in it is passed on unchanged when it matches one of the globs in
    `accepts` and is none of `hidden`: the upstream's names that go by an alias only."""

    account: str
    provider: str
    models: Names
    accepts: tuple[str, ...] = ()
    prefix: str = ""
    excluded: tuple[str, ...] = ()
    hidden: frozenset[str] = frozenset()

    def listed(self, name: str) -> tuple[Served, ...]:
        """What this account's upstream calls a model of its list; nothing when it isn't in it."""
        if self.excludes(name):
            return ()
        return tuple(served for served in self.models.get(name, ()) if not self.excludes(served.name))

    def accepted(self, name: str) -> tuple[Served, ...]:
        """The name, when this account passes it on unlisted."""
        passes = matches(name, self.accepts) and name not in self.hidden and not self.excludes(name)
        return (Served(name),) if passes else ()

    def renamed(self, aliases: Iterable[Alias]) -> "Offer":
        """The same with further aliases, of names that it offers; an alias's own name may be one of its list."""
        models, hidden = dict(self.models), set(self.hidden)
        added: dict[str, tuple[Served, ...]] = {}
        for alias in aliases:
            found = self.models.get(alias.name) or self.accepted(alias.name)
            if not found or not alias.alias or alias.alias == alias.name:
                continue
            forced = tuple(replace(served, forced=served.forced or alias.forced) for served in found)
            added[alias.alias] = (*added.get(alias.alias, ()), *forced)
            if not alias.fork:
                models.pop(alias.name, None)
                hidden.add(alias.name)
        return replace(self, models={**models, **added}, hidden=frozenset(hidden))

    def excludes(self, name: str) -> bool:
        return matches(name, self.excluded)

    @property
    def previews(self) -> Mapping[str, Sequence[str]]:
        """The upstream's names of its list that are another model's preview, by that one's name."""
        found: dict[str, list[str]] = {}
        for name in {served.name: None for each in self.models.values() for served in each}:
            model, preview, _ = name.partition(PREVIEW)
            if preview and not self.excludes(name):
                found.setdefault(model, []).append(name)
        return found


def named(aliases: Iterable[Alias]) -> Names:
    """A list of models as the names clients use. An alias that several models share is a pool of them."""
    found: dict[str, tuple[Served, ...]] = {}
    for each in aliases:
        served = Served(each.name, each.forced)
        names = {each.alias or each.name: served}
        if each.fork:
            names.setdefault(each.name, Served(each.name))
        for name, one in names.items():
            if one.name not in (known.name for known in found.get(name, ())):
                found[name] = (*found.get(name, ()), one)
    return found
