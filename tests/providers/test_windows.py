"""Quota windows: what is read off headers, and what is kept of it."""

from collections.abc import Mapping

import pytest

from aiproxy.pools import quota
from aiproxy.pools.quota import QuotaBook, Window
from aiproxy.providers.windows import claude_windows, codex_windows, copilot_windows

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
        (
            {"x-codex-primary-used-percent": "100", "x-codex-credits-has-credits": "True"},
            [Window("primary", 1.0, guards=False)],
        ),
        ({"x-codex-primary-used-percent": "nan", "x-codex-secondary-used-percent": "-1"}, []),
    ],
)  # fmt: skip
def test_codex(headers: Mapping[str, str], found: list[Window]) -> None:
    assert list(codex_windows(headers, AT)) == found


def test_claude() -> None:
    headers = {
        "anthropic-ratelimit-unified-5h-utilization": "1.02",
        "anthropic-ratelimit-unified-5h-reset": "1790000500",
        "anthropic-ratelimit-unified-5h-status": "allowed_warning",
        "anthropic-ratelimit-unified-7d-status": "rejected",
        "anthropic-ratelimit-unified-7d_oi-status": "rejected",
    }
    assert list(claude_windows(headers, AT)) == [
        Window("5h", 1.02, AT + 500, guards=False),
        Window("7d", 1.0),
        Window("7d_oi", 1.0, guards=False),
    ]


def test_copilot() -> None:
    headers = {
        "x-quota-snapshot-premium_interactions": "ent=300&ov=0.0&ovPerm=false&rem=0.0&rst=2026-10-01T00%3A00%3A00Z",
        "x-quota-snapshot-chat": "ent=-1&ov=0.0&ovPerm=false&rem=100.0",
        "x-usage-ratelimit-weekly": "rem=74.9&rst=nonsense",
    }
    assert list(copilot_windows(headers, AT)) == [
        Window("premium_interactions", 1.0, 1790812800.0, guards=False),
        Window("weekly", 1 - 74.9 / 100, guards=False),
    ]
    assert list(copilot_windows({"x-quota-snapshot-chat": "ent=50&rem=0&ovPerm=false"}, AT)) == [Window("chat", 1.0)]
    assert list(copilot_windows({"x-quota-snapshot-chat": "\x00&&=;rem="}, AT)) == []


def test_what_is_used_up() -> None:
    book = QuotaBook()
    book.saw("a", [Window("5h", 1.0, AT + 10), Window("7d", 1.2, AT + 20), Window("30d", 1.0), Window("told", 1.0, AT + 99, guards=False),
                   Window("m", 1.0, AT + 5, model="m"), Window("n", 0.5, AT + 5, model="n")])  # fmt: skip
    assert book.used_up("a", AT) == {"": AT + 20, "m": AT + 5}
    assert book.used_up("a", AT + 10) == {"": AT + 20}
    assert book.used_up("a", AT + 20) == {} == book.used_up("b", AT)
    assert book.full("a", AT) == {"", "m"}
    assert book.full("a", AT + 20) == {""}, "nobody says until when"
    assert (found := book.fullest("a", AT))
    assert found.name == "7d"
    assert book.fullest("b", AT) is None


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
