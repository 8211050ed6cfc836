"""Quota windows: what is read off headers, and what is kept of it."""

from collections.abc import Mapping

import pytest

from aiproxy.pools import quota
from aiproxy.pools.quota import QuotaBook, Window
from aiproxy.providers.windows import claude_windows, codex_windows

AT = 1_790_000_000.0


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({}, []),
        (
            {"x-codex-primary-used-percent": "45.5", "x-codex-primary-reset-after-seconds": "60", "x-codex-secondary-used-percent": "100"},
            [Window("primary", 0.455, AT + 60), Window("secondary", 1.0)],
        ),
        (
            {"x-codex-primary-used-percent": "1", "x-codex-primary-reset-at": "1790000100", "x-codex-primary-reset-after-seconds": "5"},
            [Window("primary", 0.01, AT + 100)],
        ),
        ({"x-codex-primary-used-percent": "nan", "x-codex-secondary-used-percent": "-1"}, []),
    ],
)  # fmt: skip
def test_codex(headers: Mapping[str, str], found: list[Window]) -> None:
    assert list(codex_windows(headers, AT)) == found


def test_claude() -> None:
    headers = {
        "anthropic-ratelimit-unified-5h-utilization": "0.25",
        "anthropic-ratelimit-unified-5h-reset": "1790000500",
        "anthropic-ratelimit-unified-7d-status": "rejected",
    }
    assert list(claude_windows(headers, AT)) == [Window("5h", 0.25, AT + 500), Window("7d", 1.0)]


def test_the_latest_word_is_kept_until_its_window_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    book = QuotaBook()
    book.saw("a", [Window("5h", 0.1, AT + 10), Window("7d", 0.2)])
    book.saw("a", [Window("5h", 0.3, AT + 10)])
    book.saw("a", [])
    assert book.of("a", AT) == {"5h": Window("5h", 0.3, AT + 10), "7d": Window("7d", 0.2)}
    assert [*book.of("a", AT + 10)] == ["7d"]
    book.keep(["b"])
    assert book.of("a", AT) == {}
    monkeypatch.setattr(quota, "MOST_ACCOUNTS", 2)
    for name in "xyz":
        book.saw(name, [Window("5h", 0.5)])
    assert [bool(book.of(name, AT)) for name in "xyz"] == [False, True, True]
