"""Credential files of every form: what is read, what is written, what stays, what is refused."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiproxy.credentials.login import Login, Tokens
from aiproxy.credentials.logins import LOGINS
from aiproxy.credentials.record import REFUSED, Record, Unreadable, login_mark, read_record
from aiproxy.credentials.times import CHINA, moment, seconds, written

BY_TYPE = {kind: login for login in LOGINS for kind in login.types}

AT = 1_790_000_000.0
WHEN = written(AT)

FILES: dict[str, dict[str, Any]] = {
    "gemini": {
        "type": "gemini", "email": "a@b.c", "project_id": "p",
        "token": {"access_token": "A", "refresh_token": "R", "expiry": WHEN, "token_uri": "https://…", "scopes": ["x"]},
    },
    "gemini mirrored": {
        "type": "gemini", "access_token": "A", "refresh_token": "R", "expiry": WHEN,
        "token": {"access_token": "A", "refresh_token": "R", "expiry": WHEN},
    },
    "antigravity": {"type": "antigravity", "access_token": "A", "refresh_token": "R", "expires_in": 100, "timestamp": (AT - 100) * 1000},
    "codex": {"type": "codex", "access_token": "A", "refresh_token": "R", "id_token": "x", "account_id": "1", "expired": WHEN},
    "claude": {"type": "claude", "access_token": "A", "refresh_token": "R", "expired": WHEN, "claude_device_ids": ["kept"]},
    "qwen": {"type": "qwen", "access_token": "A", "refresh_token": "R", "expired": WHEN, "resource_url": "r"},
    "kimi": {"type": "kimi", "access_token": "A", "refresh_token": "R", "expired": WHEN, "device_id": "d"},
    "iflow": {"type": "iflow", "access_token": "x", "refresh_token": "R", "api_key": "A", "expired": WHEN},
    "copilot": {"type": "copilot", "github_token": "R", "copilot_token": "A", "copilot_expire": WHEN},
    "copilot of Plus": {"type": "github-copilot", "access_token": "R", "username": "u"},
    "kiro": {"accessToken": "A", "refreshToken": "R", "expiresAt": WHEN, "authMethod": "social"},
    "kiro of Plus": {"type": "kiro", "access_token": "A", "refresh_token": "R", "expires_at": WHEN, "auth_method": "social"},
}  # fmt: skip


def record(content: Any, name: str = "auths/a.json") -> Record:
    return read_record(name, json.dumps(content).encode())


def login_of(found: Record) -> Login:
    return BY_TYPE[found.type]


def tokens_of(body: bytes) -> Tokens:
    found = read_record("auths/a.json", body)
    return login_of(found).tokens(found)


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_every_form_is_read_and_only_tokens_are_written(content: dict[str, Any]) -> None:
    found = record(content)
    login = login_of(found)
    tokens = login.tokens(found)
    assert tokens.refresh.reveal() == "R"
    if "github-copilot" not in content.values():
        assert (tokens.access.reveal(), tokens.expires) == ("A", AT)
    changed = found.with_changes({**login.write(found, "A2", "R2", WHEN.replace("T", "T")), "extra": 1})
    again = read_record(found.name, changed.body())
    after = login.tokens(again)
    assert (after.access.reveal(), after.refresh.reveal()) == ("A2", "R2")
    texts = json.dumps(again.content)
    assert '"A"' not in texts.replace("A2", "")
    assert '"R"' not in texts.replace("R2", ""), "no old token is left beside a new one"
    known = {"token", *login.access, *login.refresh, *login.expires, "extra"}
    assert {k: v for k, v in again.content.items() if k not in known} == {
        k: v for k, v in content.items() if k not in known
    }, "what we don't know stays"
    if isinstance(content.get("token"), dict):
        assert again.content["token"].get("scopes") == content["token"].get("scopes")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not valid JSON"),
        (b'{"type": "codex", "access_token": "A"', "not valid JSON"),
        (b"[]", "not a JSON object"),
        (b"{}", "no `type`"),
        (b'{"type": 1}', "no text"),
        (b'{"type": "codex"}', "neither `access_token` nor `refresh_token`"),
        (b'{"type": "codex", "access_token": "with blanks"}', "can't be sent"),
        (b'{"type": "codex", "access_token": ["A"]}', "neither"),
        (b'{"type": "codex", "access_token": "A\\r\\nx-evil: 1"}', "can't be sent"),
    ],
)
def test_what_is_no_credential_is_told_without_what_stands_in_it(body: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words) as refused:
        tokens_of(body)
    assert "evil" not in str(refused.value)


def test_a_byte_order_mark_is_no_fault() -> None:
    assert read_record("auths/a.json", b'\xef\xbb\xbf{"type": "Codex"}').type == "codex"


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.integers(-(2**53), 2**53) | st.text() | st.floats(allow_nan=False, allow_infinity=False),
            st.lists,
        ),
    )
)
def test_any_object_is_read_or_refused(content: dict[str, Any]) -> None:
    for kind in BY_TYPE:
        for field in ("access_token", "token", "expired", "timestamp", "expires_in"):
            content = {**content, field: next(iter(content.values()), None)}
        found = read_record("auths/a.json", json.dumps({**content, "type": kind}).encode())
        try:
            BY_TYPE[kind].tokens(found)
        except Unreadable:
            continue


def test_a_refused_login_is_known_until_its_refresh_token_is_another() -> None:
    found = record(FILES["codex"])
    marked = found.with_changes({REFUSED: {"reason": "gone", "at": WHEN, "login": login_mark("R")}})
    login = login_of(found)
    assert (login.refused(found), login.refused(marked)) == ("", "gone")
    assert login.renewable(found)
    assert not login.renewable(marked)
    assert login.refused(marked.with_changes({"refresh_token": "R2"})) == ""


def test_the_identity_outlives_its_secrets() -> None:
    for content in FILES.values():
        found = record(content)
        login = login_of(found)
        changed = found.with_changes(login.write(found, "A2", "R2", WHEN))
        assert login.identity(found) == login.identity(changed)
        assert login.identity(found) != login.identity(record(content, "auths/b.json"))


def test_secrets_are_known_wherever_they_stand() -> None:
    for content in FILES.values():
        assert "R" in {secret.reveal() for secret in record(content).secrets}


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("2026-01-02T03:04:05Z", 1767323045.0),
        ("2026-01-02T11:04:05.123456789+08:00", 1767323045.123456),
        ("2026-01-02 03:04", 1767323040.0),
        (1767323045, 1767323045.0),
        (1767323045000, 1767323045.0),
        ("1767323045000", 1767323045.0),
        ("0001-01-01T00:00:00Z", None),
        ("soon", None),
        ("", None),
        (True, None),
        (None, None),
        (float("nan"), None),
        (-5, None),
        (10**400, None),
    ],
)
def test_times(value: object, found: float | None) -> None:
    assert moment(value) == found


def test_times_of_a_place_and_lifetimes() -> None:
    assert moment("2026-01-02 11:04", CHINA) == 1767323040.0
    assert written(1767323045.9) == "2026-01-02T03:04:05Z"
    assert [seconds(value, 7) for value in (3600, "3600", 3599.5, "x", 0, -1, None, True, float("inf"))] == [
        3600, 3600, 3599.5, 7, 7, 7, 7, 7, 7,
    ]  # fmt: skip
