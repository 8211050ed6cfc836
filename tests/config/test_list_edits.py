"""Lists of a configuration's text: other entries stay as they are written."""

import pytest

from aiproxy.config.list_edits import changed, entries, replaced

TEXT = """\
# head
api-keys:
  - one      # first
  - {key: two, name: b}
  - three
port: 1
"""


@pytest.mark.parametrize(
    ("wanted", "text"),
    [
        (["one", {"key": "two", "name": "b"}, "three"], TEXT),
        (["one", {"key": "two", "name": "b"}], TEXT.replace("  - three\n", "")),
        ([{"key": "two", "name": "b"}, "three"], TEXT.replace("  - one      # first\n", "")),
        (["one", "three"], TEXT.replace("  - {key: two, name: b}\n", "")),
        (["one", "other", "three"], TEXT.replace("{key: two, name: b}", "other")),
        (["one", {"key": "two", "name": "b"}, {"key": "three"}, "four"], TEXT.replace("three\n", "three\n  - four\n")),
        ([], "# head\nport: 1\n"),
    ],
    ids=["same", "last", "first", "middle", "changed", "added", "none"],
)
def test_only_what_differs_is_written(wanted: list[object], text: str) -> None:
    assert replaced(TEXT, "api-keys", wanted) == text


def test_a_list_that_is_not_there_is_made() -> None:
    assert entries(replaced("port: 1\n", "api-keys", ["a", "b"]), "api-keys") == ["a", "b"]
    assert replaced("port: 1\n", "api-keys", []) == "port: 1\n"


def test_one_entry_is_changed_and_what_is_empty_taken_out() -> None:
    assert changed(TEXT, "api-keys", 1, {"name": "", "priority": 3}) == TEXT.replace("name: b", "priority: 3")
    assert entries(changed(TEXT, "api-keys", 0, {"name": "a"}), "api-keys")[0] == {"key": "one", "name": "a"}
