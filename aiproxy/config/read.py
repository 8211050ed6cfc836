"""Nodes to settings, driven by the types of `schema`: every problem is collected, none stops the reading.

A value that can't be read leaves its default behind, so that the rest is still checked; whoever calls looks at `problems`
before using the result. Messages say what is wanted and what kind of thing stands there, never the text itself: it may be
a secret in the wrong place. Numbers and booleans are shown, except where a secret belongs.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, TypeGuard, assert_never, get_args, get_origin

from aiproxy.config.interpolate import Unresolved, interpolate
from aiproxy.config.names import NOT_YET, hints, home, kebab, keys_of, nearest, showable
from aiproxy.config.problems import Place, Problem, Severity, problem_at
from aiproxy.config.scalars import Refused, kind, typed, wish
from aiproxy.config.schema import PLAIN_FORM, Settings
from aiproxy.config.tree import Entries, Form, Items, Node, Scalar, core
from aiproxy.config.urls import passwords
from aiproxy.secrets import Secret

LARGEST_SECRET_FILE = 64 * 1024
"""Bytes. A private key or a service account's JSON is under 4 KiB; anything larger is the wrong file."""

UNREAD: Final = object()
"""What a value becomes that can't be read; its problem is noted already."""


@dataclass(slots=True)
class Reading:
    """One reading of one tree, and what it found on the way."""

    environ: Mapping[str, str]
    directory: Path
    """Where relative file names start: the configuration's own directory."""
    problems: list[Problem] = field(default_factory=list)
    secrets: list[Secret] = field(default_factory=list)
    places: dict[str, Place] = field(default_factory=dict)
    """Key path → where its value stands, for everything that was set."""
    literal: list[str] = field(default_factory=list)
    """Paths of the secrets that stand in the file in plain text."""
    misspelt: set[str] = field(default_factory=set)
    """Paths of known keys that are there under another spelling."""
    files: list[Path] = field(default_factory=list)
    """Files whose content matters besides the configuration itself."""

    def settings(self, root: Node) -> Settings:
        if isinstance(root, Scalar) and root.empty:
            root = Entries((), root.place)
        if isinstance(root, Entries):
            # Keys that begin with x- hold anchors, as in Compose files.
            pairs = tuple(pair for pair in root.pairs if not pair[0].text.startswith("x-"))
            root = Entries(pairs, root.place)
        self.places[""] = root.place
        read = self._record(Settings, root, "")
        return read if isinstance(read, Settings) else Settings()

    def place(self, path: str) -> Place:
        """Where a key stands, or else the nearest thing around it."""
        while path and path not in self.places:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.places[path]

    def failed(self, path: str) -> bool:
        """Whether a key, or something under it, could not be read, its name included."""
        return path in self.misspelt or any(
            p.severity is Severity.ERROR and (p.path == path or p.path.startswith((f"{path}.", f"{path}[")))
            for p in self.problems
        )

    def error(self, place: Place, code: str, message: str, path: str, suggestion: str = "") -> Any:
        self.problems.append(problem_at(place, Severity.ERROR, code, message, path=path, suggestion=suggestion))
        return UNREAD

    # What is wanted decides how a node is read.

    def _value(self, wanted: Any, node: Node, path: str, rule: Mapping[str, Any]) -> Any:
        self.places[path] = node.place
        if get_origin(wanted) is UnionType:
            (inner,) = (one for one in get_args(wanted) if one is not NoneType)
            return self._value(inner, node, path, rule)
        if get_origin(wanted) is tuple:
            return self._list(get_args(wanted)[0], node, path, rule)
        if get_origin(wanted) is not None:
            inner = get_args(wanted)[1]
            return self._texts(node, path) if inner is str else self._named(inner, node, path)
        if wanted is Any:
            return self._json(node, path)
        if is_dataclass(wanted) and isinstance(wanted, type):
            return self._record(wanted, node, path)
        if wanted is Secret:
            return self._secret(node, path)
        if not isinstance(node, Scalar):
            return self._wrong(wish(wanted), node, path)
        if wanted is str:
            return self._text(node, path, rule)
        return self._typed(wanted, node, path, rule)

    def _record(self, cls: type, node: Node, path: str) -> Any:
        short = PLAIN_FORM.get(cls)
        if short and (isinstance(node, Scalar) or (hints(cls)[short] is Secret and _names_file(node))):
            node = Entries(((Scalar(kebab(short), Form.PLAIN, node.place), node),), node.place)
        if not isinstance(node, Entries):
            plainly = "" if short is None else " or `true`" if hints(cls)[short] is bool else " or plain text"
            return self._wrong(f"a mapping (`key: value` lines){plainly}", node, path)
        known = keys_of(cls)
        for key, _ in node.pairs:
            if key.text not in known:
                self._unknown(cls, key, path)
        read = {each.name: self._field(cls, each, node, _under(path, kebab(each.name))) for each in fields(cls)}
        return cls(**{name: value for name, value in read.items() if value is not UNREAD})

    def _field(self, cls: type, each: Field[Any], node: Entries, path: str) -> Any:
        wanted = hints(cls)[each.name]
        value = node.get(kebab(each.name))
        if value is None or (isinstance(value, Scalar) and value.empty):
            # A key with nothing behind it is as good as absent: people comment out what stood there.
            if each.metadata["required"] and path not in self.misspelt:
                return self.error(node.place, "missing-key", f"`{kebab(each.name)}` is missing here", path)
            if not is_dataclass(wanted):
                return UNREAD
            value = Entries((), node.place if value is None else value.place)
        read = self._value(wanted, value, path, each.metadata)
        if each.metadata["required"] and not read and not self.failed(path):
            return self.error(value.place, "missing-key", f"`{path}` is empty", path)
        return read

    def _unknown(self, cls: type, key: Scalar, under: str) -> None:
        shown = showable(key.text, keys_of(cls))
        name = f"`{key.text}`" if shown else "this"
        path = _under(under, key.text if shown else "?")
        if key.text in NOT_YET.get(cls, ()):
            self.error(key.place, "not-yet", f"{name} is not supported by this version of aiproxy; leave it out", path)
            return
        meant = nearest(key.text, (*keys_of(cls), *NOT_YET.get(cls, ())))
        elsewhere = home(key.text, cls)
        if meant:
            self.misspelt.add(_under(under, meant))
            hint = f"; did you mean `{meant}`?"
        elif elsewhere:
            hint = f"; it belongs under {elsewhere}"
        else:
            hint = f"; known here: {', '.join(keys_of(cls))}"
        self.error(key.place, "unknown-key", f"{name} is not a known key{hint}", path, meant)

    def _list(self, wanted: Any, node: Node, path: str, rule: Mapping[str, Any]) -> Any:
        if not isinstance(node, Items):
            return self._wrong("a list (`- …` lines, or `[…]`)", node, path)
        read = [self._element(wanted, value, f"{path}[{i}]", rule) for i, value in enumerate(node.values)]
        if is_dataclass(wanted) and isinstance(wanted, type):
            # An entry that couldn't be read keeps its place, so that the others keep their numbers.
            return tuple(wanted() if value is UNREAD else value for value in read)
        return tuple(value for value in read if value is not UNREAD)

    def _element(self, wanted: Any, node: Node, path: str, rule: Mapping[str, Any]) -> Any:
        if isinstance(node, Scalar) and node.empty:
            return self.error(node.place, "wrong-type", "this entry of the list is empty", path)
        return self._value(wanted, node, path, rule)

    def _texts(self, node: Node, path: str) -> Any:
        if not isinstance(node, Entries):
            return self._wrong("a mapping of names to text", node, path)
        texts = {}
        for number, (key, value) in enumerate(node.pairs):
            text = self._value(str, value, _under(path, key.text if showable(key.text) else "?"), {})
            self.places[f"{path}[{number}]"] = key.place
            if text is not UNREAD:
                texts[key.text] = text
                if _SECRETIVE.search(key.text) and isinstance(value, Scalar):
                    self._keep((text, text.rpartition(" ")[2]), value, text, path)
        return texts

    def _named(self, wanted: Any, node: Node, path: str) -> Any:
        """A mapping whose keys are anybody's names. Where an entry and what is in it stand is also known by its number, as in
        a list."""
        if not isinstance(node, Entries):
            return self._wrong("a mapping (`name: value` lines)", node, path)
        read = {}
        for number, (key, value) in enumerate(node.pairs):
            numbered = f"{path}[{number}]"
            named = _under(path, key.text) if showable(key.text) else numbered
            before = len(self.places)
            inner = self._value(wanted, value, named, {})
            for place in list(self.places)[before:]:
                self.places[numbered + place.removeprefix(named)] = self.places[place]
            self.places[numbered] = key.place
            if inner is not UNREAD:
                read[key.text] = inner
        return read

    def _json(self, node: Node, path: str) -> Any:
        """Whatever stands there, as JSON has it."""
        match node:
            case Scalar():
                text = self._resolved(node, path)
                return UNREAD if text is None else core(text) if node.form is Form.PLAIN else text
            case Items():
                read = [self._value(Any, value, f"{path}[{i}]", {}) for i, value in enumerate(node.values)]
                return UNREAD if UNREAD in read else read
            case Entries():
                return self._named(Any, node, path)
            case _:
                assert_never(node)

    def _typed(self, wanted: type, node: Scalar, path: str, rule: Mapping[str, Any]) -> Any:
        text = self._resolved(node, path)
        if text is None:
            return UNREAD
        try:
            quoted = node.form is Form.QUOTED and text == node.text
            quoted = quoted and not (rule.get("duration") and isinstance(core(text), str))
            if quoted and wanted in (bool, int, float):
                raise Refused("wrong-type", f"wants {wish(wanted)}, but quoted text stands here; leave the quotes out")
            return typed(wanted, text, rule)
        except Refused as no:
            return self.error(node.place, no.code, f"`{path}` {no.message}", path, no.suggestion)

    def _text(self, node: Scalar, path: str, rule: Mapping[str, Any]) -> Any:
        value = core(node.text)
        if node.form is Form.PLAIN and not isinstance(value, str):
            return self._wrong("text", node, path)
        text = self._resolved(node, path)
        if text is None:
            return UNREAD
        self._keep(passwords(text), node, text, path)
        names_file = rule.get("path")
        if text and (names_file(text) if callable(names_file) else names_file):
            return str(self._file(text, node.place))
        return text

    def _secret(self, node: Node, path: str) -> Any:
        if _names_file(node):
            return self._secret_file(node, path)
        if not isinstance(node, Scalar):
            return self._wrong("a secret (text, or `{file: PATH}`)", node, path)
        value = core(node.text)
        if node.form is Form.PLAIN and not isinstance(value, str):
            return self._wrong("text", node, path)
        text = self._resolved(node, path)
        if text is None:
            return UNREAD
        self._keep((text,), node, text, path)
        return Secret(text)

    def _secret_file(self, node: Entries, path: str) -> Any:
        name = node.pairs[0][1]
        self.places[f"{path}.file"] = name.place
        written = self._value(str, name, f"{path}.file", {})
        if written is UNREAD:
            return UNREAD
        file = self._file(written, name.place)
        self.files.append(file)
        try:
            text = read_secret(file)
        except (OSError, ValueError) as error:
            return self.error(name.place, "unreadable-file", f"this file can't be read: {reason(error)}", path)
        self.secrets.append(Secret(text))
        return Secret(text)

    def _keep(self, secrets: Sequence[str], node: Scalar, text: str, path: str) -> None:
        """Remember what must not be shown, and whether it stands in the file as it is."""
        known = [Secret(secret) for secret in secrets if secret]
        self.secrets += known
        if known and node.place.line and text == node.text:
            self.literal.append(path)

    def _resolved(self, node: Scalar, path: str) -> str | None:
        """The scalar's text with variables put in; a variable's own value (`GIVEN`) is final. None when noted as wrong."""
        try:
            text = node.text if node.form is Form.GIVEN else interpolate(node.text, self.environ)
        except Unresolved as unresolved:
            if unresolved.name:
                message = f"the environment variable {unresolved.name} is not set; `${{{unresolved.name}:-…}}` gives a default"
                self.error(node.place, "unset-variable", message, path)
            else:
                message = (
                    "`${` begins a variable's name, `${NAME}` or `${NAME:-default}`; a plain `${` is written `$${`"
                )
                self.error(node.place, "bad-reference", message, path)
            return None
        if _UNUSABLE.search(text):
            self.error(node.place, "bad-text", f"`{path}` holds a character that is no text (NUL or half a pair)", path)
            return None
        return text

    def _file(self, name: str, place: Place) -> Path:
        """Relative to the configuration where it stands there, to the working directory otherwise."""
        path = Path(os.path.expanduser(name))
        return (self.directory if place.line else Path.cwd()) / path

    def _wrong(self, wanted: str, node: Node, path: str) -> Any:
        match node:
            case Scalar():
                value = core(node.text) if node.form is Form.PLAIN else node.text
                there = kind(value, show=False)
                there += " stands here; quote it" if wanted == "text" else " stands here"
            case Items():
                there = "a list stands here"
            case Entries():
                there = "a mapping stands here"
            case _:
                assert_never(node)
        return self.error(node.place, "wrong-type", f"`{path or 'the file'}` wants {wanted}, but {there}", path)


_UNUSABLE = re.compile("[\0\ud800-\udfff]")
"""Characters that no file name, header or log line can hold."""

_SECRETIVE = re.compile(r"auth|key|token|secret|cookie|password", re.IGNORECASE)
"""Names of headers whose values are kept out of logs."""


def read_secret(file: Path) -> str:
    """A secret file's text without the line end that editors leave. Raises `OSError` or `ValueError`."""
    with file.open("rb") as stream:
        content = stream.read(LARGEST_SECRET_FILE + 1)
    if len(content) > LARGEST_SECRET_FILE:
        raise ValueError(f"it is larger than {LARGEST_SECRET_FILE // 1024} KiB")
    try:
        return content.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8 text") from None


def reason(error: OSError | ValueError) -> str:
    """Why a file can't be read, without its name or content."""
    return (error.strerror or type(error).__name__).lower() if isinstance(error, OSError) else str(error)


def _names_file(node: Node) -> TypeGuard[Entries]:
    return isinstance(node, Entries) and [key.text for key, _ in node.pairs] == ["file"]


def _under(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key
