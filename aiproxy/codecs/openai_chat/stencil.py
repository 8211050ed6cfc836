"""Chunks that differ from one that was read in nothing but their text. Pure.

A model's answer is hundreds of chunks of the same bytes around a few new characters each. Where they are the same bytes, the
chunk need not be parsed: a string without a quote, a backslash or a control character in it can stand in place of another in
any JSON, and changes no other value."""

from typing import Any, NamedTuple

import orjson

LEARNT = 16
"""How often a stream may change what stands around its text. OpenAI's own pads each chunk to a length of its own."""

_QUOTE, _BACKSLASH = b'"'[0], b"\\"[0]
_PLAIN = frozenset({"id", "object", "created", "model", "choices", "usage", "service_tier", "obfuscation"})


class Continuation(NamedTuple):
    """What a chunk says that brings nothing but more of one choice: which, the delta's field, and what is in it."""

    choice: int
    kind: str
    text: str


def continuation(chunk: dict[str, Any]) -> Continuation | None:
    """By far the most frequent chunk, read fast; None for every other."""
    try:
        (choice,) = chunk["choices"]
        ((kind, text),) = choice["delta"].items()
        index, finish, logprobs = choice["index"], choice.get("finish_reason"), choice.get("logprobs")
    except (LookupError, TypeError, ValueError, AttributeError):
        return None
    if finish or logprobs or chunk.get("usage") or type(index) is not int or type(text) is not str or not text:
        return None
    return Continuation(index, kind, text) if _PLAIN.issuperset(chunk) else None


class Stencil:
    """`choice` and `kind` are those of the chunk it was learnt from; no kind, nothing learnt. `left`: how often it still learns."""

    __slots__ = ("_after", "_before", "choice", "kind", "left")

    def __init__(self) -> None:
        self._before = self._after = b""
        self.left = LEARNT
        self.choice, self.kind = 0, ""

    def read(self, data: bytes) -> str:
        """The text of a chunk that is the same but for it; empty where the chunk must be parsed."""
        if not (self.kind and data.startswith(self._before) and data.endswith(self._after)):
            return ""
        inner = data[len(self._before) : -len(self._after)]
        if _QUOTE in inner or _BACKSLASH in inner:
            return ""
        try:
            text = inner.decode()
        except UnicodeDecodeError:
            return ""
        return text if text.isprintable() else ""

    def learn(self, data: bytes, found: Continuation) -> None:
        """What stands around the text of a chunk that was parsed, if the same bytes with another text say that other text."""
        text = found.text
        if not self.left or not text.isprintable() or '"' in text or "\\" in text:
            return
        self.left -= 1
        before, quoted, after = data.rpartition(b'"%b"' % text.encode())
        before, after = before + b'"', b'"' + after
        probe = found._replace(text="?" if text != "?" else "!")
        try:
            same = quoted and continuation(orjson.loads(before + probe.text.encode() + after)) == probe
        except orjson.JSONDecodeError:
            return
        if same:
            self._before, self._after = before, after
            self.choice, self.kind = found.choice, found.kind
