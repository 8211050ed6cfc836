"""Arguments of a tool call: JSON text for OpenAI, an object for everyone else.

Text that came as text leaves as the same text wherever the target allows it: numbers and key order stay as the model wrote them."""

import json

from aiproxy.neutral.carried import Json

RAW = "_raw_arguments"
"""The key under which text that isn't a JSON object travels where an object is due."""


def as_object(text: str) -> tuple[dict[str, Json], bool]:
    """The arguments as an object; False when they had to be wrapped because they aren't one. Nothing at all is `{}`.

    The standard library's parser, since it keeps integers of any size."""
    if not text.strip():
        return {}, True
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        found = None
    return (found, True) if isinstance(found, dict) else ({RAW: text}, False)


def as_text(value: Json) -> str:
    """The arguments as JSON text; what `as_object` wrapped comes out as it was."""
    if isinstance(value, dict) and value.keys() == {RAW} and isinstance(value[RAW], str):
        return str(value[RAW])
    return json.dumps({} if value is None else value, ensure_ascii=False, separators=(",", ":"))


def json_text(text: str) -> str:
    """For targets that want JSON text: the text itself, `{}` for nothing."""
    return text if text.strip() else "{}"


def is_complete(text: str) -> bool:
    """Whether the arguments are a whole JSON value: a model cut off inside them leaves half a one."""
    try:
        json.loads(text or "{}")
    except (ValueError, RecursionError):
        return False
    return True


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
