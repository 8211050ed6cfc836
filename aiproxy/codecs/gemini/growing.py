"""What a decoder remembers of a candidate while its pieces come."""

from dataclasses import dataclass, field, replace

from aiproxy.neutral.carried import Json
from aiproxy.neutral.parts import Part, ReasoningPart, TextPart, TokenLogprob


@dataclass(slots=True)
class OpenPart:
    """The part that may still grow. `part` lacks what the fragments bring."""

    index: int
    part: Part
    fragments: list[str] = field(default_factory=list)
    logprobs: list[TokenLogprob] = field(default_factory=list)
    sealed: bool = False

    def whole(self) -> Part:
        said = "".join(self.fragments)
        match self.part:
            case TextPart():
                return replace(self.part, text=said, logprobs=tuple(self.logprobs) or None)
            case ReasoningPart(text="") if said:
                return replace(self.part, summaries=(said,))
            case _:
                return self.part


@dataclass(slots=True)
class GrowingCandidate:
    index: int
    count: int = 0
    open: OpenPart | None = None
    kinds: list[Part] = field(default_factory=list)
    """One finished or open part of each kind there was: what the end is judged by."""
    signed: bool = False
    """Whether some call has its signature: later ones of the step have none."""
    word: Json = None
    own: dict[str, Json] = field(default_factory=dict)
