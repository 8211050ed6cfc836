"""(model, provider, who offers what, who stands in) → the stages, in order."""

from collections.abc import Callable, Mapping, Sequence

import pytest

from aiproxy.catalogue import Served
from aiproxy.gateway.stages import MOST_STAGES, Because, Fallbacks, Offered, Stage, stages
from aiproxy.neutral import errors

OFFERS: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "pro": [("g1", "gemini-pro", "gemini"), ("g2", "gemini-pro", "gemini"), ("v1", "gemini-pro-001", "vertex")],
    "opus": [("c1", "claude-opus", "claude"), ("r1", "anthropic/opus", "router")],
    "mini": [("o1", "gpt-mini", "openai")],
}


def offers(model: str, provider: str) -> Sequence[Offered]:
    found = [Offered(account, Served(name), at) for account, name, at in OFFERS.get(model, ())]
    return [each for each in found if provider in ("", each.provider)]


def told(
    model: str, fallbacks: Fallbacks, provider: str = "", may_use: Callable[[str], bool] = lambda _: True
) -> list[tuple[str, str, list[str]]]:
    found = stages(model, provider, offers, fallbacks, may_use)
    return [(s.because, s.model, [f"{account}/{name}" for account, name in s.candidates]) for s in found]


G = ["g1/gemini-pro", "g2/gemini-pro"]
V = ["v1/gemini-pro-001"]
C, R, M = ["c1/claude-opus"], ["r1/anthropic/opus"], ["o1/gpt-mini"]


@pytest.mark.parametrize(
    ("model", "provider", "fallbacks", "expected"),
    [
        ("pro", "", Fallbacks(), [("asked", "pro", G + V)]),
        ("pro", "gemini", Fallbacks(), [("asked", "pro", G)]),
        ("nobody's", "", Fallbacks(models={"nobody's": ["pro"]}), []),
        # a provider that stands in for another comes after it, also where both offer the model
        ("pro", "", Fallbacks({"gemini": ["vertex"]}), [("asked", "pro", G), ("provider-fallback", "pro", V)]),
        ("pro", "gemini", Fallbacks({"gemini": ["vertex"]}), [("asked", "pro", G), ("provider-fallback", "pro", V)]),
        ("pro", "vertex", Fallbacks({"gemini": ["vertex"]}), [("asked", "pro", V)]),
        # only to providers that offer the model; over several links
        ("pro", "gemini", Fallbacks({"gemini": ["claude", "router"]}), [("asked", "pro", G)]),
        ("pro", "gemini", Fallbacks({"gemini": ["claude"], "claude": ["vertex"]}),
         [("asked", "pro", G), ("provider-fallback", "pro", V)]),
        # models, each with its own providers' chain, and theirs
        ("pro", "gemini", Fallbacks({"claude": ["router"]}, {"pro": ["opus", "mini"]}),
         [("asked", "pro", G), ("model-fallback", "opus", C), ("model-fallback", "opus", R), ("model-fallback", "mini", M)]),
        ("pro", "", Fallbacks(models={"pro": ["opus"], "opus": ["mini"]}),
         [("asked", "pro", G + V), ("model-fallback", "opus", C + R), ("model-fallback", "mini", M)]),
        # a loop ends
        ("pro", "gemini", Fallbacks({"gemini": ["vertex"], "vertex": ["gemini"]}, {"pro": ["opus"], "opus": ["pro"]}),
         [("asked", "pro", G), ("provider-fallback", "pro", V), ("model-fallback", "opus", C + R)]),
        # previews, at the same accounts, where they have one
        ("pro", "", Fallbacks({"gemini": ["vertex"]}, previews={"g2": {"gemini-pro": ["gemini-pro-preview"]}}),
         [("asked", "pro", G), ("preview", "pro", ["g2/gemini-pro-preview"]),
          ("provider-fallback", "pro", V)]),
    ],
)  # fmt: skip
def test_the_stages(
    model: str, provider: str, fallbacks: Fallbacks, expected: list[tuple[str, str, list[str]]]
) -> None:
    assert told(model, fallbacks, provider) == expected


def test_only_models_that_the_client_may_use_stand_in() -> None:
    fallbacks = Fallbacks(models={"pro": ["opus", "mini"]})
    assert [model for _, model, _ in told("pro", fallbacks, may_use=lambda name: name != "opus")] == ["pro", "mini"]


def test_however_long_the_chain_it_ends() -> None:
    fallbacks = Fallbacks(models={f"m{number}": [f"m{number + 1}"] for number in range(100)})

    def anyone(model: str, _provider: str) -> Sequence[Offered]:
        return [Offered("a", Served(model), "p")]

    assert len(stages("m0", "", anyone, fallbacks, lambda _: True)) == MOST_STAGES


@pytest.mark.parametrize(
    ("stage", "error", "helps"),
    [
        (Stage({}, "m", Because.PROVIDER), errors.RateLimited("x"), True),
        (Stage({}, "m", Because.PROVIDER), errors.ContextLength("x"), False),
        (Stage({}, "m", Because.MODEL, longer=True), errors.ContextLength("x"), True),
        (Stage({}, "m", Because.PREVIEW), errors.QuotaExhausted("x"), True),
        (Stage({}, "m", Because.PREVIEW), errors.Overloaded("x"), False),
    ],
)
def test_which_failure_a_stage_is_for(stage: Stage, error: errors.GatewayError, helps: bool) -> None:
    assert stage.helps(error) is helps


def test_a_model_stands_in_for_long_requests_where_that_is_said_of_the_one_before() -> None:
    fallbacks = Fallbacks(models={"pro": ["opus"], "opus": ["mini"]}, too_long=lambda name: name == "pro")
    assert [stage.longer for stage in stages("pro", "", offers, fallbacks, lambda _: True)] == [False, True, False]
