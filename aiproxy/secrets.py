"""Secrets that can't be printed, and the scrubber that keeps them out of text that leaves the process.

What belongs here: the `Secret` type, `digest` and `Scrubber`. Where secrets come from (`config`, `credentials`) does not.
"""

import hmac
import re
from collections.abc import Iterable
from hashlib import sha256

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


def digest(*parts: str) -> str:
    """What names these secrets without telling them, the same in every process."""
    return sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


class Scrubber:
    """Replaces every known secret in a text by `[secret]`. Longest first, so that one inside another leaves nothing.

    Its time doesn't grow with the number of secrets: they are looked up by their first characters, only in runs without
    blanks that are long enough to hold one, and there only where each character is one that some secret has at its place.
    The rare secret with a blank in it is looked for everywhere."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        texts = {s.reveal() for s in secrets if len(s.reveal()) >= SHORTEST_SCRUBBED}
        longest_first = sorted(texts, key=len, reverse=True)
        blank = [text for text in longest_first if re.search(r"[\s\0]", text)]
        solid = [text for text in longest_first if not re.search(r"[\s\0]", text)]
        self._blank = re.compile("|".join(map(re.escape, blank))) if blank else None
        self._shortest = min(map(len, solid), default=0)
        self._runs = re.compile(rf"[^\s\0]{{{self._shortest},}}") if solid else None
        self._by_head: dict[str, list[str]] = {}
        heads = zip(*(text[:SHORTEST_SCRUBBED] for text in solid), strict=True)
        self._heads = re.compile("(?=" + "".join(f"[{re.escape(''.join(set(column)))}]" for column in heads) + ")")
        for text in solid:
            self._by_head.setdefault(text[:SHORTEST_SCRUBBED], []).append(text)

    def __call__(self, text: str) -> str:
        if self._blank:
            text = self._blank.sub(MASK, text)
        if self._runs is None or self._heads.search(text) is None:  # nearly every text
            return text
        return self._runs.sub(self._masked, text)

    def _masked(self, match: re.Match[str]) -> str:
        run, kept, parts = match[0], 0, list[str]()
        for found in self._heads.finditer(run):
            place = found.start()
            if place < kept:
                continue
            for secret in self._by_head.get(run[place : place + SHORTEST_SCRUBBED], ()):
                if run.startswith(secret, place):
                    parts += (run[kept:place], MASK)
                    kept = place + len(secret)
                    break
        return "".join((*parts, run[kept:])) if parts else run
