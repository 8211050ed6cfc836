"""Rests, counted: by what rests, and in words."""

from collections.abc import Sequence

import pytest

from aiproxy.pools.book import Place
from aiproxy.pools.rests import counted, told
from aiproxy.pools.verdict import Scope

WHOLE: Place = (Scope.ACCOUNT, "one", "")
MODEL: Place = (Scope.ACCOUNT, "one", "m")
OTHER: Place = (Scope.ACCOUNT, "two", "m")
PROVIDER: Place = (Scope.PROVIDER, "openai", "m")
NETWORK: Place = (Scope.NETWORK, "direct", "")


@pytest.mark.parametrize(
    ("places", "disabled", "words"),
    [
        ((), 0, "0 resting"),
        ((WHOLE,), 0, "1 resting"),
        ((MODEL,), 0, "0 resting, 1 model at an account resting"),
        ((WHOLE, MODEL, OTHER), 2, "1 resting, 2 models at accounts resting, 2 disabled"),
        ((PROVIDER, NETWORK), 1,
         "0 resting, 1 model at its whole provider resting, 1 network resting, 1 disabled"),
    ],
)  # fmt: skip
def test_in_words(places: Sequence[Place], disabled: int, words: str) -> None:
    assert told(places, disabled) == words


def test_by_what_rests() -> None:
    assert counted((WHOLE, MODEL, OTHER, PROVIDER)) == {
        Scope.ACCOUNT: 1,
        Scope.MODEL: 2,
        Scope.PROVIDER: 1,
        Scope.NETWORK: 0,
    }
