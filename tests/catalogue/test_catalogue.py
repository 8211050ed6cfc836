"""Names → plans and lists, as a table."""

import pytest

from aiproxy.catalogue import Alias, Catalogue, Offer, Served, known_provider, named
from aiproxy.catalogue.catalogue import near
from aiproxy.catalogue.globs import matches

ANY = ("*",)
FAST = Alias("vendor/fast-1", "fast")
OFFERS = (
    Offer("open", "openai", {}, ANY, excluded=("*-preview",)),
    Offer("listed", "router", named([FAST, Alias("fast-2")]), prefix="or"),
    Offer("prefixed", "local", {}, ANY, prefix="lo"),
    Offer("picky", "router", named([FAST, Alias("vendor/slow", "slow")]), excluded=("vendor/SLOW",)),
)


def names(catalogue: Catalogue, name: str, provider: str = "") -> dict[str, tuple[str, ...]]:
    """Who would be asked, and for what."""
    return {
        account: tuple(model.name for model in served)
        for step in catalogue.plan(name, provider)
        for account, served in step.served.items()
    }


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
    assert names(Catalogue(OFFERS), name) == {account: (model,) for account, model in expected.items()}


def test_a_prefix_may_be_the_only_way() -> None:
    forced = Catalogue(OFFERS, force_prefix=True)
    assert names(forced, "fast") == {"picky": ("vendor/fast-1",)}
    assert names(forced, "or/fast") == {"listed": ("vendor/fast-1",)}
    assert [model.name for model in forced.listing({})] == ["or/fast", "or/fast-2", "fast"]


@pytest.mark.parametrize(
    ("name", "provider", "accounts"),
    [
        ("fast", "", {"listed", "picky"}),
        ("gpt-x", "", {"open", "prefixed"}),
        ("lo/x", "", {"prefixed"}),
        ("fast", "local", {"prefixed"}),
        ("gpt-x", "auto", {"open", "prefixed"}),
        ("gpt-x", "router", set()),
    ],
)
def test_the_default_provider_serves_what_it_offers(name: str, provider: str, accounts: set[str]) -> None:
    assert set(names(Catalogue(OFFERS, default="router"), name, provider)) == accounts


def test_an_open_default_provider_serves_all() -> None:
    assert set(names(Catalogue(OFFERS, default="openai"), "fast")) == {"open"}
    assert set(names(Catalogue(OFFERS, default="openai"), "fast", "auto")) == {"listed", "picky"}


def test_listing_has_every_name_once_with_prefixes_and_found_ones() -> None:
    found = {"open": ["gpt-x", "gpt-x-preview"], "prefixed": ["llama"]}
    listed = [model.name for model in Catalogue(OFFERS).listing(found)]
    assert listed == ["gpt-x", "fast", "or/fast", "fast-2", "or/fast-2", "llama", "lo/llama"]


def test_a_listing_of_one_provider_has_its_names_alone() -> None:
    catalogue = Catalogue(OFFERS)
    of_router = [model.name for model in catalogue.listing({"open": ["gpt-x"]}, "router")]
    assert of_router
    assert all(names(catalogue, name, "router") for name in of_router)
    assert catalogue.listing({}, "auto") == catalogue.listing({})


def test_near_names_are_allowed_ones() -> None:
    models = Catalogue(OFFERS).listing({})
    assert near("fsat", models, lambda _: True)[0] == "fast"
    assert near("fsat", models, lambda name: name.startswith("or/")) == ["or/fast"]
    assert near("zzzzzz", models, lambda _: True) == []


@pytest.mark.parametrize(
    ("aliases", "expected"),
    [
        ([Alias("a")], {"a": ["a"]}),
        ([Alias("a", "x")], {"x": ["a"]}),
        ([Alias("a", "x", fork=True)], {"x": ["a"], "a": ["a"]}),
        ([Alias("a", "x"), Alias("b", "x"), Alias("c", "x")], {"x": ["a", "b", "c"]}),
        ([Alias("a", "x"), Alias("a", "x")], {"x": ["a"]}),
        ([Alias("a", "x", fork=True), Alias("b", "a")], {"x": ["a"], "a": ["a", "b"]}),
        ([Alias("a", "a", fork=True)], {"a": ["a"]}),
    ],
)
def test_names_of_a_list(aliases: list[Alias], expected: dict[str, list[str]]) -> None:
    assert {name: [model.name for model in served] for name, served in named(aliases).items()} == expected


def test_only_the_alias_is_forced_not_the_name_beside_it() -> None:
    found = named([Alias("a", "x", fork=True, forced=True)])
    assert found == {"x": (Served("a", forced=True),), "a": (Served("a"),)}


@pytest.mark.parametrize(
    ("fork", "expected"),
    [(False, {"smart": "big", "x": "x"}), (True, {"smart": "big", "big": "big", "x": "x"})],
)
def test_an_alias_for_a_whole_provider(fork: bool, expected: dict[str, str]) -> None:
    """Of an account that passes any name on, and of one with a list, whose own aliases it may rename further."""
    catalogue = Catalogue([Offer("open", "openai", {}, ANY).renamed([Alias("big", "smart", fork)])])
    assert {name: names(catalogue, name).get("open", ("",))[0] for name in ("smart", "big", "x")} == {
        "big": "",
        **expected,
    }
    offer = Offer("listed", "openai", named([Alias("vendor/big", "big"), Alias("x")])).renamed(
        [Alias("big", "smart", fork)]
    )
    assert {name: served[0].name for name, served in offer.models.items()} == {
        name: {"big": "vendor/big"}.get(model, model) for name, model in expected.items()
    }


def test_an_alias_of_what_is_not_offered_changes_nothing() -> None:
    offer = Offer("listed", "openai", named([Alias("x")]))
    assert offer.renamed([Alias("big", "smart")]) == offer


def test_several_names_under_one_alias_of_a_provider() -> None:
    offer = Offer("open", "openai", {}, ANY).renamed([Alias("a", "x"), Alias("b", "x")])
    assert [model.name for model in offer.listed("x")] == ["a", "b"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("OpenAI", "openai"),
        ("Open Router", "open-router"),
        ("openai-custom", "openai"),
        ("gemini-cli-oauth", ""),
        ("AUTO", "auto"),
        ("", ""),
    ],
)
def test_providers_by_any_spelling(name: str, expected: str) -> None:
    assert known_provider(name, ["openai", "open-router"]) == expected


def test_a_provider_of_that_very_name_goes_before_what_others_call_ours() -> None:
    assert known_provider("openai-custom", ["openai", "openai-custom"]) == "openai-custom"


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


def test_previews_are_known_by_their_names() -> None:
    models = [Alias("pro"), Alias("pro-preview-06-05"), Alias("flash-preview"), Alias("pro-preview"), Alias("mini")]
    assert Offer("a", "p", named(models), excluded=("pro-preview",)).previews == {
        "pro": ["pro-preview-06-05"],
        "flash": ["flash-preview"],
    }
