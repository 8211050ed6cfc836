"""The console speaks Chinese wherever it speaks English, and wherever the API does by a code."""

import json
import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from aiproxy.catalogue.objections import Objection
from aiproxy.config.codes import EXPLANATIONS
from aiproxy.config.json_schema import json_schema
from aiproxy.credentials.logins import LOGINS
from aiproxy.gateway.stages import Because
from aiproxy.neutral.errors import GatewayError
from aiproxy.pools.lending import Hindrance, Why
from aiproxy.usage import Outcome
from aiproxy.web.management.rooms.snippets import snippets

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


AIPROXY = STATIC.parents[2]
SENTENCES = json.loads((STATIC / "chinese_sentences.js").read_text().partition(" SENTENCES = ")[2].rstrip(";\n"))


def kinds(error: type[GatewayError] = GatewayError) -> Iterator[str]:
    yield error.kind
    for child in error.__subclasses__():
        yield from kinds(child)


def named(pattern: str, *folders: str) -> set[str]:
    """The words that the sources have where this pattern has its group."""
    texts = [file.read_text() for folder in folders for file in (AIPROXY / folder).rglob("*.py")]
    return {found for text in texts for found in re.findall(pattern, text)}


CODES = {
    "finding": set(EXPLANATIONS),
    "error": {*kinds(), *named(r"Refused\(\s*\w+,\s*\"(\w+)\"", "web"), *named(r"code=\"(\w+)\"", "web/management")},
    "reason": {*kinds(), *Hindrance, *Because, *Objection, "offers this model, which this key may not use"},
    "closed": {each.provider for each in LOGINS if each.closed},
    "place": {each.where for each in snippets("http://a", "m", needs_key=True)},
    "check": named(r"Check\(\s*\"(\w+)\"", ""),
}


@pytest.mark.parametrize("of", CODES)
def test_every_code_of_the_api_has_its_chinese_sentence(of: str) -> None:
    assert SENTENCES[of].keys() == CODES[of]
    assert all(re.search("[\u4e00-\u9fff]", sentence) for sentence in SENTENCES[of].values())


def test_most_settings_are_described_in_chinese() -> None:
    """Whoever adds a setting need not know Chinese: its English is shown."""
    text = (STATIC / "chinese_settings.js").read_text()
    chinese = json.loads(text.partition(" SETTINGS = ")[2].rstrip(";\n"))
    schema = json_schema()
    members = [schema["properties"], *(each["properties"] for each in schema["$defs"].values())]
    said = {re.sub(r" \([^()]*\)$", "", each["description"]) for found in members for each in found.values()}
    assert len(said & chinese.keys()) > 0.9 * len(said)
    assert all(sorted(re.findall("`[^`]*`", one)) == sorted(re.findall("`[^`]*`", two)) for one, two in chinese.items())


@pytest.mark.parametrize(("page", "codes"), [("requests", Why), ("requests", Outcome)])
def test_every_code_that_pages_name_themselves_is_named(page: str, codes: type[Why] | type[Outcome]) -> None:
    text = (STATIC / "pages" / f"{page}.js").read_text()
    assert all(re.search(rf"\b{each.value}: ", text) for each in codes)
