"""Secrets that can't be printed, and the scrubber that keeps them out of text that leaves the process.

What belongs here: the `Secret` type and `Scrubber`. Where secrets come from (`config`, `credentials`) does not.
"""

import hmac
import re
from collections.abc import Iterable

MASK = "[secret]"

SHORTEST_SCRUBBED = 6
"""Characters. A shorter secret would blank out ordinary words; loading one as a client key is a warning."""


class Secret:
    """Text that shows itself only to who asks by name: `reveal()`. Not printable, picklable or comparable by accident."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        return self._text

    def matches(self, candidate: str) -> bool:
        """Compare in a time that depends on the candidate alone."""
        return hmac.compare_digest(self._text.encode(), candidate.encode("utf-8", "surrogateescape"))

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self.matches(other._text)

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __repr__(self) -> str:
        return "Secret()"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not serialised; reveal() it where it is needed")


class Scrubber:
    """Replaces every known secret in a text by `[secret]`. Longest first, so that one inside another leaves nothing."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        texts = {s.reveal() for s in secrets if len(s.reveal()) >= SHORTEST_SCRUBBED}
        longest_first = sorted(texts, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None

    def __call__(self, text: str) -> str:
        return self._pattern.sub(MASK, text) if self._pattern else text
