"""Broken configurations, each problem marked where it is: `‹code›` stands right before the place, and is taken out.

A case's title follows `===`. What is found must be what is marked, no more, no less: code, line and column. The files
that cases name are those of `FILES`, the variables those of `ENVIRON`.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.config.reading import problems
from tests.vendors.google_tokens import service_account

CASES = Path(__file__).parent / "corpus"
MARK = re.compile("‹([a-z-]+)›")

ENVIRON = {"WORD": "word", "LARGE": "123456", "EMPTY": "", "KEY": "a-key-from-elsewhere"}
FILES = {
    "account.json": json.dumps(service_account("https://oauth2.googleapis.com/token")),
    "prompt.txt": "Be brief.",
    "cert.pem": "no certificate",
}


def cases() -> Iterator[tuple[str, str]]:
    for file in sorted(CASES.glob("*.case")):
        for case in re.split("^=== ", file.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
            title, _, text = case.partition("\n")
            yield f"{file.stem}: {title}", text


ALL = list(cases())


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("configuration")
    for name, content in FILES.items():
        (made / name).write_text(content, encoding="utf-8")
    return made


def unmarked(text: str) -> tuple[str, list[tuple[int, int, str]]]:
    """The YAML, and the marks as lines, columns and codes."""
    marks = []
    while mark := MARK.search(text):
        before = text[: mark.start()]
        marks.append((before.count("\n") + 1, len(before) - before.rfind("\n"), mark[1]))
        text = before + text[mark.end() :]
    return text, sorted(marks)


def test_the_corpus_is_large_and_no_case_is_there_twice() -> None:
    assert len({title for title, _ in ALL}) == len({text for _, text in ALL}) == len(ALL) >= 300


@pytest.mark.parametrize(("title", "text"), ALL, ids=[title for title, _ in ALL])
def test_every_problem_is_found_where_it_is(title: str, text: str, directory: Path) -> None:
    written, marks = unmarked(text)
    assert marks
    assert [(p.line, p.column, p.code) for p in problems(written, ENVIRON, directory=directory)] == marks
