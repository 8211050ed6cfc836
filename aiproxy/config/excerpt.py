"""The line under a syntax error, with a caret, showing structure and our own words only.

A line that isn't YAML may hold a key anywhere, so every word that isn't the name of a setting is dotted out, letter for
letter: the caret still points where it should.
"""

import re

from aiproxy.config.names import VOCABULARY

WIDEST = 100
"""Characters of a line that are shown, so that a file of one long line doesn't fill the screen."""

_WORD = re.compile(r"[^\s:{}\[\],\"'#&*!|>%@`-](?:[^\s:{}\[\],\"'#]*[^\s:{}\[\],\"'#-])?")


def excerpt(text: str, line: int, column: int) -> tuple[str, ...]:
    """Empty when the place is beyond the text."""
    lines = text.splitlines()
    if not 0 < line <= len(lines):
        return ()
    first = max(0, column - WIDEST // 2)
    shown = _WORD.sub(_hidden, _printable(lines[line - 1]))[first : first + WIDEST]
    margin = f"{line:>6} | "
    return (margin + shown, " " * (len(margin) - 2) + "| " + " " * (column - 1 - first) + "^")


def _hidden(found: re.Match[str]) -> str:
    word = found.group()
    return word if word in VOCABULARY else "·" * len(word)


def _printable(line: str) -> str:
    return "".join(" " if c == "\t" else c if c.isprintable() else "?" for c in line)
