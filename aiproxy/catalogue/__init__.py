"""Which models there are and who offers them: names, aliases, prefixes, exclusions → a plan of steps. Pure.

Knows accounts only by id; their health is the pool's affair, who may use which model is asked through a predicate."""

from aiproxy.catalogue.catalogue import Catalogue, Model, Offer, Plan, Step

__all__ = ["Catalogue", "Model", "Offer", "Plan", "Step"]
