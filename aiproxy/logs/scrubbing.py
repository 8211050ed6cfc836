"""Keeps secrets out of text: those we know, and what is shaped like one.

The shapes are a second net, for what passes by without having been loaded: a client's mistyped key, a header in a
library's message, a token an upstream sends back."""

import base64
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

import orjson

from aiproxy.secrets import MASK, SHORTEST_SCRUBBED, Scrubber, Secret

SHORTEST_ENCODED = 16
"""Characters. Base64 of a shorter secret leaves too few that don't depend on its neighbours."""

LONGEST_TEXT = 16_384
"""Characters of one string: a traceback fits, a request's body doesn't belong in a log."""

RECURRING_KEPT = 1024
"""Texts. Those of the access log are as many as there are clients times models in use; half a megabyte at most."""

_RUN = r"[A-Za-z0-9._~+/=-]"
_VALUE = r"[^\s\0\"'&;,<>()\[\]{}\\|]"
_COLON = r"(?:['\"]?\s*:\s*[\[(]?\s*b?['\"]?|['\"],\s*[\[(]?\s*b?['\"])"
"""Between a header's name and its value: as sent, or in the repr of a mapping or of a pair."""

_SHAPES: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    # Words of which one must be there (in lower case: looking for them first is cheap); the shape; what replaces it.
    (
        ("bearer", "basic"),
        re.compile(rf"\b(Bearer|Basic)(\s+|%20|\+){_RUN}{{6,}}", re.IGNORECASE),
        rf"\1\2{MASK}",
    ),
    (
        ("authorization", "cookie"),
        re.compile(
            rf"\b((?:authorization|cookie){_COLON})(?!Bearer\b|Basic\b)[^\s\0\"'\])}}][^\r\n\0\"'\])}}]*", re.IGNORECASE
        ),
        rf"\1{MASK}",
    ),
    (
        ("api-key",),
        re.compile(rf"((?<![\w-])(?:x-(?:goog-)?)?api-key{_COLON}){_VALUE}{{8,}}", re.IGNORECASE),
        rf"\1{MASK}",
    ),
    (
        ("=",),
        re.compile(rf"(?<![A-Za-z0-9])((?:api_?)?key|(?:\w+_)?(?:token|secret)|password)={_VALUE}+", re.IGNORECASE),
        rf"\1={MASK}",
    ),
    (("=",), re.compile(rf"([?&]code=){_VALUE}+", re.IGNORECASE), rf"\1{MASK}"),  # of an OAuth callback
    (("://",), re.compile(r"(://[^\s/@:\"']*:)[^\s/@\"']+@"), rf"\1{MASK}@"),
    (
        ("sk-", "gsk_", "aiza", "ya29.", "nvapi-"),
        re.compile(rf"(?<![A-Za-z0-9])(?:sk-|gsk_|AIza|ya29\.|nvapi-){_RUN}{{6,}}"),
        MASK,
    ),
    (("eyj",), re.compile(r"(?<![A-Za-z0-9])eyJ[\w-]{6,}\.[\w-]+(?:\.[\w-]*)?"), MASK),  # a JSON Web Token
)


class Scrubbing:
    """What every string passes on its way out. The scrubber may be replaced at any time: a reload brings new secrets. Those that
    came since are in `fresh`: building the whole anew takes seconds where there are ten thousand accounts."""

    __slots__ = ("_fresh", "_recurring", "_scrubber")

    def __init__(self, scrubber: Scrubber | None = None) -> None:
        self.scrubber = scrubber or Scrubber()

    @property
    def scrubber(self) -> Scrubber:
        return self._scrubber

    @scrubber.setter
    def scrubber(self, scrubber: Scrubber) -> None:
        self._scrubber = scrubber
        self._fresh: Scrubber | None = None
        self._recurring: dict[str, str] = {}

    def add(self, fresh: Scrubber) -> None:
        """Look for these, too, instead of those that were added before."""
        self._fresh = fresh
        self._recurring = {}

    def recurring(self, text: str) -> str:
        """The same for a text that is likely to come again, which is looked at once."""
        cleaned = self._recurring.get(text)
        if cleaned is None:
            if len(self._recurring) >= RECURRING_KEPT:
                self._recurring.clear()
            cleaned = self._recurring[text] = self(text)
        return cleaned

    def clean(self, text: str) -> str:
        """Scrubbed first, then cut: half a secret is one too. What isn't Unicode is escaped."""
        text = self(text)
        if len(text) > LONGEST_TEXT:
            text = f"{text[:LONGEST_TEXT]}… ({len(text) - LONGEST_TEXT} characters more)"
        return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()

    def __call__(self, text: str) -> str:
        text = self._scrubber(text)
        if self._fresh is not None:
            text = self._fresh(text)
        lowered = text.lower()
        for words, shape, replacement in _SHAPES:
            for word in words:
                if word in lowered:
                    text = shape.sub(replacement, text)
                    break
        return text


def spellings(secrets: Iterable[Secret]) -> Iterator[Secret]:
    """Each secret, and the forms in which it may turn up: percent-encoded, in JSON, in a repr, in somebody's base64.

    `Scrubber(spellings(secrets))` knows them all."""
    for secret in secrets:
        text = secret.reveal()
        if len(text) >= SHORTEST_SCRUBBED:
            forms = {text, quote(text), quote(text, safe=""), quote_plus(text)}
            forms |= {repr(text)[1:-1], orjson.dumps(text)[1:-1].decode()}
            if len(text) >= SHORTEST_ENCODED:
                forms.update(_base64_cores(text.encode()))
            yield from map(Secret, forms)


def _base64_cores(data: bytes) -> Iterator[str]:
    """The characters that are the same in every base64 text with `data` in it, for each of the three ways it may lie."""
    for before in range(3):
        bits_before, bits = 8 * before, 8 * (before + len(data))
        yield base64.b64encode(bytes(before) + data).decode()[-(-bits_before // 6) : bits // 6]
