"""What rests, counted for people and for metrics. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping

from aiproxy.pools.book import Place
from aiproxy.pools.verdict import Scope

ORDER = (Scope.ACCOUNT, Scope.MODEL, Scope.PROVIDER, Scope.NETWORK)


def counted(places: Iterable[Place]) -> Mapping[Scope, int]:
    """By what rests: a whole account, a model at one, a provider's model, a network."""
    found = Counter(Scope.MODEL if scope is Scope.ACCOUNT and model else scope for scope, _, model in places)
    return {scope: found[scope] for scope in ORDER}


def told(places: Iterable[Place], disabled: int) -> str:
    """`0 resting, 2 models at accounts resting, 1 disabled`: whole accounts always, of the rest what there is."""
    found = counted(places)
    words = [f"{found[Scope.ACCOUNT]} resting"]
    for number, one, many in (
        (found[Scope.MODEL], "model at an account resting", "models at accounts resting"),
        (found[Scope.PROVIDER], "model at its whole provider resting", "models at their whole provider resting"),
        (found[Scope.NETWORK], "network resting", "networks resting"),
        (disabled, "disabled", "disabled"),
    ):
        if number:
            words.append(f"{number} {one if number == 1 else many}")
    return ", ".join(words)
