"""A client's model name → the ordered steps that can serve it; and the list of names there are."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from aiproxy.catalogue.globs import matches

NEAR_NAMES = 3
"""Names a 404 suggests: enough for a typo, few enough to read."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What one account offers. `models` maps the names clients use to the upstream's; a name that is not among them is
    passed on unchanged when it matches one of the globs in `accepts`."""

    account: str
    provider: str
    models: Mapping[str, str]
    accepts: tuple[str, ...] = ()
    prefix: str = ""
    excluded: tuple[str, ...] = ()

    def listed(self, name: str) -> str | None:
        """What this account's upstream calls a model of its list, or None."""
        upstream = self.models.get(name)
        return None if upstream is None or self._excludes(name) or self._excludes(upstream) else upstream

    def accepted(self, name: str) -> str | None:
        """The name, when this account passes it on unlisted."""
        return name if matches(name, self.accepts) and not self._excludes(name) else None

    def _excludes(self, name: str) -> bool:
        return matches(name, self.excluded)


@dataclass(frozen=True, slots=True)
class Model:
    """A name in the model list, and who answers to it."""

    name: str
    provider: str


@dataclass(frozen=True, slots=True)
class Step:
    """Accounts that can stand in for one another, each with the upstream's name of the model."""

    upstream_names: Mapping[str, str]


Plan = Sequence[Step]


class Catalogue:
    """All offers of one configuration, in its order."""

    def __init__(self, offers: Iterable[Offer]) -> None:
        self._offers = tuple(offers)
        self._prefixes = {offer.prefix for offer in self._offers if offer.prefix}

    @property
    def offers(self) -> Sequence[Offer]:
        return self._offers

    @property
    def providers(self) -> Collection[str]:
        return {offer.provider for offer in self._offers}

    def plan(self, name: str, provider: str = "") -> Plan:
        """The steps that can serve `name`, in order, at one provider where one is named; none when nobody offers it.

        Accounts that list the name go before those that pass any name on: a list is knowledge, an open door is hope."""
        offers = [offer for offer in self._offers if provider in ("", offer.provider)]
        prefix, _, rest = name.partition("/")
        if rest and prefix in self._prefixes:
            found = self._matching(rest, [offer for offer in offers if offer.prefix == prefix])
        else:
            found = self._matching(name, offers)
        return (Step(found),) if found else ()

    def listing(self, found: Mapping[str, Sequence[str]]) -> list[Model]:
        """Every name a client may ask for, once. `found` are the names that open accounts' upstreams list, by account."""
        models: dict[str, Model] = {}
        for offer in self._offers:
            for name in (*offer.models, *found.get(offer.account, ())):
                if offer.listed(name) is None and offer.accepted(name) is None:
                    continue
                models.setdefault(name, Model(name, offer.provider))
                if offer.prefix:
                    prefixed = f"{offer.prefix}/{name}"
                    models.setdefault(prefixed, Model(prefixed, offer.provider))
        return list(models.values())

    @staticmethod
    def _matching(name: str, offers: Sequence[Offer]) -> dict[str, str]:
        listed = {offer.account: upstream for offer in offers if (upstream := offer.listed(name)) is not None}
        return listed or {offer.account: name for offer in offers if offer.accepted(name) is not None}


def near(name: str, models: Sequence[Model], allowed: Callable[[str], bool]) -> list[str]:
    """The allowed names that look most like `name`."""
    names = {model.name.lower(): model.name for model in models if allowed(model.name)}
    return [names[match] for match in get_close_matches(name.lower(), names, NEAR_NAMES, cutoff=0.5)]
