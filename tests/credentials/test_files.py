"""Which documents are logins, and what is said of those that are none: the others are taken all the same."""

import json
from typing import Any

import pytest

from aiproxy.credentials.files import LONGEST_TYPE, read_files
from aiproxy.credentials.logins import LOGINS
from aiproxy.storage.store import Entry

BY_PROVIDER = {login.provider: login for login in LOGINS}
GOOD = {"type": "kimi", "access_token": "A", "refresh_token": "R"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            {"type": "aistudio", "access_token": "A"},
            "is of the type 'aistudio', which nothing here logs in with: AI Studio's pages connect themselves, as relays; "
            "an API key goes in `gemini-api-key`",
        ),
        (
            {"type": "xai", "access_token": "A"},
            "is of the type 'xai', which nothing here logs in with: xAI is reached by an API key, in `xai-api-key`",
        ),
        (
            {"type": "x" * 99, "access_token": "A"},
            f"is of the type '{'x' * LONGEST_TYPE}', which nothing here logs in with; there are: antigravity, ",
        ),
        ({"type": "kimi"}, "holds neither `access_token` nor `refresh_token`"),
    ],
    ids=["aistudio", "xai", "unknown", "no tokens"],
)
def test_a_file_that_is_no_login_is_named_with_what_to_do(content: dict[str, Any], said: str) -> None:
    entries = {
        f"auths/{name}.json": Entry(json.dumps(each).encode(), "1") for name, each in (("a", content), ("b", GOOD))
    }
    found = read_files(entries, BY_PROVIDER)
    assert [record.id for record in found.records] == ["b"]
    assert found.refused.keys() == {"auths/a.json"}
    assert found.refused["auths/a.json"].startswith(said)
