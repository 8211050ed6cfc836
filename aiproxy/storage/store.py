"""What a store is, to its users (`Store`) and to the mirror (`Remote`), and how either says no."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Entry:
    """A document and its version: an opaque token that changes with the content."""

    body: bytes = field(repr=False)
    version: str


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes a document and why, for the places that keep a history."""

    reason: str
    author: str = "aiproxy"


@dataclass(frozen=True, slots=True)
class Contents:
    """All documents of a store, and those that are there but can't be taken, each with the reason."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Past:
    """A version of a document that is or was in use. `id` is for whoever asks for it again; `version` as in `Entry`."""

    id: str
    at: float
    """Seconds since the epoch."""
    author: str
    """Empty where nobody knows: an editor of files leaves no name."""
    reason: str
    version: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Conflicting:
    """A change made here while the remote was away, which others had made impossible by the time it was back."""

    number: int
    name: str
    body: bytes | None = field(repr=False)
    """What this side wanted; None to delete it."""
    since: float
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How a store is, for whoever asks whether all is well."""

    place: str
    age: float | None = None
    """Seconds since the mirror last agreed with its remote; None where there is no mirror."""
    unpushed: int = 0
    conflicts: tuple[Conflicting, ...] = ()
    problem: str = ""
    """Why the remote can't be had just now."""


class StoreError(Exception):
    """Whatever a store can say no to, in one sentence for whoever runs the gateway. Holds no secret."""


class Conflict(StoreError):
    """The document is no longer the one that the change was made from. Nothing was changed."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} was changed by someone else meanwhile: read it again and repeat the change.")
        self.name = name


class Unacceptable(StoreError):
    """A name or a content that no store takes. Nothing was changed."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name!r} {why}")
        self.name = name
        self.why = why


class Unavailable(StoreError):
    """The place can't be had now, or not in this way: it is away, slow, full, read-only, newer, or knows us not."""


class Store(Protocol):
    """Documents by name. Every method blocks, and any thread may call it."""

    def load(self) -> Contents:
        """All there is, as known on this machine: never waits for a network."""

    def save(self, name: str, body: bytes, expected: str | None, change: Change) -> str:
        """Replace the document whose version is `expected` (None: there must be none), and return the new version.

        Raises `Conflict`, `Unacceptable`, `Unavailable`."""

    def delete(self, name: str, expected: str, change: Change) -> None:
        """Raises `Conflict` (also when it is gone already), `Unacceptable`, `Unavailable`."""

    def past(self, name: str, most: int, most_bytes: int) -> Sequence[Past] | None:
        """The latest versions of a document, the latest first, at most so many of so many bytes together; None where no history is
        kept. Never waits for a network."""

    def sync(self) -> bool:
        """Agree with the remote, if there is one; whether anything here changed by it. Raises `Unavailable`."""

    def watch(self, changed: Callable[[], None], stop: Event) -> None:
        """Call `changed` (in this thread) after each change by others, until `stop` is set."""

    def condition(self) -> Condition: ...

    def close(self) -> None: ...


class Remote(Protocol):
    """A place away from this machine, as the mirror needs it. One thread at a time calls; `wait` has a thread of its own."""

    place: str
    """What messages call it: no secret in it."""

    def versions(self) -> Mapping[str, str]:
        """Name → version of everything that is there, ill-named things too. Raises `Unavailable`, as all do."""

    def fetch(self, names: Iterable[str]) -> Mapping[str, Entry]:
        """These documents, without those that have gone meanwhile or are too large."""

    def save(self, name: str, body: bytes, expected: str | None, change: Change) -> str:
        """As `Store.save`."""

    def delete(self, name: str, expected: str, change: Change) -> None:
        """As `Store.delete`."""

    def past(self, name: str, most: int, most_bytes: int) -> Sequence[Past] | None:
        """As `Store.past`."""

    def wait(self, stop: Event) -> None:
        """Return when something may have changed, at the latest after a while, at once when `stop` is set."""

    def close(self) -> None: ...
