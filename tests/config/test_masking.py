"""A configuration's text without its secrets, and back."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiproxy.config.list_edits import entries
from aiproxy.config.masking import Masking, names_left
from aiproxy.config.yaml_text import double_quoted
from aiproxy.secrets import Secret

MASKING = Masking("key")

TEXT = """\
# my old key was sk-first-0123456789
api-keys:
  - sk-first-0123456789   # plain
  - {name: b, key: 'it''s-quoted-0123456789'}
  - key: "esc\\u0061ped-0123456789"
  - ab
openai-api-key:
  - api-key: ${OPENAI_API_KEY}
  - api-key: {file: key.txt}
remote-management: {secret-key: management-0123456789}
"""

SECRETS = (
    "sk-first-0123456789",
    "it''s-quoted",
    "it's-quoted",
    "esc\\u0061ped",
    "escaped-0123456789",
    "management-0123",
)


def test_secrets_leave_as_names_and_everything_else_stays() -> None:
    masked = MASKING.masked(TEXT)
    assert not [secret for secret in SECRETS if secret in masked]
    assert "- ab\n" not in masked
    assert "${OPENAI_API_KEY}" in masked
    assert "{file: key.txt}" in masked
    assert masked.count(MASKING.name("sk-first-0123456789")) == 2
    assert masked.count("\n") == TEXT.count("\n")
    assert Masking("another").name("ab") != MASKING.name("ab")


def test_names_come_back_as_secrets_wherever_they_are_moved_to() -> None:
    masked = MASKING.masked(TEXT)
    moved = "\n".join(reversed(masked.splitlines()))
    restored = MASKING.restored(moved, TEXT)
    assert MASKING.masked(TEXT, ()) == masked
    assert "sk-first-0123456789" in restored
    assert "secret-" not in restored.replace("secret-key", "")
    assert not names_left(restored)
    assert names_left(masked)
    assert names_left({"key": [MASKING.name("a")]})
    assert MASKING.restored("secret-" + "0" * 20, TEXT) == "secret-" + "0" * 20


@pytest.mark.parametrize("text", ["api-keys: [", "\ufeffapi-keys: [sk-known-0123456789]\n", "- a\n", "", "x: {y: [1]}"])
def test_whatever_a_text_is_known_secrets_are_hidden(text: str) -> None:
    masked = MASKING.masked(text + "# sk-known-0123456789", [Secret("sk-known-0123456789")])
    assert "sk-known-0123456789" not in masked
    assert MASKING.restored(masked, text, [Secret("sk-known-0123456789")]) == text + "# sk-known-0123456789"


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_no_key_is_seen_and_each_comes_back(keys: list[str]) -> None:
    text = "api-keys:\n" + "".join(f"- {double_quoted(key)}\n" for key in keys)
    masked = MASKING.masked(text)
    for key in keys:
        if len(key) > 5 and "${" not in key:
            assert key not in re.sub("secret-[0-9a-f]{20}", "\n", masked).replace("api-keys:", "")
    assert entries(MASKING.restored(masked, text), "api-keys") == keys
