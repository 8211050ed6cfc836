"""What one answer used, in disjoint buckets, and the two sums that protocols derive from them. Translation sheet §12."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens. Disjoint: nothing is counted in two buckets. None means nobody said, which is not zero."""

    input_uncached: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    output_visible: int | None = None
    reasoning: int | None = None

    @property
    def input_total(self) -> int | None:
        """Everything the model read: the OpenAI and Gemini view of input."""
        return _sum(self.input_uncached, self.cache_read, self.cache_write)

    @property
    def output_total(self) -> int | None:
        """Everything the model wrote, thinking included."""
        return _sum(self.output_visible, self.reasoning)


def _sum(first: int | None, *rest: int | None) -> int | None:
    return None if first is None else first + sum(part or 0 for part in rest)
