"""A configuration's text without its secrets, and back: each is replaced by a name of its own, which stands for it wherever the text
is moved to. Pure.

What is written as a reference (`${NAME}`, `{file: …}`) is no secret, and stays."""

import hmac
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import unified_diff
from functools import lru_cache
from hashlib import sha256
from secrets import token_hex
from typing import Any

from ruamel.yaml.error import YAMLError

from aiproxy.config.names import hints, required
from aiproxy.config.schema import Settings
from aiproxy.config.spans import Span, Spans
from aiproxy.config.steps import plain_field, type_within
from aiproxy.config.yaml_text import double_quoted
from aiproxy.secrets import SHORTEST_SCRUBBED, Secret

MARK = "\ufeff"

REMEMBERED = 4
"""Texts whose places are known still: the one that is kept, and those that somebody edits. Reading one costs 0.25 ms an account."""

_SIMPLE = re.compile(r"[A-Za-z0-9_.$/+=@~-]+")
"""Secrets that read the same however a text is quoted."""

_NAMED = re.compile(r"(secret-[0-9a-f]{20})")


class Masking:
    """`key` makes the names: processes that have the same one know each other's. "" for one that is made now."""

    def __init__(self, key: str = "") -> None:
        self._key = (key or token_hex(32)).encode()

    def name(self, secret: str) -> str:
        return f"secret-{hmac.new(self._key, secret.encode('utf-8', 'surrogateescape'), sha256).hexdigest()[:20]}"

    def masked(self, text: str, known: Sequence[Secret] = ()) -> str:
        """`known` are secrets that may stand in it elsewhere than where the schema has them: in comments, for one."""
        body = text.removeprefix(MARK)
        found = sorted(_scalars(body), key=lambda each: -each[0].start)
        there = {span.text for span, is_secret in found if is_secret}
        hide = self._hiding(there | {secret.reveal() for secret in known if secret})
        for span, is_secret in found:
            written = body[span.start : span.end]
            quote = span.quote if span.quote in ("'", '"') else ""
            if written == f"{quote}{span.text}{quote}":  # as it reads
                shown = f"{quote}{self.name(span.text)}{quote}" if is_secret else written
            else:  # with escapes, or over several lines
                hidden = self.name(span.text) if is_secret else hide(span.text)
                shown = written if hidden == span.text else double_quoted(hidden)
            body = body[: span.start] + shown + body[span.end :]
        return (MARK if text.startswith(MARK) else "") + hide(body)

    def restored(self, masked: str, text: str, known: Sequence[Secret] = ()) -> str:
        """With the secrets of `text`, which is kept now, in the place of their names, written so that they read as they are."""
        restore = self._restoring(text, known)
        body = masked.removeprefix(MARK)
        for span, _ in sorted(_scalars(body) if _NAMED.search(body) else (), key=lambda each: -each[0].start):
            whole = restore(span.text)
            if whole != span.text:
                written = restore(body[span.start : span.end])
                simple = all(_SIMPLE.fullmatch(restore(name)) for name in _NAMED.findall(span.text))
                body = body[: span.start] + (written if simple else double_quoted(whole)) + body[span.end :]
        return (MARK if masked.startswith(MARK) else "") + restore(body)

    def restored_value(self, value: Any, text: str, known: Sequence[Secret] = ()) -> Any:
        """The same of data."""
        return _each(value, self._restoring(text, known))

    def lines_between(self, before: str, after: str, names: tuple[str, str], known: Sequence[Secret] = ()) -> list[str]:
        """What is different, as `diff -u` has it. `known` as above."""
        old, new = self.masked(before, known), self.masked(after, known)
        return list(unified_diff(old.splitlines(), new.splitlines(), *names, lineterm=""))

    def _hiding(self, secrets: Iterable[str]) -> Callable[[str], str]:
        """The longest first, so that one inside another leaves nothing."""
        names = {secret: self.name(secret) for secret in sorted(secrets, key=len, reverse=True)}

        def hide(text: str) -> str:
            pieces = _NAMED.split(text)  # a name is not looked into: the next secret may be a part of it
            for secret, name in names.items():
                if len(secret) >= SHORTEST_SCRUBBED and secret in text:
                    pieces = [
                        part
                        for piece in pieces
                        for part in ([piece] if _NAMED.fullmatch(piece) else _between(piece.split(secret), name))
                    ]
            return "".join(pieces)

        return hide

    def _restoring(self, text: str, known: Sequence[Secret]) -> Callable[[str], str]:
        by_name = {self.name(secret): secret for secret in _secrets(text, known)}
        return lambda masked: _NAMED.sub(lambda found: by_name.get(found[0], found[0]), masked)


def names_left(restored: Any) -> bool:
    """Whether names still stand in a text or data, of secrets that whoever restored it didn't know."""
    return _NAMED.search(str(restored)) is not None


def is_readable(text: str) -> bool:
    """Whether its secrets can be told by their places: a text that is no YAML has none."""
    try:
        Spans(text.removeprefix(MARK)).read()
    except YAMLError:
        return False
    return True


def secrets_in(*texts: str) -> tuple[Secret, ...]:
    """By their places. What is a secret in one text may stand in a comment of another."""
    return tuple(Secret(each) for each in set().union(*(_secrets(text, ()) for text in texts)))


def _secrets(text: str, known: Sequence[Secret]) -> set[str]:
    there = {span.text for span, is_secret in _scalars(text.removeprefix(MARK)) if is_secret}
    return there | {secret.reveal() for secret in known if secret}


@lru_cache(REMEMBERED)
def _scalars(text: str) -> tuple[tuple[Span, bool], ...]:
    """All that stand in a text, and whether they are secrets by their place; none of a text that can't be read."""
    try:
        return tuple(_within(Spans(text).read(), Settings))
    except YAMLError:
        return ()


def _within(span: Span, wanted: Any) -> Iterator[tuple[Span, bool]]:
    wanted = required(wanted)
    match span.kind:
        case "scalar" if not span.empty:
            short = plain_field(wanted)
            inner = hints(wanted)[short] if short else wanted
            yield span, required(inner) is Secret and bool(span.text) and "${" not in span.text
        case "items":
            for index, each in enumerate(span.values):
                yield from _within(each, type_within(wanted, index))
        case "entries":
            for key, each in zip(span.keys, span.values, strict=True):
                yield key, False
                yield from _within(each, type_within(wanted, key.text))


def _between(parts: Sequence[str], name: str) -> list[str]:
    """The parts with a name between each two."""
    return [each for part in parts for each in (name, part)][1:]


def _each(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case str():
            return change(value)
        case Mapping():
            return {key: _each(inner, change) for key, inner in value.items()}
        case list() | tuple():
            return [_each(inner, change) for inner in value]
    return value
