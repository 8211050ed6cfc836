"""The console speaks Chinese wherever it speaks English."""

import json
import re
from importlib.resources import files
from pathlib import Path

STATIC = Path(str(files("aiproxy.web.console"))) / "static"
_SHOWN = re.compile(r'\b(?:t|later)\(\s*("(?:[^"\\]|\\.)*")')
_ENTRY = re.compile(r'^  ("(?:[^"\\]|\\.)*"): "(?:[^"\\]|\\.)+",$', re.MULTILINE)


def test_every_word_has_its_chinese_and_no_chinese_is_left_over() -> None:
    shown = {json.loads(found) for file in STATIC.rglob("*.js") for found in _SHOWN.findall(file.read_text())}
    entries = [json.loads(found) for found in _ENTRY.findall((STATIC / "chinese.js").read_text())]
    assert set(entries) == shown
    assert entries == sorted(set(entries))


def test_words_are_shown_by_name() -> None:
    """A text made of pieces can't be looked up."""
    for file in STATIC.rglob("*.js"):
        assert not re.search(r"\b(?:t|later)\(\s*[`']", file.read_text()), file.name
