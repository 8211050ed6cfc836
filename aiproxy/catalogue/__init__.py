"""Which models there are and who offers them: names, aliases, prefixes, exclusions → a plan of steps. Pure.

Knows accounts only by id; their health is the pool's affair, who may use which model is asked through a predicate."""

from aiproxy.catalogue.catalogue import Catalogue, Model, Plan, Step
from aiproxy.catalogue.objections import Objection
from aiproxy.catalogue.offers import Alias, Names, Offer, Served, named
from aiproxy.catalogue.providers import known_provider

__all__ = [
    "Alias", "Catalogue", "Model", "Names", "Objection", "Offer", "Plan", "Served", "Step", "known_provider", "named",
]  # fmt: skip
