"""Values as YAML on one line, plain where that is safe."""

import json
import re
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from aiproxy.config.tree import core

_SAFE_PLAIN = re.compile(r"[A-Za-z0-9_/.][A-Za-z0-9_./-]*(?:://?[A-Za-z0-9_./:-]+)?")

_UNSAFE_QUOTED = re.compile("[\x7f-\xa0\u2028\u2029\ufeff]")
"""What JSON leaves as it is and YAML takes for a line's end, or for nothing it allows."""


def one_line(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case float():
            if not isfinite(value):
                return ".nan" if value != value else ".inf" if value > 0 else "-.inf"
            short = f"{value:g}"
            return short if float(short) == value else repr(value)
        case str():
            plain = _SAFE_PLAIN.fullmatch(value) and isinstance(core(value), str)
            return str(value) if plain else double_quoted(value)
        case Mapping():
            return "{" + ", ".join(f"{one_line(key)}: {one_line(inner)}" for key, inner in value.items()) + "}"
    return "[" + ", ".join(one_line(inner) for inner in value) + "]"


def double_quoted(text: str) -> str:
    return _UNSAFE_QUOTED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))


def single_quoted(text: str) -> str:
    """For text on one line."""
    return "'" + text.replace("'", "''") + "'"


def block(value: Mapping[str, Any], indent: int = 0) -> str:
    """Mappings and lists of mappings on lines of their own, the rest on one."""
    return "".join(_lines(value, " " * indent))


def _lines(value: Mapping[str, Any], margin: str) -> Iterator[str]:
    for key, inner in value.items():
        name = f"{margin}{one_line(key)}:"
        if isinstance(inner, Mapping) and inner:
            yield f"{name}\n{''.join(_lines(inner, margin + '  '))}"
        elif isinstance(inner, list) and any(isinstance(each, Mapping) and len(each) > 2 for each in inner):
            yield f"{name}\n"
            for each in inner:
                if isinstance(each, Mapping) and each:
                    yield f"{margin}  - {''.join(_lines(each, margin + '    ')).lstrip()}"
                else:
                    yield f"{margin}  - {one_line(each)}\n"
        else:
            yield f"{name} {one_line(inner)}\n"
