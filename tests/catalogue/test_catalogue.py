"""Names → plans and lists, as a table."""

import pytest

from aiproxy.catalogue import Catalogue, Offer
from aiproxy.catalogue.catalogue import near
from aiproxy.catalogue.globs import matches

ANY = ("*",)
OFFERS = (
    Offer("open", "openai", {}, ANY, excluded=("*-preview",)),
    Offer("listed", "router", {"fast": "vendor/fast-1", "fast-2": "fast-2"}, prefix="or"),
    Offer("prefixed", "local", {}, ANY, prefix="lo"),
    Offer("picky", "router", {"fast": "vendor/fast-1", "slow": "vendor/slow"}, excluded=("vendor/SLOW",)),
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fast", {"listed": "vendor/fast-1", "picky": "vendor/fast-1"}),
        ("or/fast", {"listed": "vendor/fast-1"}),
        ("or/unknown", {}),
        ("lo/vendor/anything", {"prefixed": "vendor/anything"}),
        ("gpt-x", {"open": "gpt-x", "prefixed": "gpt-x"}),
        ("gpt-x-preview", {"prefixed": "gpt-x-preview"}),
        ("vendor/fast-1", {"open": "vendor/fast-1", "prefixed": "vendor/fast-1"}),
        ("slow", {"open": "slow", "prefixed": "slow"}),
        ("or/", {"open": "or/", "prefixed": "or/"}),
    ],
)
def test_plan(name: str, expected: dict[str, str]) -> None:
    plan = Catalogue(OFFERS).plan(name)
    assert [dict(step.upstream_names) for step in plan] == ([expected] if expected else [])


def test_listing_has_every_name_once_with_prefixes_and_found_ones() -> None:
    found = {"open": ["gpt-x", "gpt-x-preview"], "prefixed": ["llama"]}
    names = [model.name for model in Catalogue(OFFERS).listing(found)]
    assert names == ["gpt-x", "fast", "or/fast", "fast-2", "or/fast-2", "llama", "lo/llama"]


def test_near_names_are_allowed_ones() -> None:
    models = Catalogue(OFFERS).listing({})
    assert near("fsat", models, lambda _: True)[0] == "fast"
    assert near("fsat", models, lambda name: name.startswith("or/")) == ["or/fast"]
    assert near("zzzzzz", models, lambda _: True) == []


@pytest.mark.parametrize(
    ("name", "globs", "expected"),
    [
        ("GPT-4", ("gpt-*",), True),
        ("gpt-4", ("*4",), True),
        ("a", (), False),
        ("ab", ("a",), False),
        ("a.b", ("a?b",), True),
    ],
)
def test_globs(name: str, globs: tuple[str, ...], expected: bool) -> None:
    assert matches(name, globs) is expected
