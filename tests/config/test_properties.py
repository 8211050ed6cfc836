"""Whatever is written, reading gives settings or problems, and no problem shows a secret."""

import string
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.compat import StringIO

from aiproxy.config import ConfigurationInvalid, Settings, render_problems
from aiproxy.config.excerpt import excerpt
from aiproxy.config.names import VOCABULARY, keys_of
from aiproxy.config.schema import CompatibilityEntry, KeyEntry
from tests.config.reading import load, problems

CANARY = "sk-c4nary7f3e9b2d8a6"
"""A secret like no word of ours."""

WORDS = sorted({*VOCABULARY, *keys_of(KeyEntry), *keys_of(CompatibilityEntry)})

syntax = st.text(alphabet=list("{}[]:,-#&*!|>'\"%@`$<~?\n\t \r0aé\0\x85\u2028"), max_size=30)
scraps = st.lists(
    st.one_of(
        syntax,
        st.sampled_from(WORDS),
        st.sampled_from(
            [
                "\n",
                "\n  ",
                "\n  - ",
                ": ",
                "- ",
                "${",
                "}",
                "<<: ",
                "*a",
                "&a ",
                "---\n",
                "!!str ",
                "{file: ",
                "1e3",
                "null",
            ]
        ),
        st.text(max_size=5),
    ),
    max_size=25,
).map("".join)

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from([CANARY, "${HOME}", "${NOPE}", "http://u:p@h", "gpt-*", "", "/", "direct"]),
    st.text(max_size=8),
)
keys = st.one_of(
    st.sampled_from(WORDS), st.sampled_from(sorted({*keys_of(Settings)})), st.text(string.ascii_letters, max_size=6)
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6), max_leaves=25
)


def read(text: str) -> None:
    try:
        result = load(text, {"HOME": "/root"})
    except ConfigurationInvalid as invalid:
        report = render_problems(invalid.problems)
        assert report.encode()
    else:
        assert isinstance(result.settings, Settings)


@given(scraps)
@example("%YAML 1.1\n---\na: yes")
@example("%TAG ! tag:x,2000:\n---\n!a b")
@example("- ? x\n  : y")
@example("? [a]\n: b")
@example("a: |9\n b")
@example('"\\UFFFFFFFF"')
@example("a: &a\nb: *a\n")
@example("!!int ''")
@example('a: "\\U00110000"')
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_text_is_settings_or_problems(text: str) -> None:
    read(text)


@given(st.dictionaries(keys, values, max_size=8))
@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_structure_is_settings_or_problems(document: dict[str, Any]) -> None:
    stream = StringIO()
    YAML(typ="safe", pure=True).dump(document, stream)
    text = stream.getvalue()
    read(text)
    assert CANARY not in render_problems(problems(text, {"HOME": "/root"}))


@given(scraps, scraps, st.sampled_from(["", "'", '"', ": ", "{", "- ", "&", "*", "!", "@", "\t", "${"]))
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_no_problem_shows_a_secret(before: str, after: str, around: str) -> None:
    text = f"{before}\napi-keys:\n  - {around}{CANARY}{around}\n{after}"
    assert CANARY not in render_problems(problems(text))


@given(
    st.dictionaries(
        st.sampled_from(["AIPROXY__API_KEYS", "AIPROXY__TLS__ENABLE", "AIPROXY__PORT", "AIPROXY__HOST"]),
        syntax | scalars.map(str),
    )
)
@settings(max_examples=100, deadline=None)
def test_any_variable_is_settings_or_problems(environ: dict[str, str]) -> None:
    report = render_problems(problems("", environ, ["proxy-url=" + text for text in environ.values()]))
    assert CANARY not in report


@given(st.text(), st.integers(0, 50), st.integers(0, 300))
def test_an_excerpt_can_be_made_of_anything(text: str, line: int, column: int) -> None:
    assert len(excerpt(text, line, column)) in (0, 2)
