"""A value put into a text, or taken out of it, at its place and in the style that stands there. `edit` sees to it that the result
is what was meant."""

from typing import Any

from aiproxy.config.names import kebab
from aiproxy.config.schema import Settings
from aiproxy.config.spans import Span, Spans
from aiproxy.config.steps import NotEdited, Steps, plain_field, shown, type_within
from aiproxy.config.tree import core
from aiproxy.config.yaml_text import double_quoted, one_line, single_quoted


def put(spans: Spans, root: Span, steps: Steps, value: Any) -> str:
    span, wanted = root, Settings
    holder: Span | None = None
    for depth, step in enumerate(steps):
        rest = steps[depth:]
        if span.kind == "alias":
            raise NotEdited(f"what holds `{shown(rest)}` is the alias `*{span.text}`; edit it where its anchor stands")
        if span.anchors & spans.aliased and span.kind != "scalar" and _own_anchor(spans, span):
            raise NotEdited(f"what holds `{shown(rest)}` has an anchor that is used elsewhere; edit it by hand")
        if span.kind == "scalar":
            return _grown(spans, span, holder, rest, value, wanted)
        if span.kind == "items":
            place = _index(span, step, adding=True)
            if place == len(span.values):
                return _added_item(spans, span, _nested(rest[1:], value))
        else:
            found = span.place_of(str(step))
            if found is None:
                return _added_entry(spans, span, rest, value)
            place = found
        holder, wanted = span, type_within(wanted, step)
        span = span.values[place]
    if span.anchors & spans.aliased:
        raise NotEdited(f"`{shown(steps)}` has an anchor that is used elsewhere; edit it by hand")
    return _replaced(spans, span, holder, value)


def _replaced(spans: Spans, span: Span, holder: Span | None, value: Any) -> str:
    text = spans.text
    if span.empty:
        return f"{text[: span.start]} {one_line(value)}{text[span.start :]}"
    written = _in_style(span.quote, value)
    mark = _mark_before(spans, span, holder)
    if mark is not None and "\n" in text[mark : span.start]:
        head = f"{text[:mark]} {written}{text[mark : spans.line_end(mark)]}"
        return head + text[spans.line_end(span.end) :]
    return text[: span.start] + written + text[span.end :]


def _mark_before(spans: Spans, span: Span, holder: Span | None) -> int | None:
    """After the colon of a value's key."""
    if holder is None or holder.kind != "entries":
        return None
    key = holder.keys[holder.values.index(span)]
    return spans.text.find(":", key.end) + 1


def _in_style(quote: str, value: Any) -> str:
    """A text keeps the quotes that stood there."""
    if isinstance(value, str) and quote == "'" and value.isprintable():
        return single_quoted(value)
    if isinstance(value, str) and quote == '"':
        return double_quoted(value)
    return one_line(value)


def _grown(spans: Spans, span: Span, holder: Span | None, rest: Steps, value: Any, wanted: Any) -> str:
    """A mapping or a list where nothing stands, or only the plain form of a mapping."""
    text = spans.text
    if span.empty or (not span.quote and core(span.text) is None):
        if holder is None:
            start = "" if not text or text.endswith("\n") else _break(spans)
            return text + start + _break(spans).join(_block(rest, value, 0)) + _break(spans)
        if holder.flow or holder.kind == "items" or not span.empty:
            return f"{text[: span.start]}{' ' * span.empty}{one_line(_nested(rest, value))}{text[span.end :]}"
        key = holder.keys[holder.values.index(span)]
        at = spans.line_end(key.end)
        lines = _block(rest, value, spans.column(key.start) + 2)
        return text[:at] + "".join(_break(spans) + line for line in lines) + text[at:]
    short = plain_field(wanted)
    if not short:
        raise NotEdited(f"nothing lies under a plain value, `{shown(rest)}` neither")
    flat = text[span.start : span.end] if span.quote in ("'", '"') else one_line(span.text)
    if not span.quote and not isinstance(core(span.text), str):
        flat = span.text
    name, written = kebab(short), one_line(_nested(rest, value))
    if str(rest[0]) != name:
        written = f"{{{name}: {flat}, {written[1:]}"
    return text[: span.start] + written + text[span.end :]


def _added_item(spans: Spans, span: Span, value: Any) -> str:
    text = spans.text
    if span.flow:
        return _added_in_flow(spans, span, one_line(value))
    at = spans.line_end(span.end)
    return f"{text[:at]}{_break(spans)}{' ' * spans.column(_dash(spans, span))}- {one_line(value)}{text[at:]}"


def _added_entry(spans: Spans, span: Span, rest: Steps, value: Any) -> str:
    text = spans.text
    if span.flow:
        return _added_in_flow(spans, span, one_line(_nested(rest, value))[1:-1])
    at = spans.line_end(span.end)
    lines = _block(rest, value, spans.column(span.keys[0].start))
    return text[:at] + "".join(_break(spans) + line for line in lines) + text[at:]


def _added_in_flow(spans: Spans, span: Span, written: str) -> str:
    text = spans.text
    if not span.values:
        return text[: span.end - 1].rstrip() + written + text[span.end - 1 :]
    at = span.values[-1].end
    return f"{text[:at]}, {written}{text[at:]}"


def _block(rest: Steps, value: Any, indent: int) -> list[str]:
    """Lines that say the value at the end of these steps; lists on one line."""
    key, further = f"{' ' * indent}{one_line(str(rest[0]))}:", rest[1:]
    if isinstance(rest[0], int):
        return [f"{' ' * indent}- {one_line(_nested(further, value))}"]
    if not further:
        return [f"{key} {one_line(value)}"]
    return [key, *_block(further, value, indent + 2)]


def _nested(rest: Steps, value: Any) -> Any:
    if not rest:
        return value
    inner = _nested(rest[1:], value)
    return [inner] if isinstance(rest[0], int) else {rest[0]: inner}


def take_out(spans: Spans, root: Span, steps: Steps) -> str:
    return _taken_out(spans, *_found(spans, root, steps))


def move(spans: Spans, root: Span, steps: Steps, to: int) -> str:
    """An entry of a list in lines takes its own along: what stands beside it, and comments between it and the one before."""
    span, place = _found(spans, root, steps)
    if span.kind != "items" or not 0 <= to < len(span.values):
        raise NotEdited(f"`{shown(steps)}` can't be moved to {to}: only a list's entries can, to where there is one")
    text, starts, ends = spans.text, _starts(spans, span), [value.end for value in span.values]
    if not span.flow:
        if not all(spans.alone_before(start) for start in starts):
            raise NotEdited(f"the list of `{shown(steps)}` begins on a line that says more; edit it by hand")
        ends = [spans.line_end(end) for end in ends]
        starts = [spans.line_start(starts[0]), *(end + len(_break(spans)) for end in ends[:-1])]
    pieces = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    between = [text[end:start] for end, start in zip(ends, starts[1:], strict=False)]
    pieces.insert(to, pieces.pop(place))
    joined = "".join(piece + gap for piece, gap in zip(pieces, [*between, ""], strict=True))
    return text[: starts[0]] + joined + text[ends[-1] :]


def _found(spans: Spans, root: Span, steps: Steps) -> tuple[Span, int]:
    """What holds an entry that is there, and the entry's place in it."""
    span = root
    for depth, step in enumerate(steps):
        if span.kind == "alias":
            raise NotEdited(f"`{shown(steps)}` stands under the alias `*{span.text}`; edit it where its anchor stands")
        if span.kind == "items":
            place = _index(span, step, adding=False)
        else:
            found = span.place_of(str(step)) if span.kind == "entries" else None
            if found is None:
                raise NotEdited(f"`{shown(steps)}` is not set in this file")
            place = found
        if span.values[place].anchors & spans.aliased or (_own_anchor(spans, span) and span.anchors & spans.aliased):
            raise NotEdited(f"`{shown(steps)}` has an anchor that is used elsewhere; edit it by hand")
        if depth == len(steps) - 1:
            return span, place
        span = span.values[place]
    raise AssertionError(steps)


def _taken_out(spans: Spans, span: Span, place: int) -> str:
    text = spans.text
    starts = [key.start for key in span.keys] if span.kind == "entries" else _starts(spans, span)
    start, end = starts[place], span.values[place].end
    if span.flow:
        if place:
            return text[: span.values[place - 1].end] + text[end:]
        if len(starts) > 1:
            return text[:start] + text[starts[1] :]
        return f"{text[: span.start]}{'{}' if span.kind == 'entries' else '[]'}{text[span.end :]}"
    if not spans.alone_before(start):  # it shares its line with the dash of the entry that it begins
        if len(starts) > place + 1:
            return text[:start] + text[starts[place + 1] :]
        return f"{text[:start]}{'{}' if span.kind == 'entries' else '[]'}{text[end:]}"
    after = text.find("\n", spans.line_end(end))
    return text[: spans.line_start(start)] + (text[after + 1 :] if after >= 0 else "")


def _starts(spans: Spans, span: Span) -> list[int]:
    """Where the entries of a list begin, dashes included."""
    if span.flow:
        return [value.start for value in span.values]
    found = [_dash(spans, span)]
    found += [spans.token(value.end) for value in span.values[:-1]]
    return found


def _dash(spans: Spans, span: Span) -> int:
    """Of a list's first entry; before it may stand an anchor."""
    return spans.text.index("-", span.start) if not span.anchors else spans.text.rindex("-", 0, span.values[0].start)


def _own_anchor(spans: Spans, span: Span) -> bool:
    return spans.text[span.start] == "&"


def _index(span: Span, step: str | int, *, adding: bool) -> int:
    count = len(span.values)
    most = count if adding else count - 1
    if not isinstance(step, int) or step > most:
        more = f", {count} to add one" if adding else ""
        raise NotEdited(f"a list's entry is named by its number; here there are {count}, from 0{more}")
    return step


def _break(spans: Spans) -> str:
    return "\r\n" if "\r\n" in spans.text else "\n"
