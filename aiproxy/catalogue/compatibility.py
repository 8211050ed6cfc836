"""The compatibility page: what becomes of each field of each protocol at each other one, from the tables that do the work.

`python -m aiproxy.catalogue.compatibility configs` writes `configs/compatibility.md` anew; a test keeps it true."""

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from aiproxy.catalogue.cannot import ASPECTS, CANNOT
from aiproxy.catalogue.globs import matches
from aiproxy.codecs import anthropic_messages, gemini, kiro, ollama, openai_chat, openai_responses
from aiproxy.codecs.codec import Codec
from aiproxy.codecs.features import SHAPES
from aiproxy.codecs.fields import Action, Field, Own, Shape
from aiproxy.codecs.translation import compatibility

PAGE = "compatibility.md"

PROTOCOLS: Mapping[str, Codec] = {
    "OpenAI Chat Completions": openai_chat.CODEC,
    "OpenAI Responses": openai_responses.CODEC,
    "Anthropic Messages": anthropic_messages.CODEC,
    "Gemini": gemini.CODEC,
    "Ollama": ollama.CODEC,
}

TARGETS: Mapping[str, Codec] = {**PROTOCOLS, "Kiro": kiro.CODEC}
"""And those that upstreams speak alone."""

_HEAD = """\
# What becomes of a request's fields

A request for a model that speaks the client's own protocol goes out as it came, every field of it. For any other model
it is translated, and this page says what becomes of each field. It is made from the tables that do the translating
(`python -m aiproxy.catalogue.compatibility configs`).

A cell names the upstream's field, and what happens where that is more than a new name:

| word | meaning | in `x-aiproxy-warnings` |
|---|---|---|
| (none) | Means the same there. | |
| passes | Means the same there, said otherwise: in the path, by another field, by leaving something out. | |
| nearest | Sent as the nearest thing the upstream has. | `rename:` |
| emulated | Done by the gateway, or said to the model in words. | `emulate:` |
| carried | Opaque; goes back to the vendor that made it, sealed on its way through another's protocol. | |
| dropped | The upstream has no such thing. Refused instead under `translation: strict`. | `drop:` |
| ignored | Dropped in silence: telemetry, or a hint that changes no answer. | |
| **refused** | Without it the answer would not be what was asked for: error 400 that names the field. | |

Numbers beyond a range are clamped to it (`clamp:`). A model may take less than its protocol does: what is known of it
narrows the translation further, and each request says in the header what it lost.
"""

_CANNOT = "What can't be done"

_WORDS: Mapping[str, str] = {
    "map": "",
    "approximate": "nearest",
    "emulate": "emulated",
    "carry": "carried",
    "drop": "dropped",
    "ignore": "ignored",
    "refuse": "**refused**",
}


def page() -> str:
    contents = "\n".join(f"- [From {title}](#{_anchor(f'From {title}')})" for title in PROTOCOLS)
    sections = ["\n".join(_section(title, source)) for title, source in PROTOCOLS.items()]
    last = "\n".join(_what_cannot_be())
    return "\n".join([_HEAD, contents, f"- [{_CANNOT}](#{_anchor(_CANNOT)})", *sections, last, ""])


def _what_cannot_be() -> Iterator[str]:
    yield f"\n## {_CANNOT}\n"
    yield "What the conformance tests ask by every official SDK of every upstream holds, but for this.\n"
    yield from _table("client", "upstream", "can't be done", "why")
    for entry in CANNOT:
        yield _line(_titles(entry.client), _titles(entry.upstream), ASPECTS[entry.aspect], entry.why)


def _titles(glob: str) -> str:
    return (
        "any" if glob == "*" else ", ".join(title for title, codec in TARGETS.items() if matches(codec.name, (glob,)))
    )


def _section(title: str, source: Codec) -> Iterator[str]:
    targets = {name: codec for name, codec in TARGETS.items() if codec is not source}
    own, shared = _own(source), _shared(source)
    columns = [list(_cells(source, target)) for target in targets.values()]
    yield f"\n## From {title}\n"
    yield from _table("field", "says", *targets)
    for row, *cells in zip(shared, *columns, strict=True):
        yield _line(_code(row.wire), SHAPES.get(row.feature) or _words(row.feature), *cells)
    yield f"\nFields that only {title} has, whatever the upstream:\n"
    yield from _table("fields", "what becomes of them", "why")
    for (action, note), names in own.items():
        yield _line(", ".join(_code(name) for name in names), _WORDS[action], _prose(note))


def _shared(source: Codec) -> Sequence[Field | Shape]:
    """The rows of features the protocol has a word for."""
    return [row for row in source.fields.rows if row.wire and not isinstance(row, Own)]


def _own(source: Codec) -> Mapping[tuple[Action, str], Sequence[str]]:
    """The protocol's own fields, by what becomes of them and why."""
    found: dict[tuple[Action, str], list[str]] = {}
    for row in source.fields.rows:
        if isinstance(row, Own):
            found.setdefault((row.action, row.note), []).append(row.wire)
    return found


def _cells(source: Codec, target: Codec) -> Iterator[str]:
    """What `target` makes of each of the source's shared rows, in their order."""
    limits = {row.feature: _range(*row.limits) for row in target.fields.rows if isinstance(row, Field)}
    named = (row for row in source.fields.rows if row.wire)
    for row, (_, action, wire, note) in zip(named, compatibility(source, target), strict=True):
        if not isinstance(row, Own):
            yield _cell(action, wire, limits.get(row.feature, ""), note)


def _cell(action: str, wire: str, *notes: str) -> str:
    name = _code(wire) if wire and action not in ("drop", "ignore", "refuse") else ""
    word = "passes" if action == "map" and not name else _WORDS[action]
    said = "; ".join(_prose(note) for note in notes if note)
    return " ".join(part for part in (word, name, said and f"({said})") if part)


def _words(feature: str) -> str:
    return feature.replace(".", ": ").replace("_", " ")


def _range(least: float | None, most: float | None) -> str:
    if least is None:
        return "" if most is None else f"at most {most:g}"
    return f"at least {least:g}" if most is None else f"{least:g} to {most:g}"


def _table(*columns: str) -> Iterator[str]:
    yield _line(*columns)
    yield "|" + "---|" * len(columns)


def _line(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |"


def _code(text: str) -> str:
    return "`" + text.replace("|", r"\|") + "`"


def _prose(text: str) -> str:
    """A note as Markdown: nothing in it is markup but its own code marks."""
    return re.sub(r"[|*_]", r"\\\g<0>", text).replace("<", "&lt;")


def _anchor(heading: str) -> str:
    return heading.lower().replace(" ", "-")


def main(directory: str) -> None:
    """Write the page anew."""
    (Path(directory) / PAGE).write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
