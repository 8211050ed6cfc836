"""A JSON array of objects that arrives piece by piece: Gemini's `streamGenerateContent` without `alt=sse`.

Each object is a frame as soon as its last brace is there, not when the next comma comes. An object in place of the array is one
frame: upstreams answer so with an error, or with a whole answer where a stream was asked. Only strings, escapes and depth are
followed; whether an object is good JSON its reader will find out."""

import re
from collections.abc import Sequence
from typing import Final

from aiproxy.framing.frames import MAX_FRAME_BYTES, Frame, check_size
from aiproxy.neutral.errors import UpstreamFailed, UpstreamTruncated

_START, _FIRST, _NEXT, _MORE, _END = b"[{", b"{]", b"{", b",]", b""
"""Where we are between two objects: the bytes that may come next, white space aside."""

_QUOTE, _BACKSLASH = b'"'[0], b"\\"[0]

_NO_SPACE: Final = re.compile(rb"[^ \t\r\n]")
_NEXT_BRACKET: Final = re.compile(rb'(?s)(?:[^"\[\]{}]++|"(?:[^"\\]++|\\.)*+")*+(?:(")|([\[{])|([\]}]))')
"""Over text and whole strings to the next bracket, or to the quote of a string whose end has not come."""

_OPENS, _CLOSES = 2, 3  # groups of the pattern above; the first is the quote


class JsonArrayFramer:
    """`pending` is the object that has not ended; brackets, commas and white space between objects hold nothing back."""

    __slots__ = ("_depth", "_expected", "_in_array", "_in_string", "_limit", "_scanned", "_text")

    def __init__(self, limit: int = MAX_FRAME_BYTES) -> None:
        self._limit = limit
        self._expected = _START
        self._in_array = False
        self._text = bytearray()  # from the first brace of the open object
        self._scanned = 0  # bytes of it that were looked at
        self._depth = 0  # 0 between objects
        self._in_string = False

    @property
    def pending(self) -> int:
        return len(self._text)

    def feed(self, data: bytes) -> Sequence[Frame]:
        frames: list[Frame] = []
        self._text += data
        start, at = 0, self._scanned
        while at < len(self._text):
            if self._depth:
                at = self._inside(at)
                if not self._depth:
                    check_size(at - start, self._limit)
                    frames.append(Frame("", bytes(self._text[start:at])))
                    self._expected = _MORE if self._in_array else _END
            else:
                at = self._between(at)
                start = at - 1
        if self._depth:
            del self._text[:start]
            check_size(len(self._text), self._limit)
            self._scanned = at - start
        else:
            self._text.clear()
            self._scanned = 0
        return frames

    def close(self) -> Sequence[Frame]:
        """A missing `]` is no loss: whether the answer is complete, its last object says."""
        if self._text:
            raise UpstreamTruncated("The upstream's stream ended inside a JSON object.")
        return ()

    def _between(self, at: int) -> int:
        """Reads one of the bytes between two objects, or the first brace of the next."""
        found = _NO_SPACE.search(self._text, at)
        if found is None:
            return len(self._text)
        at = found.start()
        byte = self._text[at]
        if byte not in self._expected:
            raise UpstreamFailed(
                f"The upstream's answer is not a JSON array of objects: {chr(byte)!r} is out of place."
            )
        match chr(byte):
            case "{":
                self._depth = 1
            case "[":
                self._expected, self._in_array = _FIRST, True
            case ",":
                self._expected = _NEXT
            case _:
                self._expected = _END
        return at + 1

    def _inside(self, at: int) -> int:
        """Reads up to the end of the object, or of the string it stands in, as far as either has come."""
        if self._in_string:
            quote = self._text.find(_QUOTE, at)
            if quote < 0:
                return len(self._text)
            self._in_string = self._is_escaped(quote)
            return quote + 1
        while found := _NEXT_BRACKET.match(self._text, at):
            at = found.end()
            if found.lastindex == _OPENS:
                self._depth += 1
            elif found.lastindex == _CLOSES:
                self._depth -= 1
                if not self._depth:
                    return at
            else:
                self._in_string = True
                return at
        return len(self._text)

    def _is_escaped(self, quote: int) -> bool:
        start = quote
        while self._text[start - 1] == _BACKSLASH:
            start -= 1
        return (quote - start) % 2 == 1
