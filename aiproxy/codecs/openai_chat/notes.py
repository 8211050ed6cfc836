"""What this codec notes for itself in extensions, so that its own requests come out as they came in.

The rest of an object, which neutral has no word for, rides verbatim. Where an object's *form* is unusual (an image as a bare
string, arguments as an object) it rides whole under `RAW`: decoding notes it only when encoding would write something else."""

from collections.abc import Mapping
from typing import Any

from aiproxy.codecs.fields import carried, restore
from aiproxy.codecs.openai_chat.table import NAME
from aiproxy.neutral.carried import Extensions, Json

RAW = "~raw"
"""The whole object as it came."""

CONTENT = "~content"
"""Of a turn: its content's form, "text", "list", "null" or "absent"."""

ROLE = "~role"
"""Of a turn: the legacy role `function`."""

LEGACY = "~legacy"
"""Of a tool, a choice or a call: it came as `functions` or `function_call`. Of a refusal: it came as the message's field."""

FIELD = "~field"
"""Of a tool: it came as a field of the request."""

REASONING = "~reasoning"
"""Of a turn: its reasoning as it came, in whichever of the dialects."""

EXTRA = "~extra_content"
"""Of a turn or a call: Google's `extra_content`, signature included, as it came."""

OPERATION = "~operation"
"""Of a request: "completions" when it is a legacy one."""


def note(extensions: Extensions, name: str) -> Any:
    return extensions.get(NAME, {}).get(name)


def noted(extensions: Extensions, **notes: Json) -> Extensions:
    """With these notes (their names without `~`) beside what rides there already. None and False are no note."""
    found = {f"~{name}": value for name, value in notes.items() if value is not None and value is not False}
    return {**extensions, NAME: {**extensions.get(NAME, {}), **found}} if found else extensions


def rest_of(found: Mapping[str, Json], known: tuple[str, ...], **inner: tuple[str, ...]) -> dict[str, dict[str, Json]]:
    """The extensions of an object: all but its `known` keys, and of its `inner` objects all but theirs."""
    rest = dict(carried(NAME, found, (*known, *inner)).get(NAME, {}))
    for key, keys in inner.items():
        if left := {name: value for name, value in found[key].items() if name not in keys}:
            rest[key] = left
    return {NAME: rest} if rest else {}


def whole(extensions: Extensions, written: dict[str, Json]) -> dict[str, Json]:
    """The object to send: as it came where that was noted, else as written with what rode along."""
    raw = note(extensions, RAW)
    if raw is not None:
        return dict(raw)
    restore(extensions, NAME, written)
    return written
