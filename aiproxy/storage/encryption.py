"""Credentials encrypted at rest: AES-256-GCM, a nonce of its own for every write, bound to the document's name.

A sealed credential is a JSON object still, so that every place takes it. The configuration stays readable: its secrets can
come from variables and files. Where no key is set, what is plain is read, and what is sealed is an error.
"""

import base64
import binascii
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from threading import Event
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from aiproxy.secrets import Secret
from aiproxy.storage.documents import CREDENTIALS, check
from aiproxy.storage.mirror import MirroredStore
from aiproxy.storage.store import Change, Condition, Conflict, Contents, Entry, Past, Store, StoreError, Unacceptable

KEY_VARIABLE, OLD_KEY_VARIABLE = "AIPROXY_ENCRYPTION_KEY", "AIPROXY_ENCRYPTION_KEY_OLD"

KEY_BYTES = 32
NONCE_BYTES = 12
"""96 bits, as GCM wants it. Random: fit for 2^32 writes under one key."""

FORMAT = 1
_MARK = "aiproxy-encrypted"


class WrongKey(StoreError):
    """Something is sealed, and not by a key we have."""


@dataclass(frozen=True, slots=True)
class Key:
    """A key, and the name it leaves in what it seals: eight digits that say nothing about it."""

    secret: Secret
    name: str

    def cipher(self) -> AESGCM:
        return AESGCM(_decoded(self.secret.reveal()))


def keys_of(environ: Mapping[str, str]) -> tuple[Key, ...]:
    """The key to seal by, then the one it replaced. Raises `WrongKey` for what is no key."""
    if environ.get(OLD_KEY_VARIABLE) and not environ.get(KEY_VARIABLE):
        raise WrongKey(f"{OLD_KEY_VARIABLE} is set and {KEY_VARIABLE} is not: set the new key as well.")
    return tuple(
        _key(variable, environ[variable]) for variable in (KEY_VARIABLE, OLD_KEY_VARIABLE) if environ.get(variable)
    )


def _key(variable: str, text: str) -> Key:
    try:
        raw = _decoded(text)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != KEY_BYTES:
        raise WrongKey(
            f"{variable} is not {KEY_BYTES} bytes in base64 or hex: make one with `openssl rand -base64 32`."
        )
    return Key(Secret(text), sha256(b"aiproxy key name\0" + raw).hexdigest()[:8])


def _decoded(text: str) -> bytes:
    text = text.strip()
    if len(text) == 2 * KEY_BYTES:
        return bytes.fromhex(text)
    return base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)


def seal(key: Key, name: str, body: bytes) -> bytes:
    nonce = os.urandom(NONCE_BYTES)
    data = key.cipher().encrypt(nonce, body, name.encode())
    texts = {"nonce": base64.b64encode(nonce).decode(), "data": base64.b64encode(data).decode()}
    return orjson.dumps({_MARK: FORMAT, "key": key.name, **texts})


def sealed(body: bytes) -> Mapping[str, Any] | None:
    """What is written on a sealed body; None if it is plain."""
    if _MARK.encode() not in body:
        return None
    try:
        content = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return content if isinstance(content, dict) and _MARK in content else None


def unseal(keys: tuple[Key, ...], name: str, body: bytes) -> bytes:
    """Raises `WrongKey`, and `Unacceptable` for what no key opens."""
    about = sealed(body)
    if about is None:
        return body
    if about[_MARK] != FORMAT:
        raise Unacceptable(name, f"is encrypted in format {about[_MARK]!r} of a newer aiproxy")
    for key in keys:
        if key.name == about.get("key"):
            try:
                nonce, data = (base64.b64decode(about[part], validate=True) for part in ("nonce", "data"))
                return key.cipher().decrypt(nonce, data, name.encode())
            except (InvalidTag, KeyError, TypeError, ValueError):
                raise Unacceptable(name, "was damaged or renamed after it was encrypted") from None
    if not keys:
        raise WrongKey(f"{name} is encrypted: set {KEY_VARIABLE}.")
    given = " and ".join(key.name for key in keys)
    raise WrongKey(
        f"{name} is encrypted by key {str(about.get('key'))[:8]!r}, and the one given is {given}: "
        f"set the right {KEY_VARIABLE}, or the former one as {OLD_KEY_VARIABLE}."
    )


class EncryptedStore:
    """A `Store` that seals credentials in another one, by the first key; without a key it only finds sealed ones."""

    def __init__(self, inner: Store, keys: tuple[Key, ...]) -> None:
        self._inner = inner
        self._keys = keys

    def load(self) -> Contents:
        """Raises `WrongKey`: a gateway that silently lost all its accounts would be no better for running."""
        contents = self._inner.load()
        entries, refused = dict[str, Entry](), dict(contents.refused)
        for name, entry in contents.entries.items():
            if not name.startswith(CREDENTIALS):
                entries[name] = entry
                continue
            try:
                entries[name] = replace(entry, body=unseal(self._keys, name, entry.body))
            except Unacceptable as unacceptable:
                refused[name] = unacceptable.why
        return Contents(entries, refused)

    def save(self, name: str, body: bytes, expected: str | None, change: Change) -> str:
        check(name, body)
        return self._inner.save(name, self._sealed(name, body), expected, change)

    def _sealed(self, name: str, body: bytes) -> bytes:
        return seal(self._keys[0], name, body) if self._keys and name.startswith(CREDENTIALS) else body

    def reseal(self, change: Change) -> int:
        """Seal anew whatever is plain or sealed by another key; how many there were. Raises `Conflict` when others write."""
        if not self._keys:
            raise WrongKey(f"There is no key to encrypt with: set {KEY_VARIABLE}.")
        done = 0
        for name, entry in self._inner.load().entries.items():
            about = sealed(entry.body)
            if name.startswith(CREDENTIALS) and (about is None or about.get("key") != self._keys[0].name):
                self.save(name, unseal(self._keys, name, entry.body), entry.version, change)
                done += 1
        return done

    def resolve(self, number: int, *, ours: bool) -> None:
        """End a conflict of the mirror, if that is what lies beneath. Raises as `MirroredStore.resolve`."""
        if not isinstance(self._inner, MirroredStore):
            raise Conflict(f"conflict {number}")
        self._inner.resolve(number, ours=ours)

    def delete(self, name: str, expected: str, change: Change) -> None:
        self._inner.delete(name, expected, change)

    def past(self, name: str, most: int, most_bytes: int) -> Sequence[Past] | None:
        """Of what is never sealed: the configuration."""
        return self._inner.past(name, most, most_bytes)

    def sync(self) -> bool:
        return self._inner.sync()

    def watch(self, changed: Callable[[], None], stop: Event) -> None:
        self._inner.watch(changed, stop)

    def condition(self) -> Condition:
        return self._inner.condition()

    def close(self) -> None:
        self._inner.close()
