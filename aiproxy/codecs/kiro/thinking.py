"""Thinking by tags: how a request asks for it before its instructions, and how an answer's text tells it apart.

Source: provider sheet kiro, section 8."""

import re
from collections.abc import Iterator
from typing import Final, Literal, TypeAlias

from aiproxy.codecs.reasoning import effort_of
from aiproxy.codecs.report import Report
from aiproxy.neutral.request import ReasoningConfig

LEAST_BUDGET: Final = 1024
MOST_BUDGET: Final = 24576
UNSAID_BUDGET: Final = 20000
"""Tokens."""

EFFORTS: Final = ("low", "medium", "high")

_ASKS: Final = ("<thinking_mode>", "<max_thinking_length>", "<thinking_effort>")

OPEN: Final = "<thinking>"
CLOSE: Final = "</thinking>"

_QUOTES: Final = "\"'`"
_BLANK_LINE: Final = ("\n\n", "\r\n\r\n")

MOST_BLANK: Final = 1024
"""Characters of white space before the first tag that are held back, so that no empty text comes before the thinking."""

Piece: TypeAlias = tuple[Literal["text", "thinking"], str]


def asked(config: ReasoningConfig, report: Report) -> str:
    """What stands before the instructions; "" where no thinking is asked for."""
    effort = effort_of(config)
    if effort == "none" and not (config.mode == "manual" and config.effort is None):
        return ""
    if config.mode in ("manual", "between_tools") or (config.budget_tokens is not None and config.budget_tokens >= 0):
        budget = config.budget_tokens if config.budget_tokens and config.budget_tokens > 0 else UNSAID_BUDGET
        fitted = min(max(budget, LEAST_BUDGET), MOST_BUDGET)
        if fitted != budget:
            report.clamp("reasoning.budget_tokens")
        return f"<thinking_mode>enabled</thinking_mode><max_thinking_length>{fitted}</max_thinking_length>"
    if effort is None and config.mode != "adaptive" and config.visibility in (None, "hidden"):
        return ""  # whoever wants to see thinking wants some
    word = "low" if effort == "minimal" else effort if effort in EFFORTS else "high"
    if effort not in (None, word):
        report.clamp("reasoning.effort")
    return f"<thinking_mode>adaptive</thinking_mode><thinking_effort>{word}</thinking_effort>"


def asks_itself(instructions: str) -> bool:
    """A client that writes the tags on its own has said what it wants."""
    return any(tag in instructions for tag in _ASKS)


class TaggedText:
    """One answer's text. Only its first thinking is told apart: what comes after its end is text, whatever it holds."""

    def __init__(self) -> None:
        self._held = ""
        self._state: Literal["before", "inside", "behind", "after"] = "before"
        self._last = ""  # the character before what is held
        self._blank = True  # no text came out yet
        self._skips_line = False  # the thinking begins after a line's end, which may be still to come

    def feed(self, text: str) -> Iterator[Piece]:
        self._held += text
        if self._state == "before":
            yield from self._before()
        if self._state == "inside":
            yield from self._inside()
        if self._state == "behind":
            self._behind()
        if self._state == "after":
            self._blank = False
            yield from self._said(len(self._held))

    def close(self) -> Iterator[Piece]:
        """A boundary: a tool call begins, or the answer ends. What is held comes out as what it must be."""
        if self._state == "inside":
            end = _unquoted(CLOSE, self._held, 0, self._last, at_end=True)
            if end is not None and not self._held[end + len(CLOSE) :].strip():
                if end:
                    yield "thinking", self._held[:end]
            elif self._held:
                yield "thinking", self._held
        else:
            yield from self._said(len(self._held))
        if self._state != "before":
            self._state = "after"
        self._held = ""

    def _before(self) -> Iterator[Piece]:
        start = _unquoted(OPEN, self._held, 0, self._last, at_end=False)
        if start is not None:
            yield from self._said(start)
            self._take(len(OPEN))
            self._state = "inside"
            self._skips_line = True
            return
        # A tag may be in the making, and what follows it tells whether it is one.
        ready = len(self._held) - _begun(OPEN, self._held)
        if not self._blank or self._held[:ready].strip() or ready > MOST_BLANK:
            yield from self._said(ready)

    def _inside(self) -> Iterator[Piece]:
        if self._skips_line:
            line = re.match(r"\r\n|\n", self._held)
            if not line and self._held in ("", "\r"):
                return
            self._take(line.end() if line else 0)
            self._skips_line = False
        at = 0
        while (end := _unquoted(CLOSE, self._held, at, self._last, at_end=True)) is not None:
            rest = self._held[end + len(CLOSE) :]
            if rest.startswith(_BLANK_LINE):
                if end:
                    yield "thinking", self._take(end)
                self._take(len(CLOSE))
                self._state = "behind"
                return
            if not rest.strip() and any(line.startswith(rest) for line in _BLANK_LINE):
                break  # what comes will tell
            at = end + 1
        ready = end if end is not None else len(self._held) - _begun(CLOSE, self._held)
        if ready > 0:
            yield "thinking", self._take(ready)

    def _behind(self) -> None:
        """The blank line after the end, which is whole."""
        line = next(line for line in _BLANK_LINE if self._held.startswith(line))
        self._take(len(line))
        self._state = "after"

    def _said(self, size: int) -> Iterator[Piece]:
        """White space says nothing where no text was before it."""
        text = self._take(size)
        if text and (text.strip() or not self._blank or size > MOST_BLANK):
            self._blank = False
            yield "text", text

    def _take(self, size: int) -> str:
        taken, self._held = self._held[:size], self._held[size:]
        self._last = taken[-1:] or self._last
        return taken


def _unquoted(tag: str, text: str, start: int, before: str, *, at_end: bool) -> int | None:
    """Where the tag stands without a quote beside it. `before` is the character before the text; `at_end`: the tag counts
    although nothing follows it yet."""
    while (found := text.find(tag, start)) >= 0:
        end = found + len(tag)
        if end == len(text) and not at_end:
            return None
        beside = (text[found - 1] if found else before) + text[end : end + 1]
        if not any(quote in beside for quote in _QUOTES):
            return found
        start = found + 1
    return None


def _begun(tag: str, text: str) -> int:
    """How many characters at the end may be a tag, or one whose next character isn't there yet."""
    return next((size for size in range(len(tag), 0, -1) if text.endswith(tag[:size])), 0)
