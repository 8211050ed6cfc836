"""What a vendor's protocol is to its stand-in: one that reads requests, and writers. Nothing here knows the gateway."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.rig.upstream import Received
from tests.vendors.scenarios import Answer, Failure


@dataclass(frozen=True, slots=True)
class Asked:
    """What a vendor understands of a request."""

    model: str
    streamed: bool
    texts: tuple[str, ...] = ()
    """Of the user, in order."""
    instructions: tuple[str, ...] = ()
    tools: Mapping[str, Any] = field(default_factory=dict)
    """Parameters by name."""
    results: tuple[tuple[str, str], ...] = ()
    """Each call's id (or its name, where the protocol has no ids), and the text of its result."""
    said: tuple[str, ...] = ()
    """Of the assistant, a text a turn; turns of calls alone are left out."""
    states: tuple[str, ...] = ()
    """Of reasoning, as the vendor gave them."""
    images: tuple[bytes, ...] = ()
    schema: Any = None
    prompted: bool = False
    """Whether it was one prompt (`/api/generate`)."""
    as_array: bool = False
    """Whether the stream is to be a JSON array."""


@dataclass(frozen=True, slots=True)
class Vendor:
    name: str
    stream_type: str
    asked: Callable[[Received], Asked]
    """AssertionError says what the vendor would refuse."""
    whole: Callable[[Asked, Answer], bytes]
    events: Callable[[Asked, Answer], list[bytes]]
    error: Callable[[Failure], tuple[Mapping[str, str], bytes]]
    """Headers and body."""
    broken: Callable[[str], bytes]
    """An error amid a stream."""
    protocol: str = ""
    """Whose client protocol it speaks, where that isn't its own name."""


def dumps(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def escaped(body: object) -> bytes:
    """As Google's and Go's JSON writers do: what JavaScript takes for ends of lines is escaped."""
    return json.dumps(body, ensure_ascii=False).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029").encode()


def halves(text: str) -> tuple[str, str]:
    return text[: len(text) // 2], text[len(text) // 2 :]


def texts_of(content: Any) -> Iterator[str]:
    """Of a string, or of a list of parts with a `text`."""
    if isinstance(content, str):
        yield content
    else:
        yield from (part["text"] for part in content or () if "text" in part)


def paired(calls: list[str], results: list[str]) -> None:
    """Each call of a turn is answered directly after it, once."""
    assert sorted(results) == sorted(calls), f"calls {calls} are answered by results {results}"


def exhaust(found: Any) -> None:
    """pydantic checks an Iterable while it is read."""
    if isinstance(found, Mapping):
        for value in found.values():
            exhaust(value)
    elif not isinstance(found, str | bytes | int | float | None):
        for value in found:
            exhaust(value)
