"""From one codec to another: what rides along for the source's sake, and what that costs at the target."""

from collections.abc import Iterator, Mapping

from aiproxy.codecs.codec import Codec
from aiproxy.codecs.fields import Own
from aiproxy.codecs.report import Report
from aiproxy.neutral.carried import Extensions, Json
from aiproxy.neutral.parts import ToolResultPart
from aiproxy.neutral.request import GenerateRequest


def account_for_extensions(
    request: GenerateRequest, source: Codec, target: Codec, report: Report, *, native: bool = True
) -> None:
    """Reports every field of `source` that neutral only carries, as `source`'s table says. Nothing, when the codec is the same,
    or one is the other in an envelope: then they share their table. Unless not `native`, for what it asks for in other words
    than its own.

    Raises `Unsupported` for a field that must not be dropped."""
    carrier = source.fields.codec
    if native and carrier == target.fields.codec:
        return
    for extensions in _extensions(request):
        for name, value in extensions.get(carrier, {}).items():
            own = source.fields.own(name)
            if value in (None, [], own.default) or name.startswith("~"):
                continue
            members = value if own.members and isinstance(value, Mapping) else {}
            for field in [f"{name}.{member}" for member in members] or [name]:
                feature = f"{carrier}.{field}"
                report.read(field, feature)
                match own.action:
                    case "drop":
                        report.drop(feature)
                    case "ignore":
                        report.ignore(feature)
                    case "refuse":
                        report.refuse(feature, at=_place(name, value))


def _place(name: str, value: Json) -> str | None:
    """Of an element that is a field by its type (`input[].computer_call`): the field's value is its place (`input[3]`)."""
    elements, among, _ = name.partition("[].")
    return value if among and isinstance(value, str) and value.startswith(f"{elements}[") else None


def _extensions(request: GenerateRequest) -> Iterator[Extensions]:
    yield request.extensions
    yield request.tool_choice.extensions
    if request.output_format:
        yield request.output_format.extensions
    for tool in request.tools:
        yield tool.extensions
    for turn in request.turns:
        yield turn.extensions
        for part in turn.parts:
            yield part.extensions
            if isinstance(part, ToolResultPart):
                yield from (inner.extensions for inner in part.content)


def compatibility(source: Codec, target: Codec) -> Iterator[tuple[str, str, str, str]]:
    """Rows of the compatibility page: (the source's field, what becomes of it, the target's field, note)."""
    target_rows = {row.feature: row for row in target.fields.rows if not isinstance(row, Own)}
    for row in source.fields.rows:
        if isinstance(row, Own):
            yield row.wire, row.action, "", row.note
        elif row.wire:
            at_target = target_rows[row.feature]
            yield row.wire, at_target.action, at_target.wire, at_target.note
