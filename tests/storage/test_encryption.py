"""Credentials at rest: what is on the disk, whose key opens it, and what a wrong one says."""

import base64
import json
from pathlib import Path

import pytest

from aiproxy.storage.documents import CONFIGURATION
from aiproxy.storage.encryption import EncryptedStore, WrongKey, keys_of
from aiproxy.storage.file import FileStore
from aiproxy.storage.store import Change

CHANGE = Change("Try it")
A, B = "auths/a.json", "auths/b.json"
FIRST, SECOND, THIRD = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))
BODY = b'{"refresh_token": "secret-0123456789"}'


def store(directory: Path, key: str = "", old: str = "") -> EncryptedStore:
    environ = {"AIPROXY_ENCRYPTION_KEY": key, "AIPROXY_ENCRYPTION_KEY_OLD": old}
    return EncryptedStore(FileStore(directory / "c.yaml", directory), keys_of(environ))


def test_nothing_readable_is_left_on_the_disk(tmp_path: Path) -> None:
    sealed = store(tmp_path, FIRST)
    sealed.save(A, BODY, None, CHANGE)
    sealed.save(CONFIGURATION, b"port: 1\n", None, CHANGE)
    assert b"secret" not in (tmp_path / "a.json").read_bytes()
    assert json.loads((tmp_path / "a.json").read_bytes())["aiproxy-encrypted"] == 1
    assert (tmp_path / "c.yaml").read_bytes() == b"port: 1\n"
    assert store(tmp_path, FIRST).load().entries[A].body == BODY
    assert store(tmp_path, bytes([1] * 32).hex()).load().entries[A].body == BODY
    assert store(tmp_path, FIRST.replace("+", "-").rstrip("=")).load().entries[A].body == BODY


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "set AIPROXY_ENCRYPTION_KEY"),
        (SECOND, "set the right AIPROXY_ENCRYPTION_KEY, or the former one as AIPROXY_ENCRYPTION_KEY_OLD"),
    ],
)
def test_a_wrong_key_is_an_error_that_names_the_way_out(tmp_path: Path, key: str, words: str) -> None:
    store(tmp_path, FIRST).save(A, BODY, None, CHANGE)
    before = (tmp_path / "a.json").read_bytes()
    with pytest.raises(WrongKey, match=r"auths/a\.json is encrypted") as wrong:
        store(tmp_path, key).load()
    assert words in str(wrong.value)
    assert FIRST not in str(wrong.value)
    assert (tmp_path / "a.json").read_bytes() == before


@pytest.mark.parametrize("key", ["short", "é" * 32, base64.b64encode(bytes(31)).decode(), "0" * 63, " "])
def test_a_key_that_is_none(key: str) -> None:
    with pytest.raises(WrongKey, match="openssl rand -base64 32"):
        keys_of({"AIPROXY_ENCRYPTION_KEY": key})
    with pytest.raises(WrongKey, match="set the new key as well"):
        keys_of({"AIPROXY_ENCRYPTION_KEY_OLD": FIRST})


def test_a_change_of_keys(tmp_path: Path) -> None:
    plain = store(tmp_path)
    plain.save(A, BODY, None, CHANGE)
    first = store(tmp_path, FIRST)
    assert first.load().entries[A].body == BODY  # what is plain is still read
    first.save(B, BODY, None, CHANGE)
    rotated = store(tmp_path, SECOND, FIRST)
    assert {name: entry.body for name, entry in rotated.load().entries.items()} == {A: BODY, B: BODY}
    assert rotated.reseal(CHANGE) == 2
    assert rotated.reseal(CHANGE) == 0
    assert set(store(tmp_path, SECOND).load().entries) == {A, B}
    with pytest.raises(WrongKey):
        store(tmp_path, FIRST).load()
    with pytest.raises(WrongKey, match="no key to encrypt with"):
        plain.reseal(CHANGE)


def test_what_was_damaged_moved_or_is_newer_is_named_and_the_others_serve(tmp_path: Path) -> None:
    sealed = store(tmp_path, FIRST)
    sealed.save(A, BODY, None, CHANGE)
    sealed.save(B, BODY, None, CHANGE)
    content = json.loads((tmp_path / "a.json").read_bytes())
    (tmp_path / "moved.json").write_bytes((tmp_path / "a.json").read_bytes())
    data = bytearray(base64.b64decode(content["data"]))
    data[0] ^= 1
    damaged = {**content, "data": base64.b64encode(bytes(data)).decode()}
    for name, body in (
        ("damaged", damaged),
        ("newer", {**content, "aiproxy-encrypted": 2}),
        ("half", {**content, "nonce": 1}),
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps(body))
    contents = store(tmp_path, FIRST).load()
    assert set(contents.entries) == {A, B}
    spoilt = "was damaged or renamed after it was encrypted"
    assert contents.refused == {
        "auths/moved.json": spoilt,
        "auths/damaged.json": spoilt,
        "auths/half.json": spoilt,
        "auths/newer.json": "is encrypted in format 2 of a newer aiproxy",
    }
