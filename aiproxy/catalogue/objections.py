"""Why an account is not asked for a model."""

from enum import StrEnum


class Objection(StrEnum):
    """In words that go on from the account's name."""

    OTHER_PROVIDER = "is at another provider than the one that was named"
    NOT_ALLOWED = "is none that this key may spend"
    OTHER_PREFIX = "hasn't the prefix in the model's name"
    PREFIX_ONLY = "is reached by its prefix only (force-model-prefix)"
    NOT_DEFAULT = "gives way to the default provider (routing.default-provider)"
    UNLISTED = "passes any name on, and gives way to those that list this one"
    EXCLUDED = "excludes this model (excluded-models)"
    ALIASED = "offers this model by an alias only"
    NOT_OFFERED = "doesn't have this model in its list"
