"""How a key is written down: `setting` is `dataclasses.field` with words."""

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any


def setting(
    words: str,
    default: Any = None,
    *,
    factory: Any = None,
    example: Any = None,
    examples: Mapping[str, Any] | None = None,
    minimum: float | None = None,
    maximum: float | None = None,
    unit: str = "",
    required: bool = False,
    path: bool | Callable[[str], bool] = False,
    duration: bool = False,
) -> Any:
    """One key: its sentence for the reference, its default, and what the reader checks.

    `example` is YAML shown (commented out) in the full example where the default would say nothing, `examples` the
    same for keys of a list's entries, where this list differs from others of its kind. `path` marks the name
    of a file, or tells one from other text: the reader makes it absolute, from the configuration's own directory. A
    `duration` may also be written `90s`, `10m` or `1h30m`."""
    metadata = {
        "words": words,
        "example": example,
        "examples": examples or {},
        "minimum": minimum,
        "maximum": maximum,
        "unit": "seconds, or `90s`, `10m`, `1h30m`" if duration else unit,
        "required": required,
        "path": path,
        "duration": duration,
    }
    if factory is not None:
        return field(default_factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata)
