"""The notes this codec leaves itself in `extensions`, and how a nested object's rest is kept with them."""

from collections.abc import Iterable, Mapping
from typing import Final

from aiproxy.codecs.fields import carried
from aiproxy.codecs.ollama.table import NAME
from aiproxy.neutral.carried import Extensions, Json

OPERATION: Final = "~operation"
"""On a request: "generate" when it came to `/api/generate`; absent for chat."""

STREAM_ABSENT: Final = "~stream"
"""On a request: `stream` was left out, which means true."""

QUIET: Final = "~quiet"
"""Fields that came and say nothing (`"format": ""`, `"seed": -1`): only the same codec writes them again."""

BARE_STOP: Final = "~stop"
"""On a request: `stop` was one string."""

FLAT: Final = "~options"
"""On a request: the options that ride under a name of their own, so that their loss is told."""

ROLE: Final = "~role"
"""On a turn: the role in the client's own letter case."""

MADE_ID: Final = "~made_id"
"""On a call: its id is ours, the client gave none."""

INDEX: Final = "~index"
"""On a call: the `index` it came with, or that it had none: on every call that came by this codec."""

TYPE: Final = "~type"
"""On a call: it came with `type: function`. On a tool: it came without."""

ARGUMENTS: Final = "~arguments"
"""On a call: the arguments, when their text alone doesn't bring them back."""

WRITTEN: Final = "~written"
"""On media: the data URL they came as."""

DONE_REASON: Final = "~done_reason"
"""On a candidate: the upstream's word, where ours would be written differently."""

CREATED_AT: Final = "~created_at"
"""On an answer: the upstream's time to the nanosecond."""


def riding(found: Mapping[str, Json], known: Iterable[str], notes: Mapping[str, Json]) -> Extensions:
    """The extensions of a nested object: what of it isn't `known`, and those notes that say something."""
    rest = carried(NAME, found, known).get(NAME, {})
    said = {name: note for name, note in notes.items() if note not in (None, {})}
    return {NAME: {**rest, **said}} if rest or said else {}


def note(extensions: Extensions, name: str) -> Json:
    riding_here = extensions.get(NAME)
    return riding_here.get(name) if riding_here else None
