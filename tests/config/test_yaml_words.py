"""What is no YAML is told in words for people: none of the parser's own, and nothing that stands in the file."""

import pytest

from aiproxy.config.yaml_words import PLAIN
from tests.config.reading import problems

SLIPS = {
    "a:\n\tb: 1": "2:1: a tab stands here; YAML indents with blanks only",
    "a: @secret": "1:4: text that begins with `@` must stand in quotes",
    "a: `secret`": "1:4: text that begins with a backquote must stand in quotes",
    "host: 127.0.0.1: 8317": "1:16: a `:` can't stand here",
    "port: 8317\n host: 1": "2:6: a `:` can't stand here",
    "port: 1\nsecret\nhost: a": "2:1: this is no `key: value`",
    "a:\n  b: 1\n c: 2": "3:2: this line is indented otherwise",
    "- a\nb: 1": "2:1: a key where a list goes on",
    "a: 1\n- b": "2:1: a `-` among keys",
    'a: "secret" b': "1:13: text after a value that has ended",
    "a: {b: 1 c: 2}": "1:11: a `,` or a `}` is missing",
    "a: [1, 2": "1:4: what begins here never ends: a `,` or a `]` is missing",
    'a: "secret': "1:4: what begins here never ends: quotes are never closed",
    'a: "\\q"': "1:6: no escape of double quotes; a backslash is written `\\\\` there",
    "a: |secret\n  b": "1:5: after `|` or `>` the text begins in the next line",
    "a: , b": "1:4: a value is missing here",
    "a: -\n b": "1:4: a list's `-` begins a line of its own",
    "a: &": "1:4: what begins here never ends: `&` and `*` begin names",
    "a: [b}": "1:6: a `,` or a `]` is missing",
    "a: 1\n}": "2:1: this can't stand here",
}


@pytest.mark.parametrize("text", SLIPS)
def test_slips_in_plain_words(text: str) -> None:
    (found,) = problems(text)
    assert f"{found.line}:{found.column}: {found.message}".startswith(SLIPS[text])
    assert "secret" not in found.message


def test_every_word_was_shown() -> None:
    beginnings = {said.partition("\\")[0][:16] for _, said in PLAIN}
    assert {each for each in beginnings if not any(each in shown for shown in SLIPS.values())} == set()
