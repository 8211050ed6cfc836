"""What a call goes through until somebody answers: the accounts for its model, and after them those that stand in. Values
only.

In order: the provider asked for (of several, those that stand in for another come after it), the previews of the same model
at the same accounts, the providers of `provider-fallback-chain`, then the models of `model-fallback` in the same way."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from aiproxy.catalogue import Served
from aiproxy.neutral.errors import ContextLength, GatewayError, RateLimited
from aiproxy.pools.affinity import Candidate

MOST_STAGES = 16
"""Stages of one call: chains are a few links long, and whoever has failed sixteen times fails."""


class Because(StrEnum):
    """Why a stage is there."""

    ASKED = "asked"
    PREVIEW = "preview"
    PROVIDER = "provider-fallback"
    MODEL = "model-fallback"


@dataclass(frozen=True, slots=True)
class Stage:
    """Candidates that can stand in for one another. `model` is the name by which clients ask for it; one that is `longer` is
    entered also when the request was too long for those before."""

    candidates: Mapping[Candidate, Served]
    model: str
    because: Because = Because.ASKED
    longer: bool = False

    def helps(self, error: GatewayError) -> bool:
        """Whether it may do better than those that ended with this error."""
        if isinstance(error, ContextLength):
            return self.longer
        return self.because is not Because.PREVIEW or isinstance(error, RateLimited)


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """`chain` is by provider, `models` by the name clients use; `too_long` says of such a name whether the request's length
    is a reason too. `previews` is by account, then by the upstream's name."""

    chain: Mapping[str, Sequence[str]] = field(default_factory=dict)
    models: Mapping[str, Sequence[str]] = field(default_factory=dict)
    too_long: Callable[[str], bool] = lambda _model: False
    previews: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Offered:
    """What an account of a provider serves a model as."""

    account: str
    served: Served
    provider: str


Offers = Callable[[str, str], Sequence[Offered]]
"""(model, provider or "") → who can serve it, in the order of the configuration."""


def stages(
    model: str, provider: str, offers: Offers, fallbacks: Fallbacks, may_use: Callable[[str], bool]
) -> Sequence[Stage]:
    """Everything that may be tried for a model, in order; nothing when nobody offers it. No candidate comes twice."""
    offered = offers(model, provider)
    if not offered:
        return ()
    if not (fallbacks.chain or fallbacks.models or fallbacks.previews):
        return (Stage(_candidates(offered), model),)
    found: list[Stage] = []
    seen: set[Candidate] = set()
    for name, longer in _models(model, fallbacks, may_use):
        at_first = offered if name == model else offers(name, "")
        for stage in _of_model(name, at_first, Because.ASKED if name == model else Because.MODEL, offers, fallbacks):
            fresh = {candidate: served for candidate, served in stage.candidates.items() if candidate not in seen}
            if fresh and len(found) < MOST_STAGES:
                seen.update(fresh)
                found.append(Stage(fresh, name, stage.because, longer))
    return found


def _models(model: str, fallbacks: Fallbacks, may_use: Callable[[str], bool]) -> Iterator[tuple[str, bool]]:
    """The model and those that stand in for it, over several links, each once; and whether they do for long requests."""
    waiting = [(model, False)]
    met = {model}
    while waiting:
        name, longer = waiting.pop(0)
        yield name, longer
        for following in fallbacks.models.get(name, ()):
            if following not in met and may_use(following):
                met.add(following)
                waiting.append((following, fallbacks.too_long(name)))


def _of_model(
    model: str, offered: Sequence[Offered], because: Because, offers: Offers, fallbacks: Fallbacks
) -> Iterator[Stage]:
    stand_ins = {target for each in offered for target in _chain(each.provider, fallbacks)}
    first = [each for each in offered if each.provider not in stand_ins] or list(offered)
    yield Stage(_candidates(first), model, because)
    previews = [
        Offered(each.account, Served(preview, each.served.forced), each.provider)
        for each in first
        for preview in fallbacks.previews.get(each.account, {}).get(each.served.name, ())
    ]
    if previews:
        yield Stage(_candidates(previews), model, Because.PREVIEW)
    for target in dict.fromkeys(target for each in first for target in _chain(each.provider, fallbacks)):
        yield Stage(
            _candidates(offers(model, target)), model, Because.PROVIDER if because is Because.ASKED else because
        )


def _chain(provider: str, fallbacks: Fallbacks) -> Sequence[str]:
    """The providers that stand in for one, over several links, each once."""
    found: list[str] = []
    waiting = list(fallbacks.chain.get(provider, ()))
    while waiting:
        target = waiting.pop(0)
        if target != provider and target not in found:
            found.append(target)
            waiting += fallbacks.chain.get(target, ())
    return found


def _candidates(offered: Sequence[Offered]) -> Mapping[Candidate, Served]:
    return {(each.account, each.served.name): each.served for each in offered}
