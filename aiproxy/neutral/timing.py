"""How long an answer took, for the protocols that tell."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. `before`: from the client's request to ours; `waiting`: until the first word; `telling`: until the last."""

    before: float
    waiting: float
    telling: float

    @property
    def total(self) -> float:
        return self.before + self.waiting + self.telling
