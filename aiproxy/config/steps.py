"""Where in a configuration something stands: `api-keys[0].name`, and what the schema expects there."""

import re
from dataclasses import is_dataclass
from typing import Any, get_args, get_origin

from aiproxy.config.names import hints, required
from aiproxy.config.schema import PLAIN_FORM
from aiproxy.config.yaml_text import double_quoted

Steps = tuple[str | int, ...]


class NotEdited(Exception):
    """The message is one sentence: which place can't be edited, and why."""


_STEP = re.compile(r"""\.?(?:([^.\["\]]+)|\["((?:[^"\\]|\\.)*)"\]|\[(\d{1,6})\])""")


def steps_of(path: str) -> Steps:
    """`api-keys[0].name`, `api-keys.0.name`, `prices["gpt-5.4*"].input`. Raises `NotEdited`."""
    found: list[str | int] = []
    at = 0
    while at < len(path):
        step = _STEP.match(path, at)
        if step is None or (not at and path[0] == "."):
            break
        name, quoted, number = step.groups()
        at = step.end()
        if number is not None or (name is not None and re.fullmatch("[0-9]{1,6}", name)):
            found.append(int(number or name))
        else:
            found.append(name if name is not None else re.sub(r"\\(.)", r"\1", quoted))
    if at < len(path) or not found:
        raise NotEdited('a path is written `key.key`, `list[0].key`, or `mapping["any name"].key`')
    return tuple(found)


def shown(steps: Steps) -> str:
    """As it is written."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r'[^.\["\]]+', step) and not step.isdigit():
            text += f".{step}" if text else step
        else:
            text += f"[{double_quoted(step)}]"
    return text


def type_within(wanted: Any, step: str | int) -> Any:
    """Of what lies under a step; None where nothing is known."""
    wanted = required(wanted)
    if is_dataclass(wanted) and isinstance(wanted, type):
        return hints(wanted).get(str(step).replace("-", "_"))
    return get_args(wanted)[0 if get_origin(wanted) is tuple else 1] if get_args(wanted) else None


def plain_field(wanted: Any) -> str:
    """The field that a mapping's plain form fills; "" where it has none."""
    wanted = required(wanted)
    return PLAIN_FORM.get(wanted, "") if isinstance(wanted, type) else ""
