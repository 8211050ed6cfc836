"""The written reference, made from `schema`: `configs/full.yaml` and the table of `configs/README.md`.

`python -m aiproxy.config.reference configs` writes both anew; a test keeps them true.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from textwrap import wrap
from typing import Any, get_origin

from aiproxy.config.names import element_type, hints, kebab
from aiproxy.config.schema import Settings
from aiproxy.config.yaml_text import one_line
from aiproxy.secrets import Secret

BEGIN, END = "<!-- keys: begin -->", "<!-- keys: end -->"

_HEAD = """\
## Every key of aiproxy, with its default. Lines with one `#` are settings that have no default, or an example where the
## default is empty: take the `#` away to use them. Made from aiproxy/config/schema; README.md says how values are read.
"""


def example() -> str:
    """`full.yaml`: every key, once, with its words."""
    return "\n".join([_HEAD, *_mapping(Settings, "", {}, commented=False)]).rstrip() + "\n"


def uncommented(text: str) -> str:
    """The example with every setting in use."""
    return re.sub(r"^( *)#(?!#)", r"\1", text, flags=re.MULTILINE)


def table() -> str:
    """The keys as a Markdown table, nested ones by their path (`[]` is any entry of a list, `PROVIDER` any provider's name)."""
    rows = [f"| `{path}` | {_default_words(each)} | {sentence(each)} |" for path, each in _paths(Settings, "")]
    return "\n".join(["| key | default | meaning |", "|---|---|---|", *rows]) + "\n"


def inserted(document: str) -> str:
    """A document with the table between its markers."""
    before, rest = document.split(BEGIN)
    return f"{before}{BEGIN}\n{table()}{END}{rest.split(END)[1]}"


def _mapping(cls: type, indent: str, examples: Mapping[str, Any], *, commented: bool) -> Iterator[str]:
    """The keys of a mapping, `examples` going before their own. Within a commented block every line carries one `#` at
    the block's own indentation."""
    for each in fields(cls):
        yield from _words(each, indent)
        yield from _setting(cls, each, indent, examples, commented=commented)
        if not indent:
            yield ""


def _words(each: Field[Any], indent: str) -> list[str]:
    return [f"{indent}## {line}" for line in wrap(sentence(each), 116 - len(indent))]


def _setting(
    cls: type, each: Field[Any], indent: str, examples: Mapping[str, Any], *, commented: bool
) -> Iterator[str]:
    wanted = hints(cls)[each.name]
    inner = element_type(wanted)
    name = kebab(each.name)
    listed = get_origin(wanted) is tuple
    shown = examples.get(name, each.metadata["example"])
    within = each.metadata["examples"] or {
        key.removeprefix(f"{name}."): value for key, value in examples.items() if key.startswith(f"{name}.")
    }
    mark = "#" if not commented and (shown is not None or listed or default_of(each) is None) else ""
    if is_dataclass(inner) and isinstance(inner, type) and get_origin(wanted) is not Mapping:
        yield f"{indent}{mark}{name}:"
        deeper = indent + ("    " if listed else "  ")
        block = list(_mapping(inner, deeper, within, commented=commented or bool(mark)))
        if listed:
            block = _dashed(block, len(indent) + 2)
        yield from (f"{indent}{mark}{line[len(indent) :]}" if mark and "##" not in line else line for line in block)
    else:
        value = shown if shown is not None else default_of(each)
        yield f"{indent}{mark}{name}: {_yaml(False if value is None else value)}"


def _dashed(block: list[str], column: int) -> list[str]:
    """The first key of a list's entry carries the dash; words above it move out of the entry."""
    first = next(i for i, line in enumerate(block) if not line.lstrip().startswith("##"))
    lines = [line[2:] if i < first else line for i, line in enumerate(block)]
    lines[first] = f"{lines[first][:column]}- {lines[first][column + 2 :]}"
    return lines


def _paths(cls: type, under: str) -> Iterator[tuple[str, Field[Any]]]:
    for each in fields(cls):
        wanted = hints(cls)[each.name]
        inner = element_type(wanted)
        path = f"{under}{kebab(each.name)}"
        yield path, each
        if is_dataclass(inner) and isinstance(inner, type):
            yield from _paths(inner, path + {tuple: "[].", Mapping: ".PROVIDER."}.get(get_origin(wanted), "."))


def sentence(each: Field[Any]) -> str:
    """The setting's words, with what it must be."""
    about = each.metadata
    notes = [about["unit"]] if about["unit"] else []
    if about["minimum"] is not None and about["maximum"] is not None:
        notes.append(f"{about['minimum']:g} to {about['maximum']:g}")
    elif about["minimum"]:
        notes.append(f"at least {about['minimum']:g}")
    default = default_of(each)
    if isinstance(default, StrEnum):
        notes.append("one of " + ", ".join(type(default)))
    if about["required"]:
        notes.append("required")
    return f"{about['words']} ({'; '.join(notes)})" if notes else str(about["words"])


def _default_words(each: Field[Any]) -> str:
    default = default_of(each)
    if each.metadata["required"] or default is None or is_dataclass(default):
        return ""
    return f"`{_yaml(default)}`"


def default_of(each: Field[Any]) -> Any:
    if each.default_factory is MISSING:
        return each.default
    made: object = each.default_factory()
    return made


def _yaml(value: Any) -> str:
    return '""' if isinstance(value, Secret) else one_line(value)


def main(directory: str) -> None:
    """Write both files anew."""
    folder = Path(directory)
    (folder / "full.yaml").write_text(example(), encoding="utf-8")
    readme = folder / "README.md"
    readme.write_text(inserted(readme.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
