"""What is wrong with a text that is no YAML, in words for people who don't write parsers."""

import re
from collections.abc import Sequence

PLAIN: Sequence[tuple[str, str]] = (
    (r"found character '\\t'", "a tab stands here; YAML indents with blanks only"),
    (r"found character '([@%])'", r"text that begins with `\1` must stand in quotes"),
    ("found character '`'", "text that begins with a backquote must stand in quotes"),
    (
        "mapping values are not allowed here",
        "a `:` can't stand here: the line above is no `key: value`, this one is indented too far, or text with `: ` in it wants quotes",
    ),
    ("could not find expected ':'", "this is no `key: value`: its `:` is missing, or the blank after it"),
    ("expected <block end>, but found '<block mapping start>'", "this line is indented otherwise than those it belongs to"),
    (r"expected <block end>, but found '\?'", "a key where a list goes on: it is indented wrongly, or its `-` is missing"),
    ("expected <block end>, but found '-'", "a `-` among keys: a list stands under a key of its own"),
    ("expected <block end>, but found '<scalar>'", "text after a value that has ended: its quotes end too early"),
    ("expected <block end>", "this can't stand here: an indentation or a quote before it is wrong"),
    (r"expected ',' or '([\]}])'", r"a `,` or a `\1` is missing"),
    ("found unexpected end of stream", "quotes are never closed"),
    ("found unknown escape character", r"no escape of double quotes; a backslash is written `\\\\` there, or in single quotes"),
    ("expected chomping or indentation indicators", "after `|` or `>` the text begins in the next line"),
    ("expected the node content", "a value is missing here; one that begins with `,`, `]` or `}` must stand in quotes"),
    ("sequence entries are not allowed here", "a list's `-` begins a line of its own"),
    ("expected alphabetic or numeric character", "`&` and `*` begin names in YAML; text that begins with them must stand in quotes"),
)  # fmt: skip
"""How the parser's sentence begins → ours."""


def plain(words: str) -> str:
    """Nothing of the file is in it but single characters that YAML is made of."""
    for beginning, said in PLAIN:
        if found := re.match(beginning, words):
            return found.expand(said)
    # Without what the parser quotes from the file.
    return re.sub(r"'[^'<]{4,}'", "'…'", words.partition("\n")[0])
