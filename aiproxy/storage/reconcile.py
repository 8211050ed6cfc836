"""What a mirror and its remote must do to agree, document by document: pure.

A document here was made from one version there, its base. What changed since, on which side, decides:

    changed here   changed there   to do
    no             no              nothing
    no             yes             take theirs
    yes            no              give ours
    yes            yes             clash: theirs holds, ours is kept beside it
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What the mirror knows of one document."""

    base: str | None
    """The remote's version that this one was made from; None when the remote had none."""
    dirty: bool
    """Changed here, and not yet there."""


class Step(Enum):
    TAKE = auto()
    GIVE = auto()
    CLASH = auto()


def reconcile(here: Mapping[str, Mirrored], there: Mapping[str, str]) -> Iterator[tuple[str, Step]]:
    for name in sorted({*here, *there}):
        ours = here.get(name, Mirrored(base=None, dirty=False))
        changed_there = there.get(name) != ours.base
        if ours.dirty:
            yield name, Step.CLASH if changed_there else Step.GIVE
        elif changed_there:
            yield name, Step.TAKE
