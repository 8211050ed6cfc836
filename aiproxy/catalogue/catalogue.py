"""A client's model name → the ordered steps that can serve it; and the list of names there are."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from aiproxy.catalogue.objections import Objection
from aiproxy.catalogue.offers import Offer, Served
from aiproxy.catalogue.providers import EVERY_PROVIDER, known_provider

NEAR_NAMES = 3
"""Names a 404 suggests: enough for a typo, few enough to read."""


@dataclass(frozen=True, slots=True)
class Model:
    """A name in the model list, and who answers to it."""

    name: str
    provider: str


@dataclass(frozen=True, slots=True)
class Step:
    """Accounts that can stand in for one another, each with what its upstream calls the model: one name, or several that
    can stand in for one another too."""

    served: Mapping[str, tuple[Served, ...]]


Plan = Sequence[Step]

Allowed = Callable[[Offer], bool]


def _all(_offer: Offer) -> bool:
    return True


class Catalogue:
    """All offers of one configuration, in its order. `force_prefix`: accounts with a prefix are reached by it alone.
    `default` is the provider that is preferred where none is named."""

    def __init__(self, offers: Iterable[Offer], *, force_prefix: bool = False, default: str = "") -> None:
        self._offers = tuple(offers)
        self._prefixes = {offer.prefix for offer in self._offers if offer.prefix}
        self._names = frozenset(name for offer in self._offers for name in offer.models)
        self.providers = frozenset(offer.provider for offer in self._offers)
        self._force_prefix = force_prefix
        self._default = default

    @property
    def offers(self) -> Sequence[Offer]:
        return self._offers

    def lists(self, name: str) -> bool:
        """Whether some account has this very name in its list."""
        return name in self._names

    def provider_in(self, name: str) -> tuple[str, str]:
        """The provider that `[provider] model` or `provider:model` names, as AIClient-2-API's clients choose, and the rest; ""
        and the name where it names none. A model that is listed with the colon in its name is that model."""
        bracketed, closed, model = name.removeprefix("[").partition("]")
        if name.startswith("[") and closed and model.startswith(" "):
            written, model = bracketed, model.lstrip()
        elif not self.lists(name):
            written, _, model = name.partition(":")
        else:
            return "", name
        provider = known_provider(written, self.providers) if model else ""
        return (provider, model) if provider else ("", name)

    def plan(self, name: str, provider: str = "", allowed: Allowed = _all) -> Plan:
        """The steps that can serve `name`, in order, at one provider where one is named; none when nobody offers it who is
        allowed.

        Accounts that list the name go before those that pass any name on: a list is knowledge, an open door is hope.
        The default provider serves what it offers, the others the rest."""
        if not provider and self._default and (preferred := self._at(name, self._default, allowed)):
            return (Step(preferred),)
        found = self._at(name, provider, allowed)
        return (Step(found),) if found else ()

    def objections(self, name: str, provider: str = "", allowed: Allowed = _all) -> Mapping[str, Objection]:
        """Why the accounts that are not in the plan aren't there."""
        planned = {account for step in self.plan(name, provider, allowed) for account in step.served}
        return {
            offer.account: self._objection(offer, name, provider, allowed)
            for offer in self._offers
            if offer.account not in planned
        }

    def _objection(self, offer: Offer, name: str, provider: str, allowed: Allowed) -> Objection:
        if provider not in ("", EVERY_PROVIDER, offer.provider):
            return Objection.OTHER_PROVIDER
        if not allowed(offer):
            return Objection.NOT_ALLOWED
        prefix, _, rest = name.partition("/")
        prefixed = bool(rest) and prefix in self._prefixes
        if prefixed and offer.prefix != prefix:
            return Objection.OTHER_PREFIX
        if not prefixed and not self._bare(offer):
            return Objection.PREFIX_ONLY
        asked = rest if prefixed else name
        if offer.listed(asked) or offer.accepted(asked):
            preferred = not provider and self._default and self._at(name, self._default, allowed)
            return Objection.NOT_DEFAULT if preferred else Objection.UNLISTED
        if offer.excludes(asked) or asked in offer.models:
            return Objection.EXCLUDED
        aliased = any(served.name == asked for found in offer.models.values() for served in found)
        return Objection.ALIASED if aliased or asked in offer.hidden else Objection.NOT_OFFERED

    def listing(self, found: Mapping[str, Sequence[str]], provider: str = "", allowed: Allowed = _all) -> list[Model]:
        """Every name a client may ask for, once; of one provider where one is named. `found` are the names that open
        accounts' upstreams list, by account."""
        models: dict[str, Model] = {}
        for offer in self._of(provider, allowed):
            for name in (*offer.models, *found.get(offer.account, ())):
                if not (offer.listed(name) or offer.accepted(name)):
                    continue
                if self._bare(offer):
                    models.setdefault(name, Model(name, offer.provider))
                if offer.prefix:
                    prefixed = f"{offer.prefix}/{name}"
                    models.setdefault(prefixed, Model(prefixed, offer.provider))
        return list(models.values())

    def _at(self, name: str, provider: str, allowed: Allowed) -> dict[str, tuple[Served, ...]]:
        """Who offers the name, at one provider or ("") anywhere."""
        offers = self._of(provider, allowed)
        prefix, _, rest = name.partition("/")
        if rest and prefix in self._prefixes:
            return _matching(rest, [offer for offer in offers if offer.prefix == prefix])
        return _matching(name, [offer for offer in offers if self._bare(offer)])

    def _of(self, provider: str, allowed: Allowed) -> Sequence[Offer]:
        return [offer for offer in self._offers if provider in ("", EVERY_PROVIDER, offer.provider) and allowed(offer)]

    def _bare(self, offer: Offer) -> bool:
        """Whether it is reached without a prefix."""
        return not (self._force_prefix and offer.prefix)


def _matching(name: str, offers: Sequence[Offer]) -> dict[str, tuple[Served, ...]]:
    listed = {offer.account: served for offer in offers if (served := offer.listed(name))}
    return listed or {offer.account: served for offer in offers if (served := offer.accepted(name))}


def near(name: str, models: Sequence[Model], allowed: Callable[[str], bool]) -> list[str]:
    """The allowed names that look most like `name`."""
    names = {model.name.lower(): model.name for model in models if allowed(model.name)}
    return [names[match] for match in get_close_matches(name.lower(), names, NEAR_NAMES, cutoff=0.5)]
